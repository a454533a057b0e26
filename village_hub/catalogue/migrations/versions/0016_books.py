"""Lines between hubs that must arrive, and what other hubs signed of their logs."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "book_peer",
        sa.Column("peer", sa.String(), nullable=False),
        sa.Column("said", sa.BigInteger(), nullable=False),
        sa.Column("took", sa.BigInteger(), nullable=False),
        sa.Column("heard", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("peer", name=op.f("pk_book_peer")),
    )
    op.create_table(
        "book_out",
        sa.Column("peer", sa.String(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("written", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("peer", "number", name=op.f("pk_book_out")),
    )
    op.create_table(
        "book_in",
        sa.Column("peer", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("taken", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("peer", "id", name=op.f("pk_book_in")),
    )
    op.create_table(
        "peer_checkpoint",
        sa.Column("peer", sa.String(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("peer", "number", "digest", name=op.f("pk_peer_checkpoint")),
    )
