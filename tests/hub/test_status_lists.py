"""The hub publishes which grants are taken back, to anyone who has to know (IDN-9)."""

import asyncio
from collections.abc import Mapping

import pytest

from tests.hub.clock import TurnedClock
from tests.hub.support import Hub
from village_core.grants import GrantStatus
from village_core.keys import PublicKey
from village_core.status_list import Freshness, HeldList, Status, read_list
from village_core.tokens import TokenError, Trust
from village_hub import keys
from village_hub.access.status_lists import MOST_LISTS, PATH, SIGNED_EVERY, SIZE


class Grants:
    """What the hub's grants say; the edge that is somebody else's part."""

    def __init__(self, given: int) -> None:
        self.given = given
        self.statuses: dict[int, Status] = {}
        self.asked: list[tuple[int, int]] = []
        self.reading = asyncio.Event()
        self.pause: asyncio.Event | None = None

    async def __call__(self, first: int, end: int) -> Mapping[int, Status] | None:
        self.asked.append((first, end))
        self.reading.set()
        found = {place: said for place, said in self.statuses.items() if first <= place < end}
        if self.pause is not None:
            await self.pause.wait()
        return found if first < self.given else None


@pytest.fixture
def grants(hub: Hub) -> Grants:
    """Ten grants, kept by a hub that publishes their statuses."""
    found = Grants(given=10)
    hub.app[keys.STATUS_LISTS]._statuses = found
    return found


async def published_keys(hub: Hub) -> Trust:
    """As another node learns them: from the hub's JWKS."""
    answer = await (await hub.ask("GET", "/.well-known/jwks.json")).json()
    known = {each["kid"]: PublicKey.from_text(each["x"]) for each in answer["keys"]}
    return lambda issuer, kid: known.get(kid) if issuer == hub.id else None


async def fetched(hub: Hub, number: int = 0) -> HeldList:
    """What a verifier of grant `number` holds after asking."""
    uri = hub.app[keys.STATUS_LISTS].place(number).uri
    response = await hub.ask("GET", uri.removeprefix(hub.app[keys.CONFIG].url))
    assert response.status == 200
    assert response.content_type == "application/statuslist+jwt"
    return read_list(await response.text(), uri, await published_keys(hub), hub.clock)


async def test_whoever_asks_is_told_what_was_taken_back(hub: Hub, grants: Grants) -> None:
    """Without signing in; verified with the published keys alone."""
    grants.statuses = {3: Status.INVALID, 4: Status.SUSPENDED}
    held = await fetched(hub)
    now = hub.clock.utc_ms()
    words = [held.word_on(place, now)[0] for place in (2, 3, 4)]
    assert words == [GrantStatus.VALID, GrantStatus.STOPPED, GrantStatus.SUSPENDED]
    assert held.issuer == hub.id
    assert len(held.statuses) == SIZE  # the length tells nobody how many there are


async def test_a_grant_taken_back_is_in_the_very_next_list(hub: Hub, grants: Grants) -> None:
    assert (await fetched(hub)).word_on(5, hub.clock.utc_ms())[0] is GrantStatus.VALID
    grants.statuses[5] = Status.INVALID
    hub.app[keys.STATUS_LISTS].changed()
    assert (await fetched(hub)).word_on(5, hub.clock.utc_ms())[0] is GrantStatus.STOPPED


async def test_a_change_while_a_list_is_read_is_not_lost(hub: Hub, grants: Grants) -> None:
    lists = hub.app[keys.STATUS_LISTS]
    grants.pause = asyncio.Event()
    reading = asyncio.ensure_future(lists.signed(1))
    await grants.reading.wait()
    grants.statuses[5] = Status.INVALID
    lists.changed()
    grants.pause.set()
    assert await reading is not None
    assert (await fetched(hub)).word_on(5, hub.clock.utc_ms())[0] is GrantStatus.STOPPED


