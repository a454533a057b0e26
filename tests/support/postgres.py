"""One real PostgreSQL server for a test session, in a folder of its own; a database a test.

Debian's server refuses to run as root: it then runs as the user `postgres`. It ends with pytest
even when that is killed.
"""

import contextlib
import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

import psycopg

from village_hub.catalogue import migrate
from village_hub.catalogue.store import check_url

SETTINGS = {  # what is lost in a crash of a test's server is nobody's
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "jit": "off",
    "shared_buffers": "32MB",
}
HBA = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
TEMPLATE = "template_hub"  # migrated once


def programs() -> Path | None:
    """The folder of the newest installed server's programs."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[4])
    )
    if found:
        return found[-1].parent
    on_path = shutil.which("postgres")
    return Path(on_path).parent if on_path else None


class Server:
    """Started by `start`, ended by `stop`; may be started again."""

    def __init__(self, bin_folder: Path) -> None:
        self._bin = bin_folder
        self._user = "postgres" if os.geteuid() == 0 else None
        self.folder = Path(tempfile.mkdtemp(prefix="pg-"))
        self.folder.chmod(0o755)
        if self._user:
            shutil.chown(self.folder, self._user)
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count(1)

    def make(self) -> None:
        data = self.folder / "data"
        how = ("-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        if self._run(self._bin / "initdb", "-D", data, *how).wait(60):
            raise RuntimeError((self.folder / "log").read_text())
        (data / "pg_hba.conf").write_text(HBA)

    def start(self) -> None:
        """In the main thread: the server ends with the thread that started it."""
        options = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
        where = (
            "-D",
            self.folder / "data",
            "-k",
            self.folder,
            "-h",
            "127.0.0.1",
            "-p",
            str(self.port),
        )
        ends_with_us = ("setpriv", "--pdeathsig", "INT")
        self._process = self._run(*ends_with_us, self._bin / "postgres", *where, *options)
        self._wait()

    def stop(self) -> None:
        """Fast: whoever is connected is cut off."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(30)
            self._process = None

    def remove(self) -> None:
        shutil.rmtree(self.folder)

    def make_template(self) -> None:
        self.create(TEMPLATE, "template0")
        database = check_url(self.url(TEMPLATE))
        migrate.upgrade(database.writer)
        database.writer.dispose()

    def database(self, *, empty: bool = False) -> str:
        """The URL of a new one: with the newest schema, or with none."""
        name = f"test_{next(self._numbers)}"
        self.create(name, "template0" if empty else TEMPLATE)
        return self.url(name)

    def create(self, name: str, template: str) -> None:
        self.do(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")

    def drop(self, url: str) -> None:
        name = url.partition("?")[0].rpartition("/")[2]
        self.do(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def url(self, name: str) -> str:
        return f"postgresql://postgres@/{name}?host={self.folder}&port={self.port}"

    def do(self, statement: str, database: str = "postgres") -> None:
        """As the server's administrator."""
        url = self.url(database)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(statement.encode())

    def _wait(self) -> None:
        """Until it answers."""
        assert self._process is not None
        while True:
            try:
                return self.do("SELECT 1")
            except psycopg.OperationalError:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    ended = self._process.wait(0.02)
                    said = (self.folder / "log").read_text()
                    raise RuntimeError(f"postgres ended with {ended}: {said}") from None

    def _run(self, *words: str | Path) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                words,
                user=self._user,
                group=self._user,
                extra_groups=[] if self._user else None,
                cwd=self.folder,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
                stdout=log,
                stderr=log,
            )


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
