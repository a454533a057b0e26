"""What children tell of their cameras, on both databases: numbered, whole, and only their own."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session

from tests.hub.access.world import NOW
from village_core.catalogue_notes import CatalogueAnswer, CatalogueBatch, OfferNote, StateNote
from village_core.permits import CameraClass
from village_hub.catalogue import remote, remote_search
from village_hub.catalogue.grid import Near
from village_hub.catalogue.remote_search import SILENT, Asked, Now, RemoteRow, Within
from village_hub.catalogue.store import Catalogue

pytestmark = pytest.mark.both_databases

WEST, EAST = "110101001001", "110101001002"
PUBLIC = (CameraClass.P9, CameraClass.P7)
ALL = Within(place="110101", classes=PUBLIC, unit="station", person="li")
RESYNC = CatalogueAnswer(taken=False, after=0)


@pytest.fixture
async def catalogue(database_url: str) -> AsyncIterator[Catalogue]:
    found = await Catalogue.open(database_url)
    for child, place in (("west", WEST), ("east", EAST)):
        await found.write(remote.welcome, child, place, NOW)
    yield found
    await found.close()


def state(name: str, *, number: int = 1, online: bool = True, **more: Any) -> StateNote:
    return StateNote(id=name, number=number, online=online, since=NOW, **more)


def note(key: str, place: str = WEST, **more: Any) -> OfferNote:
    said = {"name": f"Lane {key}", "camera_class": CameraClass.P9, "state": state(key)}
    return OfferNote(place=place, **{**said, **more})


def whole(number: int, *put: OfferNote, page: int = 0, last: bool = True) -> CatalogueBatch:
    return CatalogueBatch(number=number, after=0, page=page, last=last, put=put)


def change(after: int, *put: OfferNote, gone: tuple[str, ...] = ()) -> CatalogueBatch:
    return CatalogueBatch(number=after + 1, after=after, put=put, gone=gone)


async def take(
    catalogue: Catalogue, batch: CatalogueBatch, child: str = "west", now: int = NOW
) -> CatalogueAnswer:
    return await catalogue.write(remote.take, child, batch, now)


async def found(
    catalogue: Catalogue, *, at: int = NOW, within: Within = ALL, **asked: Any
) -> list[RemoteRow]:
    return await catalogue.read(remote_search.search, within, Asked(**asked), at)


async def names(catalogue: Catalogue, **asked: Any) -> list[str]:
    return [row.id for row in await found(catalogue, **asked)]


async def test_a_batch_is_taken_whole_and_in_its_turn(catalogue: Catalogue) -> None:
    """PRM-2: what the child does not offer any more goes with the batch that says so."""
    assert await take(catalogue, whole(5, note("a"), note("b"))) == CatalogueAnswer(
        taken=True, after=5
    )
    answer = await take(catalogue, change(5, note("c"), gone=("a",)))
    assert answer == CatalogueAnswer(taken=True, after=6)
    assert await names(catalogue) == ["b", "c"]


async def test_a_batch_out_of_its_turn_changes_nothing(catalogue: Catalogue) -> None:
    await take(catalogue, whole(5, note("a")))
    for batch in (change(6, note("z"), gone=("a",)), change(3, gone=("a",))):
        assert await take(catalogue, batch) == RESYNC
    assert await names(catalogue) == ["a"]


async def test_a_batch_that_comes_twice_is_done_once(catalogue: Catalogue) -> None:
    """Its answer was lost on the line."""
    await take(catalogue, whole(5, note("a")))
    for _ in range(2):
        answer = await take(catalogue, change(5, note("b")))
        assert answer == CatalogueAnswer(taken=True, after=6)
    assert await names(catalogue) == ["a", "b"]


async def test_while_everything_comes_anew_what_was_there_stands_as_stale(
    catalogue: Catalogue,
) -> None:
    await take(catalogue, whole(5, note("a"), note("b"), note("old")))
    answer = await take(catalogue, whole(9, note("a"), last=False), now=NOW + 1000)
    assert answer == CatalogueAnswer(taken=True, after=0)
    rows = {row.id: (row.now, row.stale_since) for row in await found(catalogue)}
    assert rows == {
        "a": (Now.ONLINE, None),
        "b": (Now.STALE, NOW + 1000),
        "old": (Now.STALE, NOW + 1000),
    }
    for _ in range(2):  # the page before may come again
        await take(catalogue, whole(9, note("b"), page=1, last=False))
    assert await take(catalogue, change(5, note("z"))) == RESYNC
    assert await take(catalogue, whole(9, page=3)) == RESYNC
    answer = await take(catalogue, whole(9, note("c"), page=2))
    assert answer == CatalogueAnswer(taken=True, after=9)
    assert {row.id: row.now for row in await found(catalogue)} == dict.fromkeys("abc", Now.ONLINE)


async def test_everything_anew_that_was_cut_off_begins_anew(catalogue: Catalogue) -> None:
    await take(catalogue, whole(5, note("a")))
    await take(catalogue, whole(9, note("half"), last=False))
    await take(catalogue, whole(9, note("b"), last=False))
    await take(catalogue, whole(9, page=1))
    assert await names(catalogue) == ["b"]


async def test_a_child_tells_only_of_its_own_place(catalogue: Catalogue) -> None:
    """What a child can do to the catalogue above: nothing to anybody else's rows."""
    with pytest.raises(remote.NotItsPlace):
        await take(catalogue, whole(1, note("a"), note("b", EAST)))
    assert await names(catalogue) == []


