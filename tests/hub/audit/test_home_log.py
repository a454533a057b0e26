"""POST /api/v1/node/log: what a home wrote down itself comes into its household's log (AUD-2)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from home_agent.boxclock import BoxClock
from home_agent.journal import Event, Journal
from home_agent.parent import Enrolment, Parent
from home_agent.state import State
from tests.hub.audit.books import written
from tests.hub.people import Viewer
from tests.hub.support import Agent, Hub, camera_note
from tests.support.home_lines import chained, ended
from village_core.ids import new_id
from village_core.line import ParentError
from village_core.messages import MOST_LINES, LogBatch, LogLine
from village_core.permits import Action, CameraClass, PermitNote, Purpose, Quality, Role
from village_hub import keys
from village_hub.access.facts import Said, Subject
from village_hub.access.identity import PersonCaller
from village_hub.audit import home_log
from village_hub.catalogue import cameras
from village_hub.catalogue import home_log as rows

pytestmark = pytest.mark.both_databases


@dataclass
class Home:
    """A household, its box's real log and the box's real way to the hub."""

    hub: Hub
    household: str
    owner: Viewer
    agent: Agent
    camera: str
    journal: Journal
    parent: Parent

    def note(self, **more: Any) -> PermitNote:
        said = {
            "id": new_id(),
            "subject": self.owner.person,
            "issuer": self.hub.id,
            "via": self.hub.id,
            "camera": self.camera,
            "quality": Quality.SUB,
            "action": Action.LIVE,
            "purpose": Purpose.OWN_VIEW,
            "basis": "O",
            "until": self.hub.clock.utc_ms() + 90_000,
            "outside": False,
            "name": "Fang",
        }
        return PermitNote.model_validate({**said, **more})

    def of_committee(self, **more: Any) -> PermitNote:
        said = {
            "subject": "li",
            "name": "Li",
            "unit": "u",
            "unit_name": "Committee",
            "roles": (Role.COMMITTEE,),
            "purpose": Purpose.GUARD_HOME,
            "basis": "C",
            "outside": True,
        }
        return self.note(**{**said, **more})

    async def tell(self, *lines: LogLine) -> int:
        """All that the box has, or these. Raises ParentError."""
        said = list(lines) or await asyncio.to_thread(self.journal.after, 0, MOST_LINES)
        return (await self.parent.tell_log(LogBatch(lines=tuple(said)))).last

    async def log(self) -> list[dict[str, Any]]:
        english = {**self.owner.headers, "Accept-Language": "en"}
        response = await self.hub.ask("GET", "/api/v1/me/log", headers=english)
        self.hub.client.session.cookie_jar.clear()
        assert response.status == 200, await response.text()
        found: list[dict[str, Any]] = (await response.json())["items"]
        return found

    async def anomalies(self) -> list[dict[str, Any]]:
        auditor = await self.hub.staff(Role.AUDITOR)
        response = await self.hub.ask("GET", "/api/v1/audit/anomalies", headers=auditor.headers)
        self.hub.client.session.cookie_jar.clear()
        found = (await response.json())["items"]
        return [each for each in found if each["kind"].startswith("home_")]

    async def kept(self) -> int:
        return await self.hub.app[keys.CATALOGUE].read(rows.received_since, self.agent.id, 0)


@pytest.fixture
async def home(hub: Hub, tmp_path: Path) -> AsyncIterator[Home]:
    household, owner = await hub.owner()
    agent = await hub.enrolled(household)
    camera = camera_note(camera_class=CameraClass.H_OUT, name="Gate")
    assert await hub.tell(agent, camera) == 204
    clock = BoxClock(hub.clock)
    state = await asyncio.to_thread(State.open, tmp_path / "box")
    journal = await asyncio.to_thread(Journal, state, clock)
    enrolment = Enrolment(
        url=hub.origin,
        hub=hub.id,
        hub_name="West Village",
        hub_key=hub.app[keys.NODE].key.public.text,
        agent=agent.id,
        household=household,
        household_name="Fang",
        node=agent.node_key.public.fingerprint,
    )
    parent = Parent(enrolment, hub.origin, agent.node_key, clock)
    await parent.line.vouch()
    yield Home(hub, household, owner, agent, camera.id, journal, parent)
    await parent.close()


async def test_the_households_own_view_that_the_hub_could_not_write_is_in_its_log(
    home: Home,
) -> None:
    """AUD-2, AUD-4: with its end, its times by the box's clock, and where it was written."""
    note = home.note()
    await home.journal.write(Event("push", note))
    home.hub.clock.turn(420)
    await home.journal.write(Event("ended", ref=note.id, why="its time is over"))
    began = home.hub.clock.utc_ms() - 420_000
    home.hub.clock.turn(3600)
    assert await home.tell() == 2
    (line,) = await home.log()
    assert (line["at"], line["until"], line["seconds"]) == (began, began + 420_000, 420)
    assert (line["camera_name"], line["ended"], line["late"]) == ("Gate", "expired", True)
    assert "Fang watched Gate" in line["text"]
    assert "as your own box wrote it down" in line["text"]
    assert await home.anomalies() == []


