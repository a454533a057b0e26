"""A camera of the hubs below is found by its id."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_remote_camera_id", "remote_camera", ["id"])
