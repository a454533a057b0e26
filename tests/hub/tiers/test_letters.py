"""What a hub writes to people of hubs further away: notices and calls for help arrive once,
whatever is cut, and nobody on the way can write in another's name (PRM-6, PRM-8, PRM-23)."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.hub.consent.home import SITE, Home, at_home
from tests.hub.support import TurnedClock, Viewer, until
from tests.hub.tiers.staffed import Tree, staffed
from tests.support.gateway import GatewaySimulator
from tests.support.tree import TOWN, WEST, known
from village_core.letters import LINE, sign
from village_core.permits import Role
from village_core.settings import Secret
from village_core.tokens import Issuer
from village_hub import keys
from village_hub.catalogue import audit_reading, books, far, letters, notices
from village_hub.catalogue.models import Household
from village_hub.catalogue.store import Session
from village_hub.config import GatewayConfig, NoticesConfig
from village_hub.notices.contacts import Contact
from village_hub.notices.ringing import CallState

STATION_PHONE = "+8607312110000"


@pytest.fixture
async def tree(tmp_path: Path) -> AsyncIterator[Tree]:
    async with staffed(tmp_path) as found:
        yield found


async def told(tree: Tree, who: str) -> list[dict[str, Any]]:
    _, body = await tree.ask(who, "GET", "me/notices?language=en")
    found: list[dict[str, Any]] = body["items"]
    return found


async def until_told(tree: Tree, who: str, kind: str) -> dict[str, Any]:
    for _ in range(100):
        if found := [each for each in await told(tree, who) if each["kind"] == kind]:
            assert len(found) == 1
            return found[0]
        await asyncio.sleep(0.1)
    raise AssertionError(f"{who} was not told of {kind}")


async def unused(tree: Tree) -> list[str]:
    """Why the county did not use lines."""

    def found(session: Session) -> list[str]:
        each = audit_reading.each(session, audit_reading.Wanted())
        return [str(entry.about["why"]) for entry in each if entry.action == "line_not_used"]

    return await tree.county.app[keys.CATALOGUE].read(found)


async def test_whoever_is_to_approve_is_told_at_their_own_hub_and_so_is_who_asked(
    tree: Tree,
) -> None:
    """PRM-8: the notice leads to the matter, which the village keeps."""
    path = await tree.filed()
    notice = await until_told(tree, "zhao", "request_to_approve")
    assert f"requests/{notice['about']['id']}" == path
    assert notice["text"]
    await tree.do("zhao", f"{path}/approve")
    await until_told(tree, "li", "request_approved")
    await tree.do("wang", f"{path}/countersign", json={"household": tree.home, "words": "yes"})
    await until_told(tree, "li", "request_answered")
    assert await told(tree, "gu") == []


async def test_an_approver_of_a_third_hub_reaches_what_they_were_told_of(tree: Tree) -> None:
    """A request of the township's station, approved one rank up, by the county."""
    unit = await tree.town.unit("station", TOWN)
    for name in ("sun", "tan"):
        staff = await tree.town.staff(Role.STATION_OFFICER, unit=unit, name=name)
        tree.people[name] = tree.town, staff
    terms = tree.terms(officers=[tree.named("sun"), tree.named("tan")])
    made = await tree.do("sun", "requests", json=terms)
    path = f"requests/{made['id']}"
    await tree.ask(
        "sun",
        "PUT",
        f"{path}/scan",
        data=b"%PDF-1.4 x",
        headers={"Content-Type": "application/pdf"},
    )
    assert (await tree.ask("zhao", "GET", path))[0] == 404
    await tree.do("sun", f"{path}/file")
    await until_told(tree, "zhao", "request_to_approve")
    assert (await tree.do("zhao", f"{path}/approve"))["state"] == "approved"
    await until_told(tree, "sun", "request_approved")


