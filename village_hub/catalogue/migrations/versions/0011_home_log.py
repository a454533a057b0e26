"""Which lines of their own logs homes have told; the status lists' places that drafts keep."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "home_line",
        sa.Column("node_id", sa.String(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["node_id"], ["node.id"], name=op.f("fk_home_line_node_id_node")),
        sa.PrimaryKeyConstraint("node_id", "number", "hash", name=op.f("pk_home_line")),
    )
    op.create_index("ix_home_line_received", "home_line", ["node_id", "received"])
    op.add_column("grant_draft", sa.Column("status_index", sa.Integer(), nullable=True))
