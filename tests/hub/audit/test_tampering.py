"""An administrator with the hub's database open changes the log: `village-hub audit verify` names
the first bad index (AUD-3). The database is a real hub's, the file is changed behind its back."""

import asyncio
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer

from tests.hub.conftest import open_fake
from tests.hub.support import Hub, TurnedClock
from village_core.keys import SigningKey
from village_hub import keys
from village_hub.__main__ import main
from village_hub.app import make_app
from village_hub.audit.chain import Head, follow
from village_hub.audit.checkpoints import FILE
from village_hub.audit.entry import canonical, read_document
from village_hub.catalogue import audit
from village_hub.config import read

SETTINGS = """
name = "West"
state = "state"
public_url = "http://127.0.0.1:8443"
[listen]
port = 0
[metrics]
enabled = false
[discovery]
enabled = false
[log]
level = "error"
"""
SIGNED = 14  # the last number that the second checkpoint covers
TRIGGERS = "SELECT name FROM sqlite_master WHERE type = 'trigger'"


async def make_history(config_file: Path) -> None:
    """A hub at which people look, in three runs: signed, signed, not signed yet."""
    clock = TurnedClock()
    app = await asyncio.to_thread(make_app, read(config_file), open_fake, clock)
    async with TestClient(TestServer(app)) as client:
        hub = Hub(app, client, clock)
        household, viewer = await hub.owner()
        camera, _ = await hub.push_camera(household)
        for part in range(3):
            for _ in range(3):
                url, token = await hub.watch(viewer, camera)
                await hub.ask("DELETE", url, headers=token)
                await hub.app[keys.VIEWS].settle()
            if part == 1:  # until here 19 entries
                await hub.ask("GET", "/api/v1/me", headers=viewer.headers)
            if part < 2:
                await hub.app[keys.CHECKPOINTS].make()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hub")
    (folder / "hub.toml").write_text(SETTINGS)
    asyncio.run(make_history(folder / "hub.toml"))
    return folder


