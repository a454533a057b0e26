"""The first schema: households, people, agents, cameras, sign-ins, enrolments."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _household()
    _person()
    _membership()
    _node()
    _one_time_code()
    _sign_in()
    _camera()
    _enrolment()
    _publish_token()


def _household() -> None:
    op.create_table(
        "household",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_household")),
    )


def _person() -> None:
    op.create_table(
        "person",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("removed", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
    )


def _membership() -> None:
    op.create_table(
        "membership",
        sa.Column("household_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["household_id"], ["household.id"], name=op.f("fk_membership_household_id_household")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_membership_person_id_person")
        ),
        sa.PrimaryKeyConstraint("household_id", "person_id", name=op.f("pk_membership")),
    )
    op.create_index(op.f("ix_membership_person_id"), "membership", ["person_id"])


def _node() -> None:
    op.create_table(
        "node",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("household_id", sa.String(), nullable=False),
        sa.Column("node_key", sa.String(), nullable=False),
        sa.Column("household_key", sa.String(), nullable=False),
        sa.Column("enrolled", sa.BigInteger(), nullable=False),
        sa.Column("revoked", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("privacy_off", sa.Boolean(), nullable=False),
        sa.Column("seen", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["household_id"], ["household.id"], name=op.f("fk_node_household_id_household")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_node")),
    )
    op.create_index(op.f("ix_node_node_key"), "node", ["node_key"])
    op.create_index(
        "one_agent_a_household",
        "node",
        ["household_id"],
        unique=True,
        sqlite_where=sa.text("revoked IS NULL"),
        postgresql_where=sa.text("revoked IS NULL"),
    )


def _one_time_code() -> None:
    op.create_table(
        "one_time_code",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("selector", sa.String(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_one_time_code_person_id_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_time_code")),
        sa.UniqueConstraint("digest", name=op.f("uq_one_time_code_digest")),
    )
    op.create_index(op.f("ix_one_time_code_person_id"), "one_time_code", ["person_id"])
    op.create_index(op.f("ix_one_time_code_selector"), "one_time_code", ["selector"])


def _sign_in() -> None:
    op.create_table(
        "sign_in",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_sign_in_person_id_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in")),
        sa.UniqueConstraint("digest", name=op.f("uq_sign_in_digest")),
    )
    op.create_index(op.f("ix_sign_in_person_id"), "sign_in", ["person_id"])


def _camera() -> None:
    op.create_table(
        "camera",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("household_id", sa.String(), nullable=False),
        sa.Column("node_id", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("online", sa.Boolean(), nullable=False),
        sa.Column("trouble", sa.String(), nullable=True),
        sa.Column("main", sa.Text(), nullable=True),
        sa.Column("sub", sa.Text(), nullable=True),
        sa.Column("audio", sa.String(), nullable=True),
        sa.Column("masked", sa.Boolean(), nullable=False),
        sa.Column("transcoded", sa.Boolean(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("gone", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("kind IN ('agent', 'push')", name=op.f("ck_camera_kind")),
        sa.ForeignKeyConstraint(
            ["household_id"], ["household.id"], name=op.f("fk_camera_household_id_household")
        ),
        sa.ForeignKeyConstraint(["node_id"], ["node.id"], name=op.f("fk_camera_node_id_node")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_camera")),
    )
    op.create_index(op.f("ix_camera_household_id"), "camera", ["household_id"])
    op.create_index(op.f("ix_camera_node_id"), "camera", ["node_id"])


def _enrolment() -> None:
    op.create_table(
        "enrolment",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("household_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("secret", sa.String(), nullable=True),
        sa.Column("digest", sa.String(), nullable=True),
        sa.Column("selector", sa.String(), nullable=True),
        sa.Column("commitment", sa.String(), nullable=True),
        sa.Column("hub_nonce", sa.String(), nullable=True),
        sa.Column("node_key", sa.String(), nullable=True),
        sa.Column("household_key", sa.String(), nullable=True),
        sa.Column("digits", sa.String(), nullable=True),
        sa.Column("node_id", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["household_id"], ["household.id"], name=op.f("fk_enrolment_household_id_household")
        ),
        sa.ForeignKeyConstraint(["node_id"], ["node.id"], name=op.f("fk_enrolment_node_id_node")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment")),
        sa.UniqueConstraint("digest", name=op.f("uq_enrolment_digest")),
    )
    op.create_index(op.f("ix_enrolment_household_id"), "enrolment", ["household_id"])
    op.create_index(op.f("ix_enrolment_selector"), "enrolment", ["selector"])


def _publish_token() -> None:
    op.create_table(
        "publish_token",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("camera_id", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("revoked", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["camera_id"], ["camera.id"], name=op.f("fk_publish_token_camera_id_camera")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_publish_token")),
        sa.UniqueConstraint("digest", name=op.f("uq_publish_token_digest")),
    )
    op.create_index(op.f("ix_publish_token_camera_id"), "publish_token", ["camera_id"])
