"""The matrix with real sessions and tokens: every role tries every action that exists on every
class of camera, over HTTP (PRM-1, PRM-2, PRM-11). The pure table: tests/hub/access."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.hub.support import OFFER, SDP, Hub, Viewer, bearer, camera_note
from village_core.permits import CameraClass, Role
from village_hub import keys
from village_hub.access.classes import Place
from village_hub.catalogue import camera_records
from village_hub.catalogue.camera_records import RecordRow
from village_hub.catalogue.models import Household

PLACE = "110101001"
WHERE = {
    CameraClass.H_IN: Place.ROOM,
    CameraClass.H_OUT: Place.YARD,
    CameraClass.P9: Place.LANE,
    CameraClass.P7: Place.BRIDGE,
}
PUBLIC_DUTY = (Role.COMMITTEE, Role.TOWNSHIP, Role.STATION_OFFICER, Role.BUREAU_OFFICER)
REASON = {"purpose": "public_security", "reason": "a van in the lane"}


@dataclass
class World:
    """A village with one camera of each class, all on record and approved, and its people."""

    hub: Hub
    cameras: dict[CameraClass, str]
    people: dict[str, Viewer]


async def world(hub: Hub) -> World:
    home, site = await hub.household("Wang"), await hub.household("Committee")
    unit = await hub.unit("committee", PLACE)
    await _place(hub, home, None)
    await _place(hub, site, unit)
    cameras = {}
    for household, classes in (
        (home, (CameraClass.H_IN, CameraClass.H_OUT)),
        (site, (CameraClass.P9, CameraClass.P7)),
    ):
        agent = await hub.enrolled(household)
        notes = [camera_note(camera_class=each) for each in classes]
        assert await hub.tell(agent, *notes) == 204
        for note in notes:
            cameras[note.camera_class] = note.id
            await _on_record(hub, note.id, note.camera_class)
    people = {
        "owner": await hub.sign_in(await hub.person(home)),
        "member": await hub.sign_in(await hub.member(home, adult=True)),
        "neighbour": (await hub.owner("Li"))[1],
    }
    for role in Role:
        given = unit if role is Role.COMMITTEE else None
        people[role.value] = await hub.staff(role, unit=given, place=PLACE, name=role.value)
        await hub.shift(people[role.value])
    return World(hub, cameras, people)


async def _place(hub: Hub, household: str, unit: str | None) -> None:
    def write(session: Any) -> None:
        row = session.get_one(Household, household)
        row.place, row.unit_id = PLACE + "201", unit

    await hub.app[keys.CATALOGUE].write(write)


async def _on_record(hub: Hub, camera: str, camera_class: CameraClass) -> None:
    record = RecordRow(
        camera=camera,
        camera_class=camera_class,
        place=WHERE[camera_class],
        purpose="what it is for",
        installer="somebody",
        duty="the unit's duty",
        sign_placed=True,
        mask_needed=False,
        mask=(),
        proposed_by="a test",
        proposed=hub.clock.utc_ms(),
        picture_sha256=None,
        approved_by=None,
        approved=None,
        objection=None,
        version=0,
    )
    write, now = hub.app[keys.CATALOGUE].write, hub.clock.utc_ms()
    await write(camera_records.put, record)
    await write(camera_records.approve, camera, 1, "ab" * 32, "another", now)


async def live(there: World, who: Viewer, camera: str, said: dict[str, str]) -> tuple[int, str]:
    """The media token, then the WHEP POST that the decision is made for."""
    ask = there.hub.ask
    path = f"/api/v1/cameras/{camera}/media-token"
    token = await ask("POST", path, json=said, headers=who.headers)
    if token.status != 200:
        return token.status, (await token.json())["code"]
    headers = {**bearer((await token.json())["token"]), "Content-Type": SDP}
    answer = await ask("POST", f"/whep/{camera}", data=OFFER, headers=headers)
    return answer.status, "" if answer.status == 201 else (await answer.json())["code"]


async def still(there: World, who: Viewer, camera: str, said: dict[str, str]) -> tuple[int, str]:
    path = f"/api/v1/cameras/{camera}/still"
    answer = await there.hub.ask("GET", path, params=said, headers=who.headers)
    return answer.status, "" if answer.status == 200 else (await answer.json())["code"]


async def known(there: World, who: Viewer) -> set[CameraClass]:
    answer = await there.hub.ask("GET", "/api/v1/cameras", headers=who.headers)
    ids = {each["id"] for each in (await answer.json())["cameras"]}
    return {name for name, camera in there.cameras.items() if camera in ids}


def expected(name: str, camera_class: CameraClass) -> bool:
    """Who sees what without any grant, SOS or request: the household its own, duty the public."""
    if camera_class.public:
        return name in {role.value for role in PUBLIC_DUTY}
    return name == "owner"


def every(there: World) -> Iterator[tuple[str, Viewer, CameraClass, str]]:
    for name, who in there.people.items():
        for camera_class, camera in there.cameras.items():
            yield name, who, camera_class, camera


async def test_who_sees_what_without_a_grant(hub: Hub) -> None:
    there = await world(hub)
    for name, who, camera_class, camera in every(there):
        said = REASON if name in {role.value for role in Role} else {"purpose": "own_view"}
        for look in (live, still):
            status, code = await look(there, who, camera, said)
            seen = status in (200, 201)
            assert seen is expected(name, camera_class), (name, camera_class, look, status, code)
            assert seen or code in {"no_such_camera", "no_media", "no_basis", "class", "scope"}


async def test_who_knows_of_what(hub: Hub) -> None:
    there = await world(hub)
    homes, lanes = {CameraClass.H_IN, CameraClass.H_OUT}, {CameraClass.P9, CameraClass.P7}
    knowing = {
        "owner": homes,
        "member": homes,
        "neighbour": set(),
        "carer": set(),
        "auditor": set(),
        "committee": homes | lanes,  # of homes: online or not
        "engineer": homes | lanes,
        "admin": homes | lanes,
        "township": lanes,
        "station_officer": lanes,
        "bureau_officer": lanes,
    }
    for name, who in there.people.items():
        assert await known(there, who) == knowing[name], name


async def test_what_duty_rests_on(hub: Hub) -> None:
    """D: a reason, a purpose of the list, an open shift, the unit's own place."""
    there = await world(hub)
    lane, clerk = there.cameras[CameraClass.P9], there.people["committee"]
    assert await live(there, clerk, lane, {"purpose": "parking", "reason": "x"}) == (403, "purpose")
    silent = await live(there, clerk, lane, {"purpose": "public_security", "reason": " "})
    assert silent == (403, "no_reason")
    far = await hub.staff(Role.TOWNSHIP, place="330101001", name="Far")
    await hub.shift(far)
    assert (await live(there, far, lane, REASON))[1] == "no_such_camera"
    off = await hub.staff(Role.TOWNSHIP, place=PLACE, name="Off")
    assert (await live(there, off, lane, REASON))[0] in (403, 404)
    assert (await live(there, clerk, lane, REASON))[0] == 201


