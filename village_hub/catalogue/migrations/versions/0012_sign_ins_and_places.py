"""First sign-ins, which key opened a session, and households that two may edit."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("person", sa.Column("signed_in", sa.BigInteger(), nullable=True))
    op.add_column("sign_in", sa.Column("passkey_id", sa.String(), nullable=True))
    op.create_index(op.f("ix_sign_in_passkey_id"), "sign_in", ["passkey_id"])
    version = sa.Column("version", sa.Integer(), nullable=False, server_default="1")
    op.add_column("household", version)
    op.execute(
        "UPDATE person SET signed_in = (SELECT MIN(created) FROM sign_in"
        " WHERE sign_in.person_id = person.id)"
    )
