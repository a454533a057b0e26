"""Letters to hubs further away; whose a far matter is; units of hubs above."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "letter_out",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("to_hub", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("written", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter_out")),
    )
    op.create_table(
        "letter_in",
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("taken", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("issuer", "id", name=op.f("pk_letter_in")),
    )
    op.create_table(
        "far_unit",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("hub", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", "hub", name=op.f("pk_far_unit")),
    )
    op.create_table(
        "far_party",
        sa.Column("matter", sa.String(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("matter", "holder", name=op.f("pk_far_party")),
    )
    op.create_index(op.f("ix_far_party_holder"), "far_party", ["holder"])
    _move("unit")
    _move("person")
    for column in ("unit", "person"):
        op.drop_index(op.f(f"ix_far_matter_{column}"), "far_matter")
    with op.batch_alter_table("far_matter") as table:
        table.drop_column("unit")
        table.drop_column("person")


def _move(column: str) -> None:
    far, party = sa.table("far_matter", sa.column("id"), sa.column(column)), _party()
    held = sa.select(far.c.id, far.c[column]).where(far.c[column].is_not(None))
    op.execute(sa.insert(party).from_select(["matter", "holder"], held))


def _party() -> sa.TableClause:
    return sa.table("far_party", sa.column("matter"), sa.column("holder"))
