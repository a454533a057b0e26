"""Alembic's entry: runs on the connection that catalogue/migrate.py opened, in its transaction."""

from alembic import context

from village_hub.catalogue.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,  # SQLite alters a table by making it anew
)
with context.begin_transaction():
    context.run_migrations()