async def test_a_child_that_says_anothers_ids_changes_nothing_of_it(catalogue: Catalogue) -> None:
    await take(catalogue, whole(1, note("a", EAST)), "east")
    await take(catalogue, whole(1, note("a", name="Taken over")))
    await catalogue.write(remote.take_states, "west", [state("a", number=9, online=False)], NOW)
    await take(catalogue, change(1, gone=("a",)))
    (row,) = await found(catalogue)
    assert (row.child, row.owner, row.name, row.now) == ("east", "east", "Lane a", Now.ONLINE)


async def test_a_node_that_is_no_hub_below_tells_nothing(catalogue: Catalogue) -> None:
    """A home's box is none."""
    with pytest.raises(remote.NotBelow):
        await take(catalogue, whole(1, note("a")), "box")
    with pytest.raises(remote.NotBelow):
        await catalogue.write(remote.take_states, "box", [], NOW)


async def test_of_two_states_the_newer_holds_whichever_came_last(catalogue: Catalogue) -> None:
    await take(catalogue, whole(1, note("a"), note("b")))
    tell = catalogue.write
    new = [state("a", number=7, online=False, picture=NOW), state("none", number=7)]
    assert await tell(remote.take_states, "west", new, NOW) == 1
    assert await tell(remote.take_states, "west", [state("a", number=6)], NOW) == 0
    await take(catalogue, change(1, note("a", name="Renamed", state=state("a", number=6))))
    rows = {row.id: (row.name, row.now, row.picture) for row in await found(catalogue)}
    assert rows["a"] == ("Renamed", Now.OFFLINE, NOW)
    assert rows["b"] == ("Lane b", Now.ONLINE, None)
    await take(catalogue, whole(2, note("a", state=state("a", number=1))))  # restored from a copy
    assert (await found(catalogue))[0].now is Now.ONLINE


async def test_a_child_that_is_silent_is_stale_with_the_time_and_never_online(
    catalogue: Catalogue,
) -> None:
    await take(catalogue, whole(1, note("a")))
    late = NOW + SILENT
    assert (await found(catalogue, at=late - 1))[0].now is Now.ONLINE
    (row,) = await found(catalogue, at=late)
    assert (row.now, row.stale_since) == (Now.STALE, NOW)
    assert await found(catalogue, at=late, now=Now.ONLINE) == []
    await catalogue.write(remote.take_states, "west", [], late)  # it is there again
    assert (await found(catalogue, at=late))[0].now is Now.ONLINE
    await catalogue.write(remote.lost, "west")
    (row,) = await found(catalogue, at=late)
    assert (row.now, row.stale_since) == (Now.STALE, late)


async def test_a_child_that_left_leaves_nothing(catalogue: Catalogue) -> None:
    await take(catalogue, whole(1, note("a")))
    await catalogue.write(remote.forget, "west")
    assert await names(catalogue) == []


async def test_a_camera_is_found_by_place_and_by_a_part_of_its_name(catalogue: Catalogue) -> None:
    said = {"a": "村口东路", "b": "North Lane", "c": "东村口", "d": "100% _quiet_"}
    await take(catalogue, whole(1, *(note(key, name=name) for key, name in said.items())))
    await take(catalogue, whole(1, note("e", EAST, name="村口")), "east")
    parts = {"村口": "ace", "口东": "a", "东": "ac", "north l": "b", "NORTHLANE": "b", "东口": ""}
    parts |= {"%": "d", "_": "d", "nort lane": "", " ": "abcde", "'": ""}
    for part, expected in parts.items():
        assert await names(catalogue, name=part) == list(expected), part
    assert await names(catalogue, place=EAST) == ["e"]
    assert await names(catalogue, place="110101001", name="村口") == ["a", "c", "e"]
    assert await names(catalogue, place="1101019") == []


