"""From a grant to the list that says what became of it (IDN-9): the home signs the place."""

from pathlib import Path
from typing import Any

import pytest

from tests.hub.consent.home import SITE, Home, ask
from tests.hub.support import small_config
from tests.hub.test_objections import SIGN, WORDS
from tests.hub.test_status_lists import fetched
from village_core.grant_tokens import Grant, House, StatusPlace, read_grant
from village_core.grants import GrantStatus
from village_hub import keys
from village_hub.access.status_lists import MOST_LISTS, SIZE, number_of
from village_hub.catalogue import grants, signs
from village_hub.config import Config, DatabaseConfig

pytestmark = pytest.mark.both_databases


@pytest.fixture
def config(tmp_path: Path, database_url: str) -> Config:
    """Rows are written: on both databases."""
    return small_config(tmp_path, public_url=SITE, database=DatabaseConfig(url=database_url))


async def signed(home: Home, grant: str) -> Grant:
    """As anybody who was given the text reads it."""
    row = await home.hub.app[keys.CATALOGUE].read(grants.find, grant)
    assert row is not None
    house = House(home.household, home.agent.household_key.public, home.hub.id)
    return read_grant(row.text, house, home.hub.clock.utc_ms(), expired_ok=True)


async def word(home: Home, place: StatusPlace | None) -> GrantStatus:
    """What whoever has only the grant's text and the hub's public keys learns."""
    assert place is not None
    held = await fetched(home.hub, place.idx)
    assert held.uri == place.uri
    return held.word_on(place.idx, home.hub.clock.utc_ms())[0]


async def given(home: Home, name: str = "Li") -> str:
    household = await home.hub.household()
    return await home.give(home.family(await home.hub.person(household, name)))


async def wished(home: Home, name: str) -> Any:
    household = await home.hub.household()
    return await home.draft(home.family(await home.hub.person(household, name)))


async def test_a_stopped_grant_is_invalid_in_the_list_that_it_names(home: Home) -> None:
    """The next list that is fetched says so; the other grant's place does not."""
    first, second = await given(home), await given(home, "Zhao")
    places = [(await signed(home, grant)).status for grant in (first, second)]
    assert [await word(home, place) for place in places] == [GrantStatus.VALID] * 2
    await home.stop(first)
    assert [await word(home, place) for place in places] == [
        GrantStatus.STOPPED,
        GrantStatus.VALID,
    ]


async def test_stopped_at_home_it_is_invalid_too(home: Home) -> None:
    grant = await given(home)
    await home.box.stops(grant)
    assert await word(home, (await signed(home, grant)).status) is GrantStatus.STOPPED


async def test_while_an_objection_pauses_its_camera_it_is_suspended(home: Home) -> None:
    """PRM-19: and valid again when that is settled; what was stopped stays so."""
    grant, stopped = await given(home), await given(home, "Zhao")
    place = (await signed(home, grant)).status
    await home.stop(stopped)
    hub = home.hub
    await hub.app[keys.CATALOGUE].write(signs.sign_of, home.yard, SIGN)
    assert await word(home, place) is GrantStatus.VALID
    answer = await hub.ask("POST", f"/api/v1/signs/{SIGN}/objections", json=WORDS)
    assert answer.status == 201
    receipt = (await answer.json())["receipt"]
    assert await word(home, place) is GrantStatus.SUSPENDED
    assert await word(home, (await signed(home, stopped)).status) is GrantStatus.STOPPED
    taken = await hub.ask("POST", "/api/v1/objections/withdrawal", json={"receipt": receipt})
    assert taken.status == 200
    assert await word(home, place) is GrantStatus.VALID


async def test_a_draft_that_is_sent_again_has_the_same_place(home: Home) -> None:
    """The home was offline, or asked for its household's yes first."""
    home.box.says = 202
    draft = await wished(home, "Li")
    await home.confirm(draft)
    (first,) = home.box.drafts
    home.box.says = 201
    text = home.box.sign(first.terms, status=first.status)
    assert (await home.box.gave(text, "g", draft["id"]))[0] == 200
    shown: Any = await ask(home.hub, "GET", f"/api/v1/drafts/{draft['id']}", home.owner)
    assert shown["state"] == "given"
    assert (await signed(home, shown["grant"])).status == first.status


@pytest.mark.parametrize("other", [0, 7, SIZE * 3])
async def test_a_place_that_was_not_kept_for_it_is_not_taken(home: Home, other: int) -> None:
    """Another grant's, or one that nobody has: a box cannot move what the list says of others."""
    await given(home)
    home.box.place = home.hub.app[keys.STATUS_LISTS].place(other)
    draft = await wished(home, "Zhao")
    refused = await home.confirm(draft, status=502)
    assert refused["code"] == "bad_grant"


async def test_a_grant_that_names_no_place_still_counts(home: Home) -> None:
    terms = (await signed(home, await given(home))).terms
    text = home.box.sign(terms.model_copy(update={"why": "once more"}))
    await home.box.gave(text, "g")
    rows = await home.hub.app[keys.CATALOGUE].read(grants.of_household, home.household)
    assert len({row.index for row in rows}) == 2


def test_a_place_has_one_number_whatever_address_the_hub_had() -> None:
    for number in (0, 1, SIZE - 1, SIZE, SIZE * MOST_LISTS - 1):
        uri = f"https://old.test/api/v1/status-lists/{number // SIZE + 1}"
        assert number_of(StatusPlace(idx=number % SIZE, uri=uri)) == number
    for uri in ("https://x/other/1", "/api/v1/status-lists/0", "/api/v1/status-lists/1001", "1"):
        assert number_of(StatusPlace(idx=0, uri=uri)) is None
    assert number_of(StatusPlace(idx=SIZE, uri="/api/v1/status-lists/1")) is None