async def test_many_who_ask_at_once_cost_one_reading(hub: Hub, grants: Grants) -> None:
    lists = hub.app[keys.STATUS_LISTS]
    answers = await asyncio.gather(*(lists.signed(1) for _ in range(50)))
    assert len(set(answers)) == 1
    assert grants.asked == [(0, SIZE)]
    hub.clock.turn(SIGNED_EVERY)
    assert await lists.signed(1) != answers[0]
    assert len(grants.asked) == 2


async def test_a_copy_may_be_kept_for_what_is_left_of_its_300_seconds(
    hub: Hub, grants: Grants
) -> None:
    """IDN-9: ttl 300 s."""
    assert grants.given
    first = await hub.ask("GET", f"{PATH}/1")
    assert first.headers["Cache-Control"] == "public, max-age=300"
    hub.clock.turn(4)
    second = await hub.ask("GET", f"{PATH}/1")
    assert second.headers["Cache-Control"] == "public, max-age=296"
    assert await second.text() == await first.text()


async def test_a_verifier_cut_off_for_an_hour_rests_on_nothing(hub: Hub, grants: Grants) -> None:
    """IDN-9: outside viewers fail closed; seed vector 3."""
    assert grants.given
    held = await fetched(hub)
    hub.clock.turn(301)
    assert held.freshness(hub.clock.utc_ms()) is Freshness.DUE
    hub.clock.turn(3300)
    assert held.word_on(1, hub.clock.utc_ms()) == (GrantStatus.VALID, False)


async def test_grants_beyond_the_first_list_stand_in_the_next(hub: Hub, grants: Grants) -> None:
    grants.given = SIZE + 2
    grants.statuses = {0: Status.INVALID, SIZE + 1: Status.INVALID}
    lists = hub.app[keys.STATUS_LISTS]
    place = lists.place(SIZE + 1)
    assert (place.idx, place.uri) == (1, f"{hub.app[keys.CONFIG].url}{PATH}/2")
    held = await fetched(hub, SIZE + 1)
    now = hub.clock.utc_ms()
    words = [held.word_on(each, now)[0] for each in (0, 1)]
    assert words == [GrantStatus.VALID, GrantStatus.STOPPED]
    assert lists.place(SIZE - 1).idx == SIZE - 1


@pytest.mark.parametrize("number", [-1, SIZE * MOST_LISTS])
def test_a_number_without_a_place_is_refused(hub: Hub, number: int) -> None:
    with pytest.raises(ValueError, match="place"):
        hub.app[keys.STATUS_LISTS].place(number)


@pytest.mark.parametrize(
    "name", ["2", "0", "-1", "01", "1.0", "x", "1001", "99999999999999", "%EF%BC%91", "1%0A"]
)
async def test_there_are_no_other_lists(hub: Hub, grants: Grants, name: str) -> None:
    assert grants.given
    response = await hub.ask("GET", f"{PATH}/{name}")
    assert response.status == 404
    assert (await response.json())["code"] == "not_found"


async def test_a_hub_without_grants_has_no_list(hub: Hub) -> None:
    assert (await hub.ask("GET", f"{PATH}/1")).status == 404


async def test_a_list_is_no_credential(hub: Hub, grants: Grants) -> None:
    """It is public, and signed by the key that signs access tokens."""
    assert grants.given
    text = await (await hub.ask("GET", f"{PATH}/1")).text()
    for path in ("/api/v1/me", "/uplink"):
        response = await hub.ask("GET", path, headers={"Authorization": f"Bearer {text}"})
        assert response.status == 401


async def test_a_list_of_another_hub_is_not_taken_for_ours(hub: Hub, grants: Grants) -> None:
    assert grants.given
    text = await (await hub.ask("GET", f"{PATH}/1")).text()
    uri = hub.app[keys.STATUS_LISTS].place(0).uri
    with pytest.raises(TokenError, match="unknown_key"):
        read_list(text, uri, lambda _issuer, _kid: None, TurnedClock())
