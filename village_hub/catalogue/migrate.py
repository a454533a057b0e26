"""Bring a database to the newest schema, at every start; Alembic without its command line."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

SCRIPTS = Path(__file__).parent / "migrations"


class NewerSchema(Exception):  # noqa: N818 - a state of the file
    """The database was written by a newer version of this program."""


def upgrade(engine: Engine) -> None:
    """Run the migrations that are missing. Raises NewerSchema."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    with engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
        if found is not None and found not in known:
            raise NewerSchema(f"its schema {found} is newer than this program; update the program")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()