async def test_what_is_written_while_the_line_is_down_arrives_once(tree: Tree) -> None:
    path = await tree.filed()
    await until_told(tree, "zhao", "request_to_approve")
    await tree.do("zhao", f"{path}/approve")
    uplink = tree.town.app[keys.SUPERVISOR]
    await uplink.end("uplink")
    await tree.do("wang", f"{path}/countersign", json={"household": tree.home, "words": "yes"})
    await until(lambda: not tree.county.app[keys.CHILDREN].online(tree.town.id))

    async def at_the_township() -> bool:
        return bool(await tree.town.app[keys.CATALOGUE].read(books.waiting))

    await until(at_the_township, 10)
    assert "request_answered" not in [each["kind"] for each in await told(tree, "li")]
    uplink.start("uplink", tree.town.app[keys.UPWARD].run)
    await until_told(tree, "li", "request_answered")


async def test_nobody_writes_in_anothers_name_or_twice(tree: Tree) -> None:
    """IDN-4: a township that invents a notice, repeats one, or writes beyond its place."""
    county, town, west = tree.county, tree.town, tree.west
    body = {
        "person": tree.people["zhao"][1].person,
        "unit": None,
        "kind": "request_to_approve",
        "whom": "unit_head",
        "about_kind": "request",
        "about_id": "x1",
        "at": west.clock.utc_ms(),
        "params": {"who": "w", "case": "c", "until": "u", "camera": "y", "home": "h"},
    }

    async def put(text: str, to: str = county.id) -> None:
        line = {"to": to, "letter": text}
        await town.app[keys.CATALOGUE].write(
            books.write, county.id, LINE, line, town.clock.utc_ms()
        )

    good = Issuer(west.id, west.app[keys.NODE].key, west.clock)
    bad = Issuer(west.id, town.app[keys.NODE].key, town.clock)
    up = Issuer(county.id, town.app[keys.NODE].key, town.clock)
    text = sign(good, county.id, "notice", body)
    for each in (
        text,
        text,
        sign(bad, county.id, "notice", body),
        sign(up, county.id, "notice", body),
        sign(good, county.id, "notice", {**body, "person": "nobody-here"}),
        sign(good, county.id, "notice", {**body, "kind": "no_such_kind"}),
        sign(good, county.id, "notice", {**body, "whom": "owner"}),
        sign(good, county.id, "no_such_letter", body),
        sign(good, town.id, "notice", body),
        "not a token",
    ):
        await put(each)
    await put(text, to=town.id)  # back to where it came from
    await put(text, to="a-hub-of-nowhere")

    async def all_taken() -> bool:
        return not await town.app[keys.CATALOGUE].read(books.waiting)

    await until(all_taken, 10)
    assert len([each for each in await told(tree, "zhao") if each["about"]["id"] == "x1"]) == 1
    assert sorted(await unused(tree)) == [
        *("letter_malformed", "letter_unknown_key", "letter_unknown_key", "letter_wrong_audience"),
        *("malformed", "no_such_notice", "no_way", "no_way", "nobody", "unknown_letter"),
    ]


async def test_a_letter_to_a_hub_that_nobody_knows_waits_and_then_is_told_of(tree: Tree) -> None:
    write, read = tree.west.app[keys.CATALOGUE].write, tree.west.app[keys.CATALOGUE].read
    await write(letters.write, "a-hub-of-nowhere", "notice", {}, tree.west.clock.utc_ms())
    await asyncio.sleep(1.2)
    assert len(await read(letters.waiting)) == 1
    tree.west.clock.turn(31 * 24 * 3600)

    async def given_up() -> bool:
        return not await read(letters.waiting)

    await until(given_up, 10)

    def lost(session: Session) -> list[str]:
        found = audit_reading.each(session, audit_reading.Wanted())
        return [each.action for each in found if each.action == "letter_lost"]

    assert await read(lost) == ["letter_lost"]


# An SOS of a village without a station of its own


@pytest.fixture
async def gateway() -> AsyncIterator[GatewaySimulator]:
    found = GatewaySimulator(TurnedClock())
    await found.start()
    yield found
    await found.stop()


class Alarmed:
    """A village's home; the station that answers for it stands in the township."""

    def __init__(self, tree: Tree, home: Home, unit: str, officer: Viewer) -> None:
        self.tree, self.home, self.unit, self.officer = tree, home, unit, officer

    async def raised(self) -> str:
        status, body = await self.tree.ask("owner", "POST", f"households/{self.home.household}/sos")
        assert status == 201, body
        return str(body["id"])

    async def call(self, sos: str) -> dict[str, Any]:
        _, body = await self.tree.ask("owner", "GET", f"sos/{sos}/calls")
        found: dict[str, Any] = body
        return found


