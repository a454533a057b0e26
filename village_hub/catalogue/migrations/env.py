"""Alembic's entry: runs on the connection that catalogue/migrate.py opened, in its transaction."""

from alembic import context

from village_hub.catalogue import audit_models as audit_models  # its tables are METADATA's too
from village_hub.catalogue import notice_models as notice_models  # its tables are METADATA's too
from village_hub.catalogue.models import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,  # SQLite alters a table by making it anew
)
with context.begin_transaction():
    context.run_migrations()
