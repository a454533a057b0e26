"""Delays over the API: the auditor sees each at once, and nobody else does (PRM-10, AUD-5)."""

import pytest

from tests.hub.notices.told import SAID, Told
from tests.hub.support import Hub, Viewer
from tests.support.gateway import GatewaySimulator
from village_core.permits import Role
from village_hub import keys
from village_hub.notices import port
from village_hub.notices.due import DAY
from village_hub.notices.kinds import Kind, Whom
from village_hub.notices.port import AUDITORS, About, Delay, Event, Notice, To

PATH = "/api/v1/audit/delayed-notices"


@pytest.fixture
async def told(hub: Hub, gateway: GatewaySimulator) -> Told:
    return await Told.make(hub, gateway)


async def delay(told: Told, case: str = "r1") -> None:
    """What a part that delays does: hold the household's notice back, tell the auditor."""
    now = told.hub.clock.utc_ms()
    held = Delay(now + 3 * DAY, "would impede duty", "chief")
    event = Event(Kind.CLIP_TAKEN, About("request", case), now, SAID, held)
    also = Event(Kind.DELAY_GRANTED, About("request", case), now, SAID)
    write = told.hub.app[keys.CATALOGUE].write
    await write(port.tell, Notice(event, Whom.OWNER, To.owners(told.home)))
    await write(port.tell, Notice(also, Whom.AUDITOR, AUDITORS))


async def status(told: Told, viewer: Viewer) -> int:
    return (await told.hub.ask("GET", PATH, headers=viewer.headers)).status


async def test_the_auditor_sees_a_delay_at_once_with_its_ground(told: Told) -> None:
    await delay(told)
    auditor = await told.hub.staff(Role.AUDITOR)
    response = await told.hub.ask("GET", PATH, headers=auditor.headers)
    assert response.status == 200
    [found] = (await response.json())["items"]
    assert (found["ground"], found["approver"]) == ("would impede duty", "chief")
    assert found["release_at"] - found["at"] == 3 * DAY
    assert found["household"] == told.home
    assert "answer" not in found
    assert [one["kind"] for one in await told.listed(auditor)] == ["delay_granted"]


@pytest.mark.parametrize(
    "role", [Role.COMMITTEE, Role.STATION_OFFICER, Role.BUREAU_OFFICER, Role.ADMIN, Role.ENGINEER]
)
async def test_nobody_else_sees_delays(told: Told, role: Role) -> None:
    viewer = await told.hub.staff(role)
    assert await status(told, viewer) == 403
    assert await told.listed(viewer) == []


async def test_the_household_learns_of_no_delay_before_its_end(told: Told) -> None:
    await delay(told)
    assert await status(told, told.viewer) == 403
    assert await told.listed() == []


async def test_delays_come_in_pages(told: Told) -> None:
    for case in ("a", "b", "c"):
        await delay(told, case)
    auditor = await told.hub.staff(Role.AUDITOR)
    seen: list[str] = []
    after = ""
    while True:
        path = f"{PATH}?limit=2{after}"
        page = await (await told.hub.ask("GET", path, headers=auditor.headers)).json()
        seen += [one["about"]["id"] for one in page["items"]]
        if not page["next"]:
            break
        after = f"&after={page['next']}"
    assert seen == ["c", "b", "a"]


async def test_a_unit_on_duty_reads_what_its_unit_is_told(told: Told) -> None:
    officer = await told.hub.staff(Role.STATION_OFFICER)
    await told.tell(Kind.OBJECTION_FILED, Whom.MEDIATOR, To.duty(officer.unit))
    assert [one["kind"] for one in await told.listed(officer)] == ["objection_filed"]
    other = await told.hub.staff(Role.STATION_OFFICER)
    assert await told.listed(other) == []