class Books:
    """The hub's folder, and the file as an administrator has it open."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys
        self.file = sqlite3.connect(folder / "state" / "hub.sqlite", isolation_level=None)
        for (name,) in self.file.execute(TRIGGERS).fetchall():
            self.file.execute(f"DROP TRIGGER {name}")

    def do(self, statement: str, *values: object) -> None:
        self.file.execute(statement, values)

    def documents(self) -> list[str]:
        rows = self.file.execute(
            "SELECT document FROM audit_entry WHERE chain = 'serve' ORDER BY seq"
        )
        return [text for (text,) in rows]

    def run(self, *words: str) -> tuple[int, str]:
        status = main(["audit", *words, "--config", str(self.folder / "hub.toml")])
        said = self._capsys.readouterr()
        return status, said.out + said.err

    def verify(self, *more: str) -> tuple[int, str]:
        return self.run("verify", *more)

    def rewrite(self, seq: int, change: Callable[[str], str], until: int | None = None) -> None:
        """Entry `seq` says something else, and all hashes up to `until` are made anew."""
        rows = self.file.execute(
            "SELECT seq, prev, document FROM audit_entry WHERE chain = 'serve' AND seq >= ?"
            " ORDER BY seq",
            (seq,),
        ).fetchall()
        head = Head(seq - 1, rows[0][1]) if seq else None
        for number, _, text in rows:
            if until is not None and number > until:
                return
            changed = change(text) if number == seq else text
            link = follow(audit.SERVE, head, read_document(changed))
            self.do(
                "UPDATE audit_entry SET document = ?, prev = ?, hash = ?"
                " WHERE chain = 'serve' AND seq = ?",
                *(link.document, link.prev, link.hash, number),
            )
            head = Head(link.seq, link.hash)


@pytest.fixture
def books(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Books]:
    shutil.copytree(made, tmp_path / "hub")
    opened = Books(tmp_path / "hub", capsys)
    yield opened
    opened.file.close()


def other_person(text: str) -> str:
    said = json.loads(text)
    said["who"]["name"] = "Zhao"
    return canonical(said)


def test_the_log_of_a_hub_is_whole(books: Books) -> None:
    status, said = books.verify()
    assert status == 0, said
    count = len(books.documents())
    assert count > 25
    assert f"chain serve: {count} entries are whole, 19 of them signed" in said
    assert "checkpoints, the last of " in said


def test_a_deleted_entry_is_named(books: Books) -> None:
    books.do("DELETE FROM audit_entry WHERE seq = 5")
    assert books.verify() == (
        1,
        "village-hub: chain serve, index 5: deleted: entry 5 is gone\n",
    )


def test_a_changed_entry_is_named(books: Books) -> None:
    changed = other_person(books.documents()[7])
    books.do("UPDATE audit_entry SET document = ? WHERE seq = 7", changed)
    status, said = books.verify()
    assert (status, "index 7: altered" in said) == (1, True), said


def test_a_changed_entry_with_its_hash_made_anew_is_named(books: Books) -> None:
    books.rewrite(7, other_person, until=7)
    status, said = books.verify()
    assert (status, "index 7: altered: entry 7 was replaced" in said) == (1, True), said


@pytest.mark.parametrize(
    ("column", "value"),
    [("household_id", "another"), ("person_id", None), ("result", "no_basis"), ("utc_ms", 1)],
)
def test_an_entry_hidden_from_its_readers_is_named(
    books: Books, column: str, value: object
) -> None:
    """The household would not find it any more."""
    books.do(f"UPDATE audit_entry SET {column} = ? WHERE seq = 4", value)
    status, said = books.verify()
    assert (status, "index 4: altered: what entry 4 is found by" in said) == (1, True), said


def test_entries_that_changed_places_are_named(books: Books) -> None:
    for before, after in ((3, -1), (9, 3), (-1, 9)):
        books.do("UPDATE audit_entry SET seq = ? WHERE seq = ?", after, before)
    status, said = books.verify()
    assert (status, "index 3: reordered" in said) == (1, True), said


def test_an_entry_taken_out_and_the_others_moved_up_is_named(books: Books) -> None:
    books.do("DELETE FROM audit_entry WHERE seq = 6")
    for number in range(7, len(books.documents()) + 1):
        books.do("UPDATE audit_entry SET seq = ? WHERE seq = ?", number - 1, number)
    status, said = books.verify()
    assert (status, "index 6: deleted" in said) == (1, True), said


def test_a_truncated_log_is_named(books: Books) -> None:
    books.do("DELETE FROM audit_entry WHERE seq >= 15")
    status, said = books.verify()
    assert (status, "index 15: truncated: entries 15 to 18 were signed" in said) == (1, True), said


def test_an_emptied_log_is_named(books: Books) -> None:
    books.do("DELETE FROM audit_entry")
    status, said = books.verify()
    assert (status, "index 0: truncated" in said) == (1, True), said


def test_a_log_rewritten_from_somewhere_on_is_named(books: Books) -> None:
    """All hashes are made anew: only the signatures tell. The first 10 are vouched for."""
    books.rewrite(12, other_person)
    status, said = books.verify()
    assert (status, "index 10: forked: entries 10 to 18 are not what was signed" in said) == (
        1,
        True,
    ), said
    books.rewrite(2, other_person)
    status, said = books.verify()
    assert (status, "index 0: forked: entries 0 to 9" in said) == (1, True), said


def test_checkpoints_deleted_with_what_they_say_are_in_the_file(books: Books) -> None:
    books.rewrite(2, other_person)
    books.do("DELETE FROM audit_checkpoint")
    status, said = books.verify()
    assert (status, "index 0: forked" in said) == (1, True), said
    assert "chain checkpoints, index 0: deleted: checkpoint 0 is gone" in said


def test_a_forged_checkpoint_is_not_believed(books: Books) -> None:
    (text,) = books.file.execute(
        "SELECT document FROM audit_checkpoint WHERE number = 1"
    ).fetchone()
    head, body, signature = text.split(".")
    forged = ".".join((head, body[:-4] + "AAAA", signature))
    books.do("UPDATE audit_checkpoint SET document = ? WHERE number = 1", forged)
    status, said = books.verify()
    assert (status, "chain checkpoints, index 1: unsigned" in said) == (1, True), said


def test_a_beginning_cut_off_is_no_retention(books: Books) -> None:
    books.do("INSERT INTO audit_begin (chain, seq) VALUES ('serve', 9)")
    books.do("DELETE FROM audit_entry WHERE seq < 9")
    status, said = books.verify()
    assert (status, "index 0: deleted: entries 0 to 8 are gone" in said) == (1, True), said


def test_a_copy_is_verified_by_the_key_alone(books: Books, tmp_path: Path) -> None:
    """Without the hub's folder: the public key is all it takes."""
    books.file.close()
    copy = tmp_path / "copy.sqlite"
    shutil.copy(books.folder / "state" / "hub.sqlite", copy)
    shutil.move(books.folder / "state", tmp_path / "elsewhere")
    key = SigningKey.load(tmp_path / "elsewhere" / "node.key").public
    status, said = books.verify("--database", f"sqlite:///{copy}", "--key", key.text)
    assert (status, "entries are whole" in said) == (0, True), said
    strangers = (SigningKey.make().public.text for _ in range(10_000))
    dashed = next(text for text in strangers if text.startswith("-"))  # as one in 64 does
    status, said = books.verify("--database", f"sqlite:///{copy}", "--key", dashed)
    assert (status, "not signed by the key" in said) == (1, True), said
    assert books.verify("--database", f"sqlite:///{copy}")[0] == 1
    assert books.verify("--database", f"sqlite:///{tmp_path}/none", "--key", key.text)[0] == 1
    assert not (tmp_path / "none").exists()


