"""Matters: their cameras, households and history, and what is held for them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _matter()
    _matter_camera()
    _matter_household()
    _matter_step()
    _hold()


def _matter() -> None:
    op.create_table(
        "matter",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("asker_id", sa.String(), nullable=False),
        sa.Column("unit_id", sa.String(), nullable=True),
        sa.Column("household_id", sa.String(), nullable=True),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("incident", sa.String(), nullable=False),
        sa.Column("opened", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=True),
        sa.Column("closed", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["household_id"], ["household.id"], name=op.f("fk_matter_household_id_household")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_matter")),
    )
    op.create_index("ix_matter_due", "matter", ["due"])
    op.create_index("ix_matter_kind_state", "matter", ["kind", "state"])
    op.create_index("ix_matter_asker", "matter", ["issuer", "unit_id"])
    op.create_index(op.f("ix_matter_asker_id"), "matter", ["asker_id"])
    op.create_index(op.f("ix_matter_household_id"), "matter", ["household_id"])


def _part_of_a_matter(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["matter_id"], ["matter.id"], name=op.f(f"fk_{table}_matter_id_matter")
    )


def _matter_camera() -> None:
    op.create_table(
        "matter_camera",
        sa.Column("matter_id", sa.String(), nullable=False),
        sa.Column("camera_id", sa.String(), nullable=False),
        sa.Column("begin", sa.BigInteger(), nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        _part_of_a_matter("matter_camera"),
        sa.ForeignKeyConstraint(
            ["camera_id"], ["camera.id"], name=op.f("fk_matter_camera_camera_id_camera")
        ),
        sa.PrimaryKeyConstraint("matter_id", "camera_id", name=op.f("pk_matter_camera")),
    )
    op.create_index(op.f("ix_matter_camera_camera_id"), "matter_camera", ["camera_id"])


def _matter_household() -> None:
    op.create_table(
        "matter_household",
        sa.Column("matter_id", sa.String(), nullable=False),
        sa.Column("household_id", sa.String(), nullable=False),
        sa.Column("knows_from", sa.BigInteger(), nullable=False),
        _part_of_a_matter("matter_household"),
        sa.ForeignKeyConstraint(
            ["household_id"],
            ["household.id"],
            name=op.f("fk_matter_household_household_id_household"),
        ),
        sa.PrimaryKeyConstraint("matter_id", "household_id", name=op.f("pk_matter_household")),
    )
    op.create_index(op.f("ix_matter_household_household_id"), "matter_household", ["household_id"])


def _matter_step() -> None:
    op.create_table(
        "matter_step",
        sa.Column("matter_id", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("utc_ms", sa.BigInteger(), nullable=False),
        _part_of_a_matter("matter_step"),
        sa.PrimaryKeyConstraint("matter_id", "seq", name=op.f("pk_matter_step")),
    )


def _hold() -> None:
    op.create_table(
        "hold",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("matter_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("camera_id", sa.String(), nullable=True),
        sa.Column("place", sa.String(), nullable=True),
        sa.Column("area", sa.Text(), nullable=True),
        sa.Column("begin", sa.BigInteger(), nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        _part_of_a_matter("hold"),
        sa.ForeignKeyConstraint(
            ["camera_id"], ["camera.id"], name=op.f("fk_hold_camera_id_camera")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold")),
    )
    op.create_index("ix_hold_until", "hold", ["until"])
    op.create_index(op.f("ix_hold_matter_id"), "hold", ["matter_id"])
    op.create_index(op.f("ix_hold_camera_id"), "hold", ["camera_id"])