@pytest.fixture
async def alarmed(tmp_path: Path, gateway: GatewaySimulator) -> AsyncIterator[Alarmed]:
    settings = GatewayConfig(url=gateway.url, secret=Secret(gateway.secret), sender="station")
    town = {"notices": NoticesConfig(gateway=settings)}
    west = {"public_url": SITE, "notices": NoticesConfig(ring_at_once=3)}
    async with staffed(tmp_path, town, west) as tree, at_home(tree.west) as home:
        gateway.hub = tree.town.origin
        unit = await tree.town.unit("station", TOWN)
        officer = await tree.town.staff(Role.STATION_OFFICER, unit=unit, name="sun")
        contact = Contact(unit, STATION_PHONE, (), "en")
        await tree.town.app[keys.CATALOGUE].write(notices.set_contact, contact, 1)
        await tree.west.app[keys.CATALOGUE].write(_stands, home.household)
        tree.people |= {"sun": (tree.town, officer), "owner": (tree.west, home.owner)}
        tree.west.app[keys.UNITS_ABOVE].at_once()

        async def heard_of() -> bool:
            return await tree.west.app[keys.CATALOGUE].read(far.unit, unit) is not None

        await until(heard_of, 10)
        yield Alarmed(tree, home, unit, officer)


def _stands(session: Session, household: str) -> None:
    session.get_one(Household, household).place = f"{WEST}007"


async def coming(alarmed: Alarmed, sos: str) -> None:
    async def accepted() -> bool:
        return bool((await alarmed.call(sos))["state"] == "accepted")

    await until(accepted, 10)
    states = [each["state"] for each in (await alarmed.call(sos))["calls"]]
    assert CallState.ACCEPTED in states
    await until_told(alarmed.tree, "owner", "sos_accepted")


async def test_an_sos_reaches_the_station_of_the_hub_above_and_its_officer_says_they_come(
    alarmed: Alarmed,
) -> None:
    """PRM-6, PRM-23."""
    tree = alarmed.tree
    sos = await alarmed.raised()
    await until_told(tree, "sun", "sos_raised")
    call = await until_told(tree, "sun", "sos_call")
    assert call["about"] == {"kind": "sos", "id": sos}
    assert (await tree.ask("gu", "GET", f"sos/{sos}"))[0] == 404
    status, _ = await tree.ask("sun", "POST", f"sos/{sos}/coming", json={})
    assert status == 204
    await coming(alarmed, sos)


async def test_the_stations_telephone_rings_and_its_key_says_they_come(
    alarmed: Alarmed, gateway: GatewaySimulator
) -> None:
    sos = await alarmed.raised()
    await until(lambda: bool(gateway.to(STATION_PHONE, "voice")), 10)
    await gateway.press(gateway.to(STATION_PHONE, "voice")[0], "1")
    await coming(alarmed, sos)


async def test_in_an_sos_the_station_above_sees_what_the_household_agreed_to_and_no_longer(
    alarmed: Alarmed,
) -> None:
    """PRM-2, PRM-6: before it, and after it, the camera is nothing that the township knows of."""
    tree, home = alarmed.tree, alarmed.home
    wish = {
        "kind": "sos",
        "purpose": "sos",
        "actions": ["live", "still"],
        "cameras": [home.yard],
        "recipient": {"unit": alarmed.unit, "role": "station_officer", "contact": "110"},
        "until": tree.west.clock.utc_ms() + 300 * 24 * 3600 * 1000,
        "why": "look when something happens",
    }
    await home.give(wish)
    path = f"cameras/{home.yard}/media-token"
    said = {"purpose": "sos", "reason": "called"}
    assert (await tree.ask("sun", "POST", path, json=said))[0] == 404
    sos = await alarmed.raised()
    await known(tree.town, home.yard)
    await tree.town.shift(alarmed.officer)
    assert (await tree.ask("sun", "POST", path, json=said))[0] == 200
    await tree.do("owner", f"sos/{sos}/stop")

    async def forgotten() -> bool:
        return (await tree.ask("sun", "POST", path, json=said))[0] == 404

    await until(forgotten, 10)
