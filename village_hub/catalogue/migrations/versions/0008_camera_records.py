"""What is on record of a camera, and the class in its agent's own settings."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("camera", sa.Column("told_class", sa.String(), nullable=True))
    op.create_table(
        "camera_record",
        sa.Column("camera_id", sa.String(), nullable=False),
        sa.Column("camera_class", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("installer", sa.String(), nullable=False),
        sa.Column("duty", sa.Text(), nullable=False),
        sa.Column("sign_placed", sa.Boolean(), nullable=False),
        sa.Column("mask_needed", sa.Boolean(), nullable=False),
        sa.Column("mask", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.String(), nullable=False),
        sa.Column("proposed", sa.BigInteger(), nullable=False),
        sa.Column("picture_sha256", sa.String(), nullable=True),
        sa.Column("approved_by", sa.String(), nullable=True),
        sa.Column("approved", sa.BigInteger(), nullable=True),
        sa.Column("objection", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["camera_id"], ["camera.id"], name=op.f("fk_camera_record_camera_id_camera")
        ),
        sa.PrimaryKeyConstraint("camera_id", name=op.f("pk_camera_record")),
    )
