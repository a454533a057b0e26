"""My notices and my phone over the API."""

import pytest

from tests.hub.audit.books import written
from tests.hub.notices.told import PHONE, SAID, Told
from tests.hub.support import Hub
from tests.support.gateway import GatewaySimulator
from village_hub import keys
from village_hub.catalogue import notices, people
from village_hub.notices import port
from village_hub.notices.due import DAY
from village_hub.notices.kinds import Kind, State, Whom
from village_hub.notices.port import About, Delay, Event, Notice, To


@pytest.fixture
async def told(hub: Hub, gateway: GatewaySimulator) -> Told:
    return await Told.make(hub, gateway)


async def test_listed_is_delivered_and_acknowledged_is_seen(told: Told) -> None:
    """PRM-23: queued, delivered, seen."""
    name = await told.tell(Kind.GRANT_STOPPED)
    assert (await told.row(name)).progress.state is State.QUEUED
    [shown] = await told.listed(query="?language=en")
    assert shown["text"] == "西村派出所李警官 can no longer see your cameras."
    assert (shown["id"], shown["state"], shown["seen"]) == (name, "delivered", None)
    path = f"/api/v1/me/notices/{name}/seen"
    assert (await told.hub.ask("POST", path, headers=told.viewer.headers)).status == 204
    assert (await told.listed())[0]["state"] == "seen"


async def test_somebody_elses_notice_is_not_there(told: Told) -> None:
    name = await told.tell(Kind.GRANT_STOPPED)
    _, stranger = await told.hub.owner("Fang")
    assert await told.listed(stranger) == []
    path = f"/api/v1/me/notices/{name}/seen"
    assert (await told.hub.ask("POST", path, headers=stranger.headers)).status == 404
    assert (await told.row(name)).progress.seen is None


async def test_a_delayed_notice_appears_by_itself_when_its_delay_is_over(told: Told) -> None:
    """PRM-10."""
    now = told.hub.clock.utc_ms()
    delay = Delay(now + DAY, "would impede duty", "chief")
    event = Event(Kind.CLIP_TAKEN, About("request", "r1"), now, SAID, delay)
    notice = Notice(event, Whom.OWNER, To.owners(told.home))
    [name] = await told.hub.app[keys.CATALOGUE].write(port.tell, notice)
    assert await told.listed() == []
    path = f"/api/v1/me/notices/{name}/seen"
    assert (await told.hub.ask("POST", path, headers=told.viewer.headers)).status == 404
    told.hub.clock.turn(DAY / 1000 - 1)
    assert await told.listed() == []
    assert told.gateway.letters == []
    told.hub.clock.turn(1)
    [shown] = await told.listed()
    assert shown["delayed"]
    assert (shown["at"], shown["released"]) == (now, now + DAY)
    assert "impede" not in str(shown), "the ground is the auditor's to read"


async def test_lists_come_in_pages(told: Told) -> None:
    names = [await told.tell(Kind.GRANT_STOPPED) for _ in range(5)]
    seen: list[str] = []
    query = "?limit=2"
    while query:
        response = await told.hub.ask(
            "GET", f"/api/v1/me/notices{query}", headers=told.viewer.headers
        )
        page = await response.json()
        seen += [one["id"] for one in page["items"]]
        query = f"?limit=2&after={page['next']}" if page["next"] else ""
    assert seen == sorted(names, reverse=True)


@pytest.mark.parametrize("after", ["x", ".x", "1", f"{'9' * 30}.x"])
async def test_a_wrong_place_in_the_list_is_said(told: Told, after: str) -> None:
    path = f"/api/v1/me/notices?after={after}"
    response = await told.hub.ask("GET", path, headers=told.viewer.headers)
    assert response.status == 400


async def test_my_phone_is_set_read_and_forgotten(told: Told) -> None:
    hub, headers = told.hub, told.viewer.headers
    body = {"phone": "139 0013 9000", "channels": ["voice"], "language": "en"}
    response = await hub.ask("PUT", "/api/v1/me/contact", json=body, headers=headers)
    assert response.status == 204, await response.text()
    found = await (await hub.ask("GET", "/api/v1/me/contact", headers=headers)).json()
    assert found == {
        "phone": "+8613900139000",
        "channels": ["voice"],
        "language": "en",
    }
    assert (await hub.ask("DELETE", "/api/v1/me/contact", headers=headers)).status == 204
    assert (await hub.ask("GET", "/api/v1/me/contact", headers=headers)).status == 404


async def test_whose_phone_was_changed_by_whom_is_in_the_log_and_no_number(told: Told) -> None:
    """AUD-1: whoever changes where notices go might hide a look by it."""
    hub, headers = told.hub, told.viewer.headers
    body = {"phone": "13900139000", "channels": [], "language": "en"}
    await hub.ask("PUT", "/api/v1/me/contact", json=body, headers=headers)
    await hub.ask("DELETE", "/api/v1/me/contact", headers=headers)
    entries = [each for each in await written(hub) if each.action.startswith("contact.")]
    assert [each.action for each in entries] == ["contact.set", "contact.end"]
    assert [each.who.id for each in entries if each.who] == [told.owner, told.owner]
    assert all("13900139000" not in each.model_dump_json() for each in entries)


async def test_whoever_is_removed_has_no_phone_here_any_more(told: Told) -> None:
    catalogue = told.hub.app[keys.CATALOGUE]
    await catalogue.write(people.remove_person, told.owner, told.hub.clock.utc_ms())
    assert await catalogue.read(notices.contact, told.owner) is None


@pytest.mark.parametrize(
    "body",
    [
        {"phone": "12345"},
        {"phone": PHONE, "channels": ["voice", "voice"]},
        {"phone": PHONE, "channels": ["slip"]},
        {"phone": PHONE, "person": "somebody else"},
    ],
)
async def test_a_phone_that_makes_no_sense_is_refused(told: Told, body: dict[str, object]) -> None:
    response = await told.hub.ask(
        "PUT", "/api/v1/me/contact", json=body, headers=told.viewer.headers
    )
    assert response.status == 422
    found = await told.hub.ask("GET", "/api/v1/me/contact", headers=told.viewer.headers)
    assert (await found.json())["phone"] == PHONE
