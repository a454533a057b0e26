"""Consent: grants, their drafts, invitations, asks, and who lives in view of a camera."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _grant_record()
    _grant_draft()
    _invitation()
    _grant_ask()
    _filmed_person()


def _grant_record() -> None:
    op.create_table(
        "grant_record",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("household_id", sa.String(), nullable=False),
        sa.Column("node_id", sa.String(), nullable=False),
        sa.Column("draft_id", sa.String(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("recipient_person", sa.String(), nullable=False),
        sa.Column("recipient_unit", sa.String(), nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("route", sa.String(), nullable=False),
        sa.Column("given_by", sa.String(), nullable=False),
        sa.Column("given", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("status_index", sa.Integer(), nullable=False),
        sa.Column("stopped", sa.BigInteger(), nullable=True),
        sa.Column("stopped_by", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("told_home", sa.Boolean(), nullable=False),
        sa.Column("reminded", sa.BigInteger(), nullable=True),
        sa.Column("ended_told", sa.Boolean(), nullable=False),
        sa.Column("copies_deleted", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("status IN ('valid', 'stopped', 'suspended')", name="status"),
        sa.ForeignKeyConstraint(
            ["household_id"],
            ["household.id"],
        ),
        sa.ForeignKeyConstraint(
            ["node_id"],
            ["node.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("status_index"),
    )
    op.create_index(
        "ix_grant_record_household", "grant_record", ["household_id", "id"], unique=False
    )
    op.create_index(op.f("ix_grant_record_node_id"), "grant_record", ["node_id"], unique=False)
    op.create_index(
        "ix_grant_record_person", "grant_record", ["recipient_person", "id"], unique=False
    )
    op.create_index("ix_grant_record_unit", "grant_record", ["recipient_unit", "id"], unique=False)
    op.create_index("ix_grant_record_until", "grant_record", ["until"], unique=False)


def _grant_draft() -> None:
    op.create_table(
        "grant_draft",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("household_id", sa.String(), nullable=False),
        sa.Column("route", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_name", sa.String(), nullable=False),
        sa.Column("made_unit", sa.String(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("confirmed", sa.Text(), nullable=True),
        sa.Column("refused", sa.String(), nullable=False),
        sa.Column("grant_id", sa.String(), nullable=True),
        sa.Column("ask_id", sa.String(), nullable=True),
        sa.Column("witness", sa.String(), nullable=False),
        sa.Column("scan", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["household_id"],
            ["household.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        op.f("ix_grant_draft_household_id"), "grant_draft", ["household_id"], unique=False
    )
    op.create_index(op.f("ix_grant_draft_state"), "grant_draft", ["state"], unique=False)


def _invitation() -> None:
    op.create_table(
        "invitation",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("household_id", sa.String(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("wish", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("voice", sa.String(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.BigInteger(), nullable=True),
        sa.Column("person_id", sa.String(), nullable=True),
        sa.Column("draft_id", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["household_id"],
            ["household.id"],
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
    )
    op.create_index(
        op.f("ix_invitation_household_id"), "invitation", ["household_id"], unique=False
    )


def _grant_ask() -> None:
    op.create_table(
        "grant_ask",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("household_id", sa.String(), nullable=False),
        sa.Column("asker_issuer", sa.String(), nullable=False),
        sa.Column("asker_id", sa.String(), nullable=False),
        sa.Column("asker_name", sa.String(), nullable=False),
        sa.Column("unit_id", sa.String(), nullable=False),
        sa.Column("unit_name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("wish", sa.Text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["household_id"],
            ["household.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_grant_ask_asker",
        "grant_ask",
        ["asker_issuer", "asker_id", "household_id"],
        unique=False,
    )
    op.create_index(op.f("ix_grant_ask_household_id"), "grant_ask", ["household_id"], unique=False)


def _filmed_person() -> None:
    op.create_table(
        "filmed_person",
        sa.Column("camera_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("guardian", sa.Boolean(), nullable=False),
        sa.Column("named_by", sa.String(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("objects", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["camera_id"],
            ["camera.id"],
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("camera_id", "person_id"),
    )
    op.create_index(
        op.f("ix_filmed_person_person_id"), "filmed_person", ["person_id"], unique=False
    )
