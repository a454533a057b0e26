"""What a camera opens to whom, as the API tells the pages: exactly what the guard then lets
through."""

from tests.hub.support import OFFER, SDP, Hub, Viewer, bearer
from tests.hub.test_matrix_end_to_end import World, world
from village_core.permits import CameraClass, Purpose

TRIED = (Purpose.OWN_VIEW, Purpose.FAMILY, Purpose.PUBLIC_SECURITY, Purpose.OVERSIGHT)


async def listed(hub: Hub, viewer: Viewer) -> dict[str, dict[str, bool]]:
    """By camera: its purposes, and whether each needs words."""
    answer = await hub.ask("GET", "/api/v1/cameras", headers=viewer.headers)
    return {
        camera["id"]: {each["purpose"]: each["reason"] for each in camera["opens"]}
        for camera in (await answer.json())["cameras"]
    }


async def status_of(hub: Hub, viewer: Viewer, camera: str, purpose: str, reason: str) -> int:
    """Of a live view that is asked for."""
    said = {"purpose": purpose, "reason": reason}
    path = f"/api/v1/cameras/{camera}/media-token"
    token = await hub.ask("POST", path, json=said, headers=viewer.headers)
    if token.status != 200:
        return token.status
    headers = {**bearer((await token.json())["token"]), "Content-Type": SDP}
    return (await hub.ask("POST", f"/whep/{camera}", data=OFFER, headers=headers)).status


async def agrees(village: World, viewer: Viewer) -> int:
    """How many purposes were tried, each of which did what the list had said."""
    tried = 0
    for camera, purposes in (await listed(village.hub, viewer)).items():
        for purpose in TRIED:
            with_words = await status_of(village.hub, viewer, camera, purpose, "a van")
            without = await status_of(village.hub, viewer, camera, purpose, "")
            assert (with_words == 201) is (purpose in purposes), (camera, purpose)
            assert (without == 201) is (purposes.get(purpose) is False), (camera, purpose)
            tried += 1
    return tried


async def test_what_is_listed_is_what_is_let_through(hub: Hub) -> None:
    """PRM-1: for the owner, for somebody on duty, and for who only keeps the cameras running."""
    village = await world(hub)
    for who in ("owner", "committee", "engineer"):
        assert await agrees(village, village.people[who]) > 0


async def test_a_home_is_looked_at_without_asking_and_a_lane_with_words(hub: Hub) -> None:
    village = await world(hub)
    cameras = village.cameras
    own = await listed(hub, village.people["owner"])
    assert set(own) >= {cameras[CameraClass.H_IN], cameras[CameraClass.H_OUT]}
    assert own[cameras[CameraClass.H_IN]]["own_view"] is False
    duty = await listed(hub, village.people["committee"])
    assert duty[cameras[CameraClass.H_IN]] == {}  # whether it works, and no more (M)
    assert next(iter(duty[cameras[CameraClass.P9]].items())) == ("public_security", True)


async def test_one_camera_says_the_same_as_the_list(hub: Hub) -> None:
    village = await world(hub)
    viewer, lane = village.people["committee"], village.cameras[CameraClass.P9]
    answer = await hub.ask("GET", f"/api/v1/cameras/{lane}", headers=viewer.headers)
    one = {each["purpose"]: each["reason"] for each in (await answer.json())["opens"]}
    assert one == (await listed(hub, viewer))[lane]