async def test_a_shift_that_ends_ends_what_was_watched(hub: Hub) -> None:
    """MED-17."""
    there = await world(hub)
    lane, clerk = there.cameras[CameraClass.P9], there.people["committee"]
    assert (await live(there, clerk, lane, REASON))[0] == 201
    assert len(hub.live.sessions()) == 1
    hub.clock.turn(8 * 3600 + 1)
    await hub.app[keys.RENEWAL].look()
    assert hub.live.sessions() == []
    assert hub.live.ended[-1][1] in ("no_shift", "signed_out")


async def test_a_token_is_only_good_for_what_it_was_made_for(hub: Hub) -> None:
    """Another's session, another camera: IDOR with every role's token."""
    there = await world(hub)
    lane, bridge = there.cameras[CameraClass.P9], there.cameras[CameraClass.P7]
    clerk = there.people["committee"]
    path = f"/api/v1/cameras/{lane}/media-token"
    answer = await hub.ask("POST", path, json=REASON, headers=clerk.headers)
    token = bearer((await answer.json())["token"])
    other = await hub.ask(
        "POST", f"/whep/{bridge}", data=OFFER, headers={**token, "Content-Type": SDP}
    )
    assert (other.status, (await other.json())["code"]) == (403, "token_elsewhere")
    opened = await hub.ask(
        "POST", f"/whep/{lane}", data=OFFER, headers={**token, "Content-Type": SDP}
    )
    session = opened.headers["Location"]
    for name in ("township", "station_officer"):
        mine = await hub.ask("POST", path, json=REASON, headers=there.people[name].headers)
        theirs = bearer((await mine.json())["token"])
        assert (await hub.ask("DELETE", session, headers=theirs)).status == 404
    assert (await hub.ask("DELETE", session, headers=token)).status == 200