async def test_a_batch_told_twice_is_taken_in_once(home: Home) -> None:
    """The answer was lost; then more are told with it."""
    await home.journal.write(Event("push", home.note()))
    await home.journal.write(Event("sos", ref="s", why="button"))
    assert await home.tell() == 2
    assert await home.tell() == 2
    await home.journal.write(Event("still", home.note(action=Action.STILL)))
    assert await home.tell() == 3
    assert await home.kept() == 3
    assert sorted(each["action"] for each in await home.log()) == ["live", "sos_at_home", "still"]
    assert await home.anomalies() == []


async def test_two_tellings_at_once_are_taken_in_once(home: Home) -> None:
    await home.journal.write(Event("push", home.note()))
    told = await asyncio.gather(home.tell(), home.tell(), return_exceptions=True)
    assert 1 in told
    assert await home.tell() == 1
    assert await home.kept() == 1
    assert len(await home.log()) == 1


async def test_what_the_hub_decided_on_is_one_line_as_before(home: Home) -> None:
    """The same permit through the real guard: the hub's own entry says it, the home's adds none."""
    row = await home.hub.app[keys.CATALOGUE].read(cameras.find, home.camera)
    assert row is not None
    caller = PersonCaller(Subject(home.hub.id, home.owner.person, name="Fang"), "s")
    permit = await home.hub.app[keys.GUARD].permit(
        caller, row, Quality.SUB, Action.LIVE, Said(Purpose.OWN_VIEW)
    )
    await home.hub.app[keys.VIEWS].started(permit, row)
    note = home.note(id=permit.id)
    await home.journal.write(Event("push", note))
    await home.journal.write(Event("push", note))  # it went on at another quality
    await home.journal.write(Event("ended", ref=permit.id))
    await home.tell()
    (line,) = await home.log()
    assert (line["late"], line["until"]) == (False, None)
    assert await home.anomalies() == []


async def test_a_look_that_nobody_decided_on_is_told_to_household_and_auditor(home: Home) -> None:
    """Whoever holds the hub's keys made a permit by hand: the home wrote it down."""
    note = home.of_committee(reason="just looking")
    await home.journal.write(Event("push", note))
    await home.tell()
    (line,) = await home.log()
    assert (line["who"]["name"], line["who"]["unit_name"]) == ("Li", "Committee")
    assert "just looking" in line["text"]
    (odd,) = await home.anomalies()
    assert (odd["kind"], odd["who"]["id"], odd["camera"]) == (
        "home_look_unknown",
        "li",
        home.camera,
    )


async def test_a_permit_that_was_used_for_another_person_is_told(home: Home) -> None:
    """The id is one that the hub decided on; what it was used for is not."""
    row = await home.hub.app[keys.CATALOGUE].read(cameras.find, home.camera)
    assert row is not None
    caller = PersonCaller(Subject(home.hub.id, home.owner.person, name="Fang"), "s")
    permit = await home.hub.app[keys.GUARD].permit(
        caller, row, Quality.SUB, Action.LIVE, Said(Purpose.OWN_VIEW)
    )
    await home.journal.write(Event("push", home.of_committee(id=permit.id)))
    await home.tell()
    assert [each["kind"] for each in await home.anomalies()] == ["home_look_unknown"]
    (entry,) = [each for each in await written(home.hub, "system") if each.household]
    assert entry.about["why"] == "differs"


async def test_an_sos_pressed_at_home_is_in_the_log(home: Home) -> None:
    await home.journal.write(Event("sos", ref=new_id(), why="button"))
    await home.tell()
    (line,) = await home.log()
    assert line["text"].startswith("An SOS was pressed at home")


async def test_lines_that_never_came_are_named_to_household_and_auditor(home: Home) -> None:
    lines = ended(9)
    await home.tell(*lines[:2])
    assert await home.tell(*lines[5:]) == 9
    (line,) = await home.log()
    assert "lines 3 to 5 of your own box's log never came" in line["text"]
    (odd,) = await home.anomalies()
    assert (odd["kind"], odd["count"]) == ("home_log_gap", 3)
    assert await home.kept() == 6


