"""Codes of cameras' signs, and receipts of people without an account."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sign",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("camera_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["camera_id"], ["camera.id"], name=op.f("fk_sign_camera_id_camera")
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_sign")),
        sa.UniqueConstraint("camera_id", name=op.f("uq_sign_camera_id")),
    )
    op.create_table(
        "receipt",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("matter_id", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["matter_id"], ["matter.id"], name=op.f("fk_receipt_matter_id_matter")
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_receipt")),
    )
    op.create_index(op.f("ix_receipt_source"), "receipt", ["source"])