async def test_a_camera_is_found_by_its_state(catalogue: Catalogue) -> None:
    off = state("b", online=False)
    await take(catalogue, whole(1, note("a"), note("b", state=off)))
    await take(catalogue, whole(1, note("c", EAST)), "east")
    await catalogue.write(remote.lost, "east")
    for now, expected in ((Now.ONLINE, "a"), (Now.OFFLINE, "b"), (Now.STALE, "c")):
        assert await names(catalogue, now=now) == [expected]


async def test_a_camera_is_found_near_a_point(catalogue: Catalogue) -> None:
    lat, lon = 39_900_000, 116_400_000
    away = {"here": 0, "near": 8_000, "far": 20_000}  # 0, 890 and 2,200 m to the north
    put = [note(name, lat=lat + each, lon=lon) for name, each in away.items()]
    put.append(note("east", lat=lat, lon=lon + 11_000))  # 940 m: a degree is shorter there
    await take(catalogue, whole(1, *put, note("nowhere")))
    assert await names(catalogue, near=Near(lat, lon, 100)) == ["here"]
    assert await names(catalogue, near=Near(lat, lon, 1000)) == ["east", "here", "near"]
    assert await names(catalogue, near=Near(lat, lon, 2300)) == ["east", "far", "here", "near"]


async def test_pages_go_on_where_the_one_before_ended(catalogue: Catalogue) -> None:
    await take(catalogue, whole(1, *(note(f"w{each}") for each in range(5))))
    await take(catalogue, whole(1, *(note(f"e{each}", EAST) for each in range(4))), "east")
    after, seen = None, []
    while page := await found(catalogue, after=after, limit=2):
        seen += [row.id for row in page]
        after = page[-1].key
    assert seen == ["w0", "w1", "w2", "w3", "w4", "e0", "e1", "e2", "e3"]


async def test_a_homes_camera_is_found_by_whom_it_names_alone(catalogue: Catalogue) -> None:
    """PRM-2."""
    yard = {"camera_class": CameraClass.H_OUT, "name": "yard"}
    for child, place, who in (
        ("west", WEST, {"unit": "station"}),
        ("east", EAST, {"person": "wu"}),
    ):
        await take(
            catalogue,
            whole(1, note(f"{child}-yard", place, named=[who], **yard)),
            child,
        )
    assert await names(catalogue) == ["west-yard"]
    other = Within(place="110101", classes=PUBLIC, unit="other", person="wu")
    assert [row.id for row in await found(catalogue, within=other)] == ["east-yard"]
    await take(catalogue, change(1, note("west-yard", named=[{"unit": "other"}], **yard)))
    assert await names(catalogue) == []


PLANS = {
    "ix_remote_camera_place": Asked(place=WEST[:9]),
    "ix_remote_camera_cell": Asked(near=Near(39_900_000, 116_400_000, 1000)),
    "ix_remote_state_offline": Asked(now=Now.OFFLINE),
    "ix_remote_camera_grams": Asked(name="口东"),
}


@pytest.mark.parametrize("index", PLANS)
async def test_each_way_to_look_has_its_index(
    catalogue: Catalogue, database: str, index: str
) -> None:
    """That it can be used; PostgreSQL would rather read few rows one by one."""
    if database == "sqlite" and index.endswith("grams"):
        pytest.skip("SQLite reads the names of the place")

    def plan(session: Session) -> str:
        query = remote_search.statement(session, ALL, PLANS[index], NOW)
        connection = session.connection()
        if database == "postgresql":
            unwanted = "indexscan" if index.endswith(("cell", "grams")) else "sort"
            for way in ("seqscan", unwanted):
                connection.execute(text(f"SET LOCAL enable_{way} = off"))
        said = query.compile(connection, compile_kwargs={"literal_binds": True})
        explain = "EXPLAIN QUERY PLAN" if database == "sqlite" else "EXPLAIN"
        return "\n".join(map(str, connection.exec_driver_sql(f"{explain} {said}")))

    assert index in await catalogue.read(plan)
