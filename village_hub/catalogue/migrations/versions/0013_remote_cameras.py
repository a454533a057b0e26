"""What children told of their cameras."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TEXTS = ("owner", "place", "name")
GRAMS = "CREATE INDEX ix_remote_camera_grams ON remote_camera USING gin"


def upgrade() -> None:
    op.create_table(
        "remote_child",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("heard", sa.BigInteger(), nullable=False),
        sa.Column("away", sa.Boolean(), nullable=False),
        sa.Column("syncing", sa.BigInteger(), nullable=True),
        sa.Column("page", sa.Integer(), nullable=False),
        sa.Column("began", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remote_child")),
    )
    _cameras()
    _states()
    op.create_table(
        "remote_named",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("child", "camera")),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("unit", "person")),
        sa.PrimaryKeyConstraint("child", "camera", "unit", "person", name="pk_remote_named"),
    )
    op.create_index(op.f("ix_remote_named_unit"), "remote_named", ["unit"])
    op.create_index(op.f("ix_remote_named_person"), "remote_named", ["person"])


def _cameras() -> None:
    op.create_table(
        "remote_camera",
        sa.Column("child", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in TEXTS),
        sa.Column("grams", sa.Text(), nullable=False),
        sa.Column("camera_class", sa.String(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=True) for name in ("lat", "lon", "cell")),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("child", "id", name="pk_remote_camera"),
    )
    op.create_index("ix_remote_camera_place", "remote_camera", ["place", "id", "child"])
    op.create_index("ix_remote_camera_cell", "remote_camera", ["cell"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"{GRAMS} (string_to_array(grams, ' '::text))")


def _states() -> None:
    op.create_table(
        "remote_state",
        sa.Column("child", sa.String(), nullable=False),
        sa.Column("camera", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("online", sa.Boolean(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("trouble", sa.String(), nullable=True),
        sa.Column("picture", sa.BigInteger(), nullable=True),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("child", "camera", name="pk_remote_state"),
    )
    op.create_index(
        "ix_remote_state_offline",
        "remote_state",
        ["place", "camera", "child"],
        sqlite_where=sa.text("online = 0"),
        postgresql_where=sa.text("NOT online"),
    )