def day_of(books: Books) -> str:
    first = json.loads(books.documents()[0])["utc_ms"]
    return f"{datetime.fromtimestamp(first / 1000, UTC):%Y-%m-%d}"


def exported(books: Books) -> Path:
    day, file = day_of(books), books.folder / "export.jsonl"
    words = ["--first-day", day, "--last-day", day, "--file", str(file)]
    status, said = books.run("export", *words)
    assert status == 0, said
    return file


def test_an_export_proves_itself_far_from_the_hub(books: Books) -> None:
    file = exported(books)
    count = len(books.documents())
    shutil.rmtree(books.folder / "state")
    status, said = books.verify("--export", str(file))
    assert (status, f"chain serve: {count} entries are whole, 19" in said) == (0, True), said
    fingerprint = said.split("signed by ")[1].split(",")[0]
    assert "compare it" in said
    status, said = books.verify("--export", str(file), "--key", fingerprint)
    assert (status, "compare it" in said) == (0, False), said
    assert books.verify("--export", str(file), "--key", "A" * 43)[0] == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda lines: [*lines[:9], *lines[10:]], "deleted"),
        (lambda lines: [*lines[:9], lines[9].replace("Fang", "Zhao"), *lines[10:]], "altered"),
        (lambda lines: [*lines[:9], lines[9], *lines[9:]], "inserted"),
        (lambda lines: [lines[0].replace("audit_export", "x"), *lines[1:]], "not an export"),
        (lambda lines: [*lines, "{"], "not an export"),
    ],
)
def test_a_changed_export_is_named(
    books: Books, change: Callable[[list[str]], list[str]], sentence: str
) -> None:
    file = exported(books)
    lines = change(file.read_text().splitlines())
    file.write_text("\n".join(lines) + "\n")
    status, said = books.verify("--export", str(file))
    assert (status, sentence in said) == (1, True), said


def test_an_export_does_not_overwrite(books: Books) -> None:
    file, day = exported(books), day_of(books)
    words = ["--first-day", day, "--last-day", day, "--file", str(file)]
    status, said = books.run("export", *words)
    assert (status, "is there already" in said) == (1, True), said


@pytest.mark.parametrize("days", [("2026-11-02", "2026-11-01"), ("1 November", "2026-11-01")])
def test_days_that_are_none_are_said(books: Books, days: tuple[str, str]) -> None:
    first, last = days
    words = ["--first-day", first, "--last-day", last, "--file", str(books.folder / "x")]
    assert books.run("export", *words)[0] == 1


def test_the_file_of_checkpoints_is_where_the_guide_says(books: Books) -> None:
    assert (books.folder / "state" / FILE).exists()