async def test_a_line_that_was_changed_at_home_is_noticed_once(home: Home) -> None:
    lines = ended(4)
    lines[2] = lines[2].model_copy(update={"why": "nothing happened"})
    await home.tell(*lines)
    await home.tell(*lines)
    (odd,) = await home.anomalies()
    assert odd["kind"] == "home_log_broken"
    (entry,) = await written(home.hub, "system")
    assert (entry.about["first"], entry.about["node"]) == (3, home.agent.id)


async def test_a_log_that_was_rewritten_is_noticed_and_what_it_says_is_kept(home: Home) -> None:
    """Every hash made anew: only what was told before gives it away."""
    await home.tell(*ended(2))
    note = home.note()
    anew = chained({"event": "push", "permit": note}, {"event": "ended", "ref": note.id})
    anew = [line.model_copy(update={"at": home.hub.clock.utc_ms()}) for line in anew]
    await home.tell(*anew)
    assert "home_log_rewritten" in [each["kind"] for each in await home.anomalies()]
    looks = [each for each in await home.log() if each["action"] == "live"]
    assert len(looks) == 1


async def test_a_box_speaks_for_its_own_household_only(home: Home) -> None:
    """A camera of the neighbours' is not named in their log, nor in this one."""
    other, neighbour = await home.hub.owner("Zhao")
    theirs, _ = await home.hub.push_camera(other)
    await home.journal.write(Event("push", home.of_committee(camera=theirs)))
    await home.tell()
    assert await replace(home, owner=neighbour).log() == []
    (line,) = await home.log()
    assert (line["camera"], line["camera_name"]) == ("", "")


async def test_a_box_whose_clock_is_wrong_is_written_down_now(home: Home) -> None:
    for at in (0, home.hub.clock.utc_ms() + 3_600_000):
        await home.tell(*chained({"event": "sos", "ref": "s", "at": at}))
    times = {each["at"] for each in await home.log() if each["action"] == "sos_at_home"}
    assert times == {home.hub.clock.utc_ms()}


async def test_what_looks_like_a_secret_does_not_come_in(home: Home) -> None:
    """AUD-9: the box's texts are cleaned like everybody's."""
    note = home.note(reason="rtsp://admin:geheim@192.168.1.9/1", name="\u0000Fang\n")
    await home.tell(*chained({"event": "push", "permit": note}))
    (entry,) = await written(home.hub, "view_start")
    assert "geheim" not in entry.model_dump_json()
    assert entry.who is not None
    assert entry.who.name == "Fang"


async def test_too_many_lines_a_day_are_refused_and_none_is_kept(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home_log, "MOST_A_DAY", 5)
    lines = ended(9)
    await home.tell(*lines[:4])
    with pytest.raises(ParentError, match="too many lines") as refused:
        await home.tell(*lines[4:])
    assert (refused.value.status, await home.kept()) == (429, 4)
    home.hub.clock.turn(24 * 3600 + 1)
    assert await home.tell(*lines[4:9]) == 9


async def test_that_old_lines_were_told_is_forgotten_but_for_the_last(home: Home) -> None:
    lines = ended(5)
    await home.tell(*lines[:3])
    home.hub.clock.turn(home_log.KEPT // 1000 + 1)
    await home.tell(lines[3])
    await home.tell(lines[4])
    assert await home.kept() == 2
    assert await home.anomalies() == []


@pytest.mark.parametrize(
    "body",
    [
        {"lines": []},
        {"lines": [{"number": 0, "at": 1, "event": "sos", "hash": "0" * 64}]},
        {"lines": [{"number": 1, "at": 1, "event": "sos", "hash": "x"}]},
        {"lines": [{"number": 1, "at": 1, "event": "party", "hash": "0" * 64}]},
    ],
)
async def test_what_is_no_batch_is_refused(home: Home, body: Any) -> None:
    headers = home.hub.node_token(home.agent)
    answer = await home.hub.ask("POST", "/api/v1/node/log", json=body, headers=headers)
    assert answer.status == 422
    assert await home.kept() == 0


async def test_only_a_box_tells_a_log(home: Home) -> None:
    for headers in ({}, home.owner.headers):
        answer = await home.hub.ask("POST", "/api/v1/node/log", json={}, headers=headers)
        assert answer.status == 401


async def test_entries_of_a_home_say_so(home: Home) -> None:
    """What stands in the hub's chain names the line and its hash at home."""
    (line,) = chained({"event": "sos", "ref": "s", "why": "button"})
    await home.tell(line)
    entry = next(each for each in await written(home.hub, "act") if each.action == "sos_at_home")
    assert entry.about == {"home_line": 1, "home_hash": line.hash, "how": "button"}
