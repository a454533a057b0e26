"""Stopping: one tap by anybody whom a grant touches; it holds at once, cuts what runs, and is told
to the home (PRM-4, PRM-13, MED-17)."""

from typing import Any

import pytest

from tests.hub.consent.home import Home, ask, connected, new_home
from tests.hub.consent.test_giving import sees, son
from tests.hub.support import Hub, Viewer, bearer, until
from village_core.messages import GrantList
from village_core.permits import Role
from village_core.status_list import Status
from village_core.tokens import said_claims
from village_hub import keys
from village_hub.catalogue import audit, grants
from village_hub.consent.homes import Ties
from village_hub.consent.stopping import As, may_stop


async def opens(hub: Hub, viewer: Viewer, camera: str, purpose: str = "family") -> str:
    """A live view by a grant."""
    path = f"/api/v1/cameras/{camera}/media-token"
    said = await ask(hub, "POST", path, viewer, {"purpose": purpose, "reason": "a look"})
    headers = {**bearer(said["token"]), "Content-Type": "application/sdp"}
    answer = await hub.ask("POST", f"/whep/{camera}", data="v=0\r\n", headers=headers)
    assert answer.status == 201, await answer.text()
    return answer.headers["Location"].rpartition("/")[2]


async def test_one_tap_stops_what_runs_and_the_home_hears_of_it(home: Home) -> None:
    """MED-17: the session ends as `stopped`, well within 5 s."""
    hub, ming = home.hub, await son(home.hub)
    grant = await home.give(home.family(ming.person))
    session = await opens(hub, ming, home.yard)
    after = await home.stop(grant)
    assert (after["status"], after["holds"]) == ("stopped", False)
    await until(lambda: (session, "stopped") in hub.live.ended, seconds=5)
    assert (await sees(hub, ming, home.yard, purpose="family"))[0] == 404
    await until(lambda: home.box.stopped == [grant])
    await home.stop(grant)  # again: nothing changes
    assert len(home.box.stopped) == 1


async def test_the_end_cuts_like_a_stop(home: Home) -> None:
    """MED-17: expiry needs nobody and no job."""
    hub, ming = home.hub, await son(home.hub)
    end = hub.clock.utc_ms() + 20 * 60_000
    wish = home.family(ming.person, kind="live", purpose="lost", until=end)
    await home.give(wish)
    session = await opens(hub, ming, home.yard, "lost")
    permit = hub.live.open[session].permit
    assert permit is not None
    assert permit.outside
    hub.clock.turn(20 * 60 + 1)
    await until(lambda: (session, "expired") in hub.live.ended, seconds=5)


async def test_who_may_stop(home: Home) -> None:
    """PRM-4: owner, adult member, recipient; a child reads only, a stranger hears of nothing."""
    hub, ming = home.hub, await son(home.hub)
    member = await hub.sign_in(await hub.member(home.household))
    child = await hub.sign_in(await hub.member(home.household, "Xiao", adult=False))
    stranger = await son(hub, "Zhao")
    one, two = [await home.give(home.family(ming.person, why=why)) for why in ("one", "two")]
    assert (await home.stop(one, stranger, 404))["code"] == "no_such_grant"
    assert (await home.stop(one, child, 403))["code"] == "not_adult"
    assert (await home.stop(one, member))["status"] == "stopped"
    assert (await home.stop(two, ming))["status"] == "stopped"
    for who, status in ((child, 200), (ming, 200), (stranger, 404)):
        await ask(hub, "GET", f"/api/v1/grants/{one}", who, None, status)


@pytest.mark.parametrize(
    ("held", "looks_at", "recipient", "expected"),
    [
        (Ties(owner=True, member=True, adult=True), False, False, As.OWNER),
        (Ties(member=True, adult=True), False, False, As.MEMBER),
        (Ties(member=True), False, False, None),
        (Ties(films=frozenset({"room"})), True, False, As.FILMED),
        (Ties(films=frozenset({"room"})), False, False, None),
        (Ties(member=True, films=frozenset({"room"})), True, False, As.FILMED),
        (Ties(), False, True, As.RECIPIENT),
        (Ties(), False, False, None),
    ],
)
def test_may_stop(held: Ties, looks_at: bool, recipient: bool, expected: As | None) -> None:
    assert may_stop(held, looks_at=looks_at, is_recipient=recipient) is expected


async def test_a_duty_person_of_the_unit_gives_back_what_it_was_given(home: Home) -> None:
    hub, unit = home.hub, await home.hub.unit("committee")
    clerk = await hub.staff(Role.COMMITTEE, unit=unit)
    other = await hub.staff(Role.COMMITTEE)
    grant = await home.give(home.watch(unit))
    await home.stop(grant, other, 404)
    assert (await home.stop(grant, clerk))["status"] == "stopped"


