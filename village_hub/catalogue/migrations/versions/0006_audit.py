"""The audit log: entries, checkpoints, where chains begin, when the log was last written.

Its rows cannot be changed, by this program's own mistake neither: triggers refuse it. Whoever may
alter tables can drop them; that is what hashes and signatures are for.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

REFUSALS = {  # trigger -> (table, what, when it is refused)
    "audit_entry_no_update": ("audit_entry", "UPDATE", ""),
    "audit_entry_no_delete": (
        "audit_entry",
        "DELETE",
        "NOT EXISTS (SELECT 1 FROM audit_begin"
        " WHERE audit_begin.chain = OLD.chain AND OLD.seq < audit_begin.seq)",
    ),
    "audit_checkpoint_no_update": ("audit_checkpoint", "UPDATE", ""),
    "audit_checkpoint_no_delete": ("audit_checkpoint", "DELETE", ""),
}
SENTENCE = "the audit log only grows"


def upgrade() -> None:
    _entry()
    _checkpoint()
    _begin_and_pulse()
    if op.get_bind().dialect.name == "postgresql":
        _refuse_in_postgresql()
    else:
        _refuse_in_sqlite()


def _entry() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("chain", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("utc_ms", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("result", sa.String(), nullable=False),
        sa.Column("household_id", sa.String(), nullable=True),
        sa.Column("camera_id", sa.String(), nullable=True),
        sa.Column("person_issuer", sa.String(), nullable=True),
        sa.Column("person_id", sa.String(), nullable=True),
        sa.Column("unit_id", sa.String(), nullable=True),
        sa.Column("case_ref", sa.String(), nullable=True),
        sa.Column("grant_ref", sa.String(), nullable=True),
        sa.Column("permit_id", sa.String(), nullable=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("prev", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("chain", "seq", name=op.f("pk_audit_entry")),
        sa.UniqueConstraint("id", name=op.f("uq_audit_entry_id")),
    )
    op.create_index("ix_audit_entry_time", "audit_entry", ["utc_ms", "id"])
    op.create_index("ix_audit_entry_household", "audit_entry", ["household_id", "utc_ms", "id"])
    op.create_index(
        "ix_audit_entry_person", "audit_entry", ["person_issuer", "person_id", "utc_ms", "id"]
    )
    op.create_index("ix_audit_entry_unit", "audit_entry", ["unit_id", "utc_ms", "id"])
    op.create_index(op.f("ix_audit_entry_permit_id"), "audit_entry", ["permit_id"])


def _checkpoint() -> None:
    op.create_table(
        "audit_checkpoint",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("utc_ms", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_checkpoint")),
    )


def _begin_and_pulse() -> None:
    op.create_table(
        "audit_begin",
        sa.Column("chain", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("chain", name=op.f("pk_audit_begin")),
    )
    op.create_table(
        "audit_pulse",
        sa.Column("chain", sa.String(), nullable=False),
        sa.Column("utc_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("chain", name=op.f("pk_audit_pulse")),
    )


def _refuse_in_sqlite() -> None:
    for name, (table, what, when) in REFUSALS.items():
        condition = f"WHEN {when} " if when else ""
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {what} ON {table} {condition}"
            f"BEGIN SELECT RAISE(ABORT, '{SENTENCE}'); END"
        )


def _refuse_in_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE EXCEPTION '{SENTENCE}' USING ERRCODE = 'restrict_violation'; END $$"
    )
    for name, (table, what, when) in REFUSALS.items():
        # A trigger's WHEN has no subqueries there, so the exception is the function's.
        body = f"IF {when} THEN RAISE EXCEPTION '{SENTENCE}'; END IF; RETURN OLD;"
        function = "audit_only_grows"
        if when:
            function = f"{name}_check"
            op.execute(
                f"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS"
                f" $$ BEGIN {body} END $$"
            )
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {what} ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION {function}()"
        )
    for table in ("audit_entry", "audit_checkpoint"):
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows()"
        )
