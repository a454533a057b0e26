"""Of two who edit the same thing from the same state one wins, and the other is told."""

import asyncio
from dataclasses import dataclass

import pytest
from sqlmodel import Session

from village_core.permits import CameraClass
from village_hub.access.classes import Place
from village_hub.catalogue import camera_records, cameras, people
from village_hub.catalogue.camera_records import RecordRow
from village_hub.catalogue.store import Catalogue
from village_hub.catalogue.versions import NEW, Stale, changed


@dataclass
class Row:
    version: int = 3


def record(purpose: str, version: int) -> RecordRow:
    return RecordRow(
        camera="c",
        camera_class=CameraClass.H_OUT,
        place=Place.YARD,
        purpose=purpose,
        installer="",
        duty="",
        sign_placed=False,
        mask_needed=False,
        mask=(),
        proposed_by="p",
        proposed=1,
        picture_sha256=None,
        approved_by=None,
        approved=None,
        objection=None,
        version=version,
    )


def add_camera(session: Session) -> None:
    people.add_household(session, "h", "Wang", 1)
    session.flush()
    cameras.add_push_camera(session, "c", "Gate", "h", 1)


def test_a_change_counts_and_only_from_the_version_that_was_read() -> None:
    row = Row()
    changed(row, 3)
    assert row.version == 4
    with pytest.raises(Stale) as stale:
        changed(row, 3)
    assert (stale.value.now, row.version) == (4, 4)


def test_what_is_not_there_is_version_0() -> None:
    changed(None, NEW)
    with pytest.raises(Stale):
        changed(None, 1)


@pytest.mark.both_databases
async def test_of_edits_of_one_version_one_is_kept(database_url: str) -> None:
    """In two processes at once, the first record and the next four."""
    catalogues = [await Catalogue.open(database_url) for _ in range(2)]
    await catalogues[0].write(add_camera)
    for version in range(5):
        edits = [record(f"{version} {number}", version) for number in range(6)]
        done = await asyncio.gather(
            *(
                catalogues[number % 2].write(camera_records.put, edit)
                for number, edit in enumerate(edits)
            ),
            return_exceptions=True,
        )
        kept = [each for each in done if isinstance(each, RecordRow)]
        assert [each.version for each in kept] == [version + 1]
        assert [each.now for each in done if isinstance(each, Stale)] == [version + 1] * 5
        assert await catalogues[0].read(camera_records.find, "c") == kept[0]
    for each in catalogues:
        await each.close()
