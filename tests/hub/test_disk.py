"""The database cannot be used while the hub runs: clear answers, nothing half-done, no secrets."""

import logging
from pathlib import Path

import pytest
from sqlmodel import Session

from tests.hub.support import Hub
from village_hub import keys
from village_hub.catalogue.models import Household
from village_hub.catalogue.store import Catalogue, CatalogueError

pytestmark = pytest.mark.sqlite_only


def only_read(session: Session) -> None:
    """As a disk that went read-only, for the writer's connection."""
    session.connection().exec_driver_sql("PRAGMA query_only = 1")


def fill_the_disk(session: Session) -> None:
    """It has room for a few pages more, and a sign-in takes a thousand of them."""
    run = session.connection().exec_driver_sql
    run("CREATE TABLE filler (data BLOB)")
    run(
        "CREATE TRIGGER greedy AFTER INSERT ON sign_in "
        "BEGIN INSERT INTO filler VALUES (zeroblob(4096000)); END"
    )
    run("PRAGMA max_page_count = 500")


def make_room(session: Session) -> None:
    session.connection().exec_driver_sql("PRAGMA max_page_count = 100000")


def add(session: Session, secret: str) -> None:
    session.add(Household(id="h", name=secret, created=1))


async def test_a_sign_in_that_cannot_be_written_keeps_its_code(
    hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither spent nor signed in: the same code is good once there is room again."""
    code = await hub.code(await hub.person(await hub.household()))
    await hub.app[keys.CATALOGUE].write(fill_the_disk)
    answer = await hub.ask("POST", "/api/v1/sign-in", json={"code": code})
    assert answer.status == 503
    assert (await answer.json())["code"] == "database"
    assert int(answer.headers["Retry-After"]) > 0
    said = [each for each in caplog.records if each.levelno >= logging.ERROR]
    assert [(each.exc_info, "full" in each.getMessage()) for each in said] == [(None, True)]
    await hub.app[keys.CATALOGUE].write(make_room)
    again = await hub.ask("POST", "/api/v1/sign-in", json={"code": code})
    assert again.status == 200


async def test_what_could_not_be_written_is_not_in_the_error(tmp_path: Path) -> None:
    """AUD-9: among a statement's parameters are secrets."""
    catalogue = await Catalogue.open(f"sqlite:///{tmp_path}/hub.sqlite")
    await catalogue.write(only_read)
    with pytest.raises(CatalogueError) as failed:
        await catalogue.write(add, "s3cr3t")
    await catalogue.close()
    assert "readonly" in str(failed.value)
    told = f"{failed.value} {failed.value.__cause__}"
    assert "s3cr3t" not in told


async def test_a_damaged_database_stops_the_start_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "hub.sqlite"
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(CatalogueError, match="not a database") as failed:
        await Catalogue.open(f"sqlite:///{path}")
    assert str(path) in str(failed.value)
    assert "SQL" not in str(failed.value)