async def test_the_person_filmed_stops_even_the_family_and_the_owner_cannot_give_again(
    home: Home,
) -> None:
    """PRM-13: their no stands against the owner's yes until they take it back."""
    hub, ming = home.hub, await son(home.hub)
    grandmother = await hub.sign_in(await hub.named("Grandmother"))
    filmed = f"/api/v1/cameras/{home.room}/filmed"
    await ask(hub, "POST", filmed, home.owner, {"person": grandmother.person}, 204)
    wish = home.family(ming.person, cameras=[home.room], sensitive=True)
    yard = await home.give(home.family(ming.person))
    room = await home.give(wish)
    sharing = await ask(hub, "GET", "/api/v1/me/sharing", grandmother)
    assert {each["grant"] for each in sharing["households"][0]["shares"]} == {yard, room}
    objection = f"/api/v1/cameras/{home.room}/objection"
    await ask(hub, "PUT", objection, ming, None, 404)
    await ask(hub, "PUT", objection, grandmother, None, 204)
    shown = await ask(hub, "GET", f"/api/v1/grants/{room}", grandmother)
    assert shown["status"] == "stopped"
    assert (await sees(hub, ming, home.yard, purpose="family"))[0] == 200  # not in her view
    assert (await home.draft(wish, 403))["code"] == "patient"
    await ask(hub, "DELETE", objection, grandmother, None, 204)
    await home.give({**wish, "why": "she agrees now"})


async def test_what_the_home_stopped_is_stopped_here_and_never_starts_again(home: Home) -> None:
    """Both lists count for what was stopped; neither takes a stop back."""
    hub, ming = home.hub, await son(home.hub)
    grant = await home.give(home.family(ming.person))
    session = await opens(hub, ming, home.yard)
    status, answer = await home.box.stops(grant)
    assert status == 200
    assert [each["id"] for each in answer["stopped"]] == [grant]
    await until(lambda: (session, "stopped") in hub.live.ended, seconds=5)
    (text,) = home.box.given.values()
    await home.box.gave(text, grant)  # listed without the stop
    assert (await ask(hub, "GET", f"/api/v1/grants/{grant}", ming))["status"] == "stopped"
    assert home.box.stopped == []  # it knows


async def test_a_home_that_was_offline_hears_of_stops_when_it_connects(hub: Hub) -> None:
    home = await new_home(hub)
    ming = await son(hub)
    async with connected(home.box):
        grant = await home.give(home.family(ming.person))
    await home.stop(grant)
    assert home.box.stopped == []
    async with connected(home.box):
        await until(lambda: home.box.stopped == [grant])
    _, answer = await home.box.tell(GrantList())
    assert [each["id"] for each in answer["stopped"]] == [grant]


async def test_a_changed_box_ends_what_the_old_one_signed(home: Home) -> None:
    """IDN-15, PRM-21."""
    hub, ming = home.hub, await son(home.hub)
    grant = await home.give(home.family(ming.person))
    new = await hub.enrolled(home.household)
    assert (await sees(hub, ming, home.yard, purpose="family"))[0] == 404
    home.box.agent = new
    assert (await home.box.tell(GrantList()))[0] == 200
    shown = await ask(hub, "GET", f"/api/v1/households/{home.household}/grants", home.owner)
    assert [(each["id"], each["status"]) for each in shown["items"]] == [(grant, "stopped")]


async def test_the_status_list_says_which_are_taken_back(home: Home) -> None:
    """IDN-9: the list of this hub, by the grants' own places."""
    hub, ming = home.hub, await son(home.hub)
    names = [await home.give(home.family(ming.person, why=why)) for why in ("a", "b", "c")]
    await home.stop(names[1])
    found = await hub.app[keys.CATALOGUE].read(grants.statuses, 0, 65536)
    row = await hub.app[keys.CATALOGUE].read(grants.find, names[1])
    assert row is not None
    assert found == {row.index: Status.INVALID}
    answer = await hub.ask("GET", "/api/v1/status-lists/1")
    assert answer.status == 200
    assert said_claims((await answer.read()).decode())["status_list"]["bits"] == 2


async def test_stops_are_in_the_log_with_who_and_why(home: Home) -> None:
    """AUD-1."""
    hub, ming = home.hub, await son(home.hub)
    grant = await home.give(home.family(ming.person))
    await home.stop(grant, ming)

    def stops(session: Any) -> list[Any]:
        entries = [each.entry for each in audit.Chain(session, audit.SERVE)]
        return [each for each in entries if each.action == "grant_stopped"]

    (entry,) = await hub.app[keys.CATALOGUE].read(stops)
    assert (entry.who.id, entry.grant, entry.about["role_of"]) == (ming.person, grant, "recipient")
    assert entry.source == "127.0.0.1"
