"""Being watched by X, for Y, until Z (MED-18); who can see me, in one list (AUD-4); no look
lives 5 s longer than what it stands on (MED-17)."""

import asyncio
import random
from typing import Any

from tests.hub.consent.home import DAY, HOUR, Home, ask
from tests.hub.consent.test_giving import son
from tests.hub.consent.test_stopping import opens
from tests.hub.support import Hub, Viewer, until
from village_core.permits import Role
from village_hub import keys
from village_hub.access.facts import Permit
from village_hub.catalogue import notices

VIEWERS = 50
LATEST = 5.0  # seconds


async def watching(home: Home, who: Viewer, status: int = 200) -> Any:
    path = f"/api/v1/households/{home.household}/watching"
    found = await ask(home.hub, "GET", path, who, None, status)
    return found.get("watching")


async def test_the_household_sees_who_looks_why_and_until_when(home: Home) -> None:
    hub = home.hub
    unit = await hub.unit("committee")
    clerk = await hub.staff(Role.COMMITTEE, unit=unit, name="Chen")
    end = hub.clock.utc_ms() + 7 * DAY
    grant = await home.give(home.watch(unit, until=end))
    member = await hub.sign_in(await hub.member(home.household))
    assert await watching(home, home.owner) == []
    session = await opens(hub, clerk, home.yard, "guard_home")
    (look,) = await watching(home, member)
    assert (look["name"], look["unit"], look["camera_name"]) == ("Chen", "The committee", "院子")
    assert (look["purpose"], look["reason"], look["until"]) == ("guard_home", "a look", end)
    assert (look["ref"], look["basis"]) == (grant, "C")
    await watching(home, clerk, 404)
    await watching(home, await son(hub), 404)
    await hub.live.end(hub.live.open[session], "closed")
    assert await watching(home, home.owner) == []


async def test_the_households_own_looks_are_its_own(home: Home) -> None:
    await opens(home.hub, home.owner, home.yard, "own_view")
    assert await watching(home, home.owner) == []


async def test_who_can_see_me_is_one_list_in_plain_words(home: Home) -> None:
    """AUD-4: grants that stand and that begin later; none that are over or stopped."""
    hub, ming = home.hub, await son(home.hub)
    now = hub.clock.utc_ms()
    family = await home.give(home.family(ming.person))
    stopped = await home.give(home.family(ming.person, why="stopped"))
    await home.give(home.family(ming.person, kind="live", purpose="lost", until=now + HOUR))
    later = await home.give(home.family(ming.person, not_before=now + DAY))
    await home.stop(stopped)
    hub.clock.turn(2 * 3600)
    (mine,) = (await ask(hub, "GET", "/api/v1/me/sharing", home.owner))["households"]
    assert {each["grant"] for each in mine["shares"]} == {family, later}
    assert mine["open"] == []
    assert any("Ming" in line for line in mine["shares"][0]["sentences"]["zh"])
    assert (await ask(hub, "GET", "/api/v1/me/sharing", ming))["households"] == []


async def test_no_look_outlives_its_grant_whatever_ends_when(home: Home) -> None:
    """MED-17: fifty look on ten grants, which are stopped at random while permits are renewed."""
    hub = home.hub
    people = [await son(hub, f"Viewer {number}") for number in range(10)]
    grants = {each.person: await home.give(home.family(each.person)) for each in people}
    sessions: dict[str, str] = {}
    for number in range(VIEWERS):
        viewer = people[number % 10]
        sessions[await opens(hub, viewer, home.yard)] = viewer.person
    ended: dict[str, float] = {}
    loop = asyncio.get_running_loop()
    real_end = hub.live.end

    async def end(session: Any, reason: str) -> None:
        ended[session.id] = loop.time()
        await real_end(session, reason)

    hub.live.end = end  # type: ignore[method-assign]
    order = random.Random(7).sample(people, 9)
    stopped: dict[str, float] = {}
    for viewer in order:
        hub.clock.turn(25)  # renewals fall due in between
        await home.stop(grants[viewer.person], random.choice((viewer, home.owner)))
        stopped[viewer.person] = loop.time()
    await until(lambda: len(ended) == 45, seconds=LATEST)
    late = [
        name
        for name, person in sessions.items()
        if name in ended and ended[name] - stopped[person] > LATEST
    ]
    assert late == []
    spared = next(each.person for each in people if each not in order)
    assert {each.permit.subject.id for each in hub.live.open.values() if each.permit} == {spared}


async def test_a_stop_while_a_look_opens_and_while_it_is_renewed(home: Home) -> None:
    """Two stops race the opening; a renewal that was decided before the stop does not undo it."""
    hub, ming = home.hub, await son(home.hub)
    grant = await home.give(home.family(ming.person))
    first = await opens(hub, ming, home.yard)
    real = hub.live.renewed

    async def slow(permit: Permit) -> None:
        await home.stop(grant)  # the verdict was a yes; now it is a no
        await real(permit)

    hub.live.renewed = slow  # type: ignore[method-assign]
    hub.clock.turn(70)
    await until(lambda: (first, "stopped") in hub.live.ended, seconds=LATEST)
    hub.live.renewed = real  # type: ignore[method-assign]
    again = await home.give(home.family(ming.person, why="again"))
    opening, *stops = await asyncio.gather(
        try_open(hub, ming, home.yard), home.stop(again), home.stop(again, ming)
    )
    assert all(each["status"] == "stopped" for each in stops)
    if opening:
        await until(lambda: any(name == opening for name, _ in hub.live.ended), seconds=LATEST)
    assert not [each for each in hub.live.sessions() if each.permit]


async def try_open(hub: Hub, viewer: Viewer, camera: str) -> str:
    """The session, or nothing when the stop was first."""
    try:
        return await opens(hub, viewer, camera)
    except AssertionError:
        return ""


async def test_people_are_asked_again_and_told_of_the_end(home: Home) -> None:
    """PRM-5: the carer's before it ends, the family's once a year; an end is told once."""
    hub, nurse, ming = home.hub, await son(home.hub, "Nurse"), await son(home.hub)
    hours = [{"days": [0, 1, 2, 3, 4, 5, 6], "begin": 480, "end": 660}]
    carer = home.family(nurse.person, kind="carer", purpose="care", hours=hours)
    ending = await home.give(carer)
    family = await home.give(home.family(ming.person))

    async def told(grant: str) -> list[str]:
        rows = await hub.app[keys.CATALOGUE].read(notices.about, "grant", grant)
        return sorted(row.kind for row in rows if row.whom == "owner")

    look = hub.app[keys.CONSENT].housekeeping.look
    for days in (1, 26, 1, 3):
        hub.clock.turn(days * 24 * 3600)
        await look()
    assert await told(ending) == ["grant_ends_soon", "grant_expired", "grant_given"]
    assert await told(family) == ["grant_given"]
    hub.clock.turn(340 * 24 * 3600)
    await look()
    await look()
    assert await told(family) == ["family_yearly", "grant_given"]
