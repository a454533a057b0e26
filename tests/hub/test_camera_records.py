"""What is on record of a camera: who proposes, who approves, what is refused (CAM-9, CAM-10)."""

from typing import Any

import pytest

from tests.hub.support import Agent, Hub, Viewer, camera_note
from village_core.permits import CameraClass, Role
from village_hub import keys
from village_hub.access.facts import Permit
from village_hub.catalogue import camera_records
from village_hub.catalogue.models import Household

PICTURE = "ab" * 32
PLACE = "110101001"


def wish(**more: Any) -> dict[str, Any]:
    return {
        "version": 0,
        "camera_class": "H-OUT",
        "place": "yard",
        "purpose": "看住院子里的鸡",
        "installer": "王师傅",
        "sign_placed": True,
        "mask_needed": False,
        **more,
    }


def lane(**more: Any) -> dict[str, Any]:
    said = {"camera_class": "P9", "place": "lane", "duty": "村道治安", "reason": "新装"}
    return wish(purpose="村口夜间有车撞桥", **said, **more)


async def home(hub: Hub, camera_class: CameraClass = CameraClass.H_OUT) -> tuple[Agent, str]:
    """A household's agent and its one camera, as the agent tells of it."""
    household = await hub.household()
    agent = await hub.enrolled(household)
    note = camera_note(camera_class=camera_class)
    assert await hub.tell(agent, note) == 204
    return agent, note.id


async def a_units(hub: Hub, household: str, unit: str) -> None:
    def make(session: Any) -> None:
        row = session.get_one(Household, household)
        row.unit_id, row.place = unit, PLACE + "201"

    await hub.app[keys.CATALOGUE].write(make)


async def put(hub: Hub, who: Viewer, camera: str, body: dict[str, Any]) -> tuple[int, Any]:
    answer = await hub.ask(
        "PUT", f"/api/v1/cameras/{camera}/record", json=body, headers=who.headers
    )
    return answer.status, await answer.json()


async def approve(hub: Hub, who: Viewer, camera: str, version: int, **more: Any) -> tuple[int, Any]:
    answer = await hub.ask(
        "POST",
        f"/api/v1/cameras/{camera}/record/approval",
        json={"version": version, "picture_sha256": PICTURE, **more},
        headers=who.headers,
    )
    return answer.status, await answer.json()


async def test_an_owner_records_and_approves_their_own_camera(hub: Hub) -> None:
    agent, camera = await home(hub)
    owner = await hub.sign_in(await hub.person(agent.household))
    status, shown = await put(hub, owner, camera, wish())
    assert (status, shown["version"], shown["withheld"]) == (200, 1, "unrecorded")
    status, shown = await approve(hub, owner, camera, 1)
    assert (status, shown["withheld"], shown["approved_by"]) == (200, None, owner.person)
    answer = await hub.ask("GET", f"/api/v1/cameras/{camera}/record", headers=owner.headers)
    assert await answer.json() == shown


async def test_what_changed_is_approved_anew(hub: Hub) -> None:
    agent, camera = await home(hub)
    owner = await hub.sign_in(await hub.person(agent.household))
    await put(hub, owner, camera, wish())
    await approve(hub, owner, camera, 1)
    status, shown = await put(hub, owner, camera, wish(version=2, mask_needed=True))
    assert (status, shown["withheld"], shown["approved"]) == (200, "unrecorded", None)
    status, shown = await approve(hub, owner, camera, 3)
    assert shown["withheld"] == "mask"


async def test_an_engineer_proposes_and_the_owner_approves(hub: Hub) -> None:
    """Matrix: ✎ with the owner present, no image."""
    agent, camera = await home(hub)
    await a_place(hub, agent.household)
    engineer = await hub.staff(Role.ENGINEER, place=PLACE)
    owner = await hub.sign_in(await hub.person(agent.household))
    assert (await put(hub, engineer, camera, wish()))[1]["code"] == "no_reason"
    status, shown = await put(hub, engineer, camera, wish(reason="work order 7"))
    assert (status, shown["proposed_by"]) == (200, engineer.person)
    status, refused = await approve(hub, engineer, camera, 1, reason="work order 7")
    assert (status, refused["code"]) == (403, "second")
    assert (await approve(hub, owner, camera, 1))[0] == 200
    picture = await hub.ask("GET", f"/api/v1/cameras/{camera}/still", headers=engineer.headers)
    assert (picture.status, (await picture.json())["code"]) == (403, "no_media")


async def a_place(hub: Hub, household: str) -> None:
    def make(session: Any) -> None:
        session.get_one(Household, household).place = PLACE + "201"

    await hub.app[keys.CATALOGUE].write(make)


async def test_a_lanes_camera_needs_two_of_its_unit_on_duty(hub: Hub) -> None:
    agent, camera = await home(hub, CameraClass.P9)
    unit = await hub.unit("committee", PLACE)
    await a_units(hub, agent.household, unit)
    clerk = await hub.staff(Role.COMMITTEE, unit=unit, name="Clerk")
    other = await hub.staff(Role.COMMITTEE, unit=unit, name="Other")
    assert (await put(hub, clerk, camera, lane()))[1]["code"] == "no_shift"
    await hub.shift(clerk)
    await hub.shift(other)
    assert (await put(hub, clerk, camera, lane()))[0] == 200
    assert (await approve(hub, clerk, camera, 1, reason="x"))[1]["code"] == "second"
    status, shown = await approve(hub, other, camera, 1, reason="looked at it")
    assert (status, shown["withheld"]) == (200, None)


