"""Matters that other nodes keep and people here have a part in."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "far_matter",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=True),
        sa.Column("person", sa.String(), nullable=True),
        sa.Column("opened", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_far_matter")),
    )
    for column in ("unit", "person"):
        op.create_index(op.f(f"ix_far_matter_{column}"), "far_matter", [column])