async def test_who_proposes_just_before_they_approve_is_no_second_person(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """IDN-16: two calls of one person that race; the version to come is easily guessed."""
    agent, camera = await home(hub, CameraClass.P9)
    unit = await hub.unit("committee", PLACE)
    await a_units(hub, agent.household, unit)
    clerk = await hub.staff(Role.COMMITTEE, unit=unit, name="Clerk")
    other = await hub.staff(Role.COMMITTEE, unit=unit, name="Other")
    await hub.shift(clerk)
    await hub.shift(other)
    assert (await put(hub, clerk, camera, lane()))[0] == 200
    guard, permit = hub.app[keys.GUARD], hub.app[keys.GUARD].permit

    async def overtaken(*asked: Any) -> Permit:
        monkeypatch.setattr(guard, "permit", permit)
        given = await permit(*asked)
        assert (await put(hub, other, camera, lane(version=1)))[0] == 200
        return given

    monkeypatch.setattr(guard, "permit", overtaken)
    assert (await approve(hub, other, camera, 2, reason="mine"))[1]["code"] == "changed"
    monkeypatch.setattr(guard, "permit", permit)
    record = await hub.app[keys.CATALOGUE].read(camera_records.find, camera)
    assert record is not None
    assert record.approved is None


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (lane(), "class_reserved"),
        (lane() | {"camera_class": "P7", "place": "bridge"}, "class_reserved"),
        (wish(place="toilet"), "place_forbidden"),
        (wish(place="room"), "class_place"),
        (wish(purpose="for safety"), "vague_purpose"),
        (wish(mask=[[[0, 0], [1, 1]]]), "bad_mask"),
    ],
)
async def test_what_may_not_be_is_refused_and_nothing_is_written(
    hub: Hub, body: dict[str, Any], code: str
) -> None:
    """CAM-10: by a natural person, with the article."""
    agent, camera = await home(hub)
    owner = await hub.sign_in(await hub.person(agent.household))
    status, refused = await put(hub, owner, camera, body)
    assert (status, refused["code"]) == (422, code)
    assert code != "class_reserved" or "7(3)" in refused["detail"]
    assert await hub.app[keys.CATALOGUE].read(camera_records.find, camera) is None


async def test_of_two_who_edit_at_once_one_is_told(hub: Hub) -> None:
    """No lost update."""
    agent, camera = await home(hub)
    owner = await hub.sign_in(await hub.person(agent.household))
    assert (await put(hub, owner, camera, wish()))[0] == 200
    assert (await put(hub, owner, camera, wish(purpose="看住后院的狗")))[1]["code"] == "changed"
    assert (await approve(hub, owner, camera, 7))[1]["code"] == "changed"


async def test_nobody_else_reads_or_writes_it(hub: Hub) -> None:
    agent, camera = await home(hub)
    owner = await hub.sign_in(await hub.person(agent.household))
    await put(hub, owner, camera, wish())
    _, stranger = await hub.owner("Li")
    for viewer in (stranger, await hub.staff(Role.STATION_OFFICER), await hub.staff(Role.AUDITOR)):
        answer = await hub.ask("GET", f"/api/v1/cameras/{camera}/record", headers=viewer.headers)
        assert answer.status == 404
        assert (await put(hub, viewer, camera, wish(version=1)))[0] == 404
        assert (await approve(hub, viewer, camera, 1))[0] == 404


async def test_a_box_that_calls_it_something_else_shares_nothing(hub: Hub) -> None:
    """The hub's record and the agent's own settings have to agree."""
    agent, camera = await home(hub, CameraClass.H_IN)
    owner = await hub.sign_in(await hub.person(agent.household))
    await put(hub, owner, camera, wish())
    assert (await approve(hub, owner, camera, 1))[1]["withheld"] == "unrecorded"
    await hub.tell(agent, camera_note(camera, camera_class=CameraClass.H_OUT))
    answer = await hub.ask("GET", f"/api/v1/cameras/{camera}/record", headers=owner.headers)
    assert (await answer.json())["withheld"] is None


async def test_who_knows_of_which_cameras(hub: Hub) -> None:
    """PRM-2: standing higher up shows nobody a home; who keeps it running knows that it is there;
    a lane is known to its unit on duty."""
    agent, yard = await home(hub)
    await a_place(hub, agent.household)
    owner = await hub.sign_in(await hub.person(agent.household))
    public, corner = await home(hub, CameraClass.P9)
    unit = await hub.unit("committee", PLACE)
    await a_units(hub, public.household, unit)
    clerk = await hub.staff(Role.COMMITTEE, unit=unit, place=PLACE)
    other = await hub.staff(Role.COMMITTEE, unit=unit, name="Other")
    for viewer in (clerk, other):
        await hub.shift(viewer)
    await put(hub, clerk, corner, lane())
    await approve(hub, other, corner, 1, reason="looked at it")

    async def listed(viewer: Viewer) -> set[str]:
        answer = await hub.ask("GET", "/api/v1/cameras", headers=viewer.headers)
        return {camera["id"] for camera in (await answer.json())["cameras"]}

    assert await listed(owner) == {yard}
    assert await listed(clerk) == {yard, corner}  # of the yard: online or not, nothing else
    assert await listed(await hub.staff(Role.ENGINEER, place=PLACE)) == {yard, corner}
    assert await listed(await hub.staff(Role.ENGINEER, place="330101")) == set()
    for role in (Role.BUREAU_OFFICER, Role.STATION_OFFICER, Role.TOWNSHIP, Role.AUDITOR):
        assert await listed(await hub.staff(role, place="110101")) == set(), role
    assert await listed((await hub.owner("Li"))[1]) == set()
