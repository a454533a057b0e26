"""Pushes on demand, under permits that the agent counts down itself (design.md, Who decides)."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.agent.home import Home, home, until
from village_core.clock import SYSTEM_CLOCK


@pytest.fixture
async def at_home(tmp_path: Path) -> AsyncIterator[Home]:
    async with home(tmp_path) as made:
        await until(lambda: made.agent.link.connected)
        await until(lambda: made.agent.cameras[made.camera].online)
        yield made


def soon(seconds: float) -> int:
    return SYSTEM_CLOCK.utc_ms() + round(seconds * 1000)


async def pushing(at_home: Home, *permits: dict[str, Any]) -> dict[str, Any]:
    """Ask for a push and wait until its pictures arrive."""
    before = len(at_home.hub.arrivals)
    body = at_home.push(*permits)
    assert (await at_home.hub.ask("POST", "/pushes", body))["status"] == 202
    await until(lambda: len(at_home.hub.arrivals) > before)
    await until(lambda: at_home.hub.arrivals[-1].packets > 10)
    return body


async def test_the_hub_is_told_what_there_is(at_home: Home) -> None:
    await until(lambda: any(camera["main"] for camera in at_home.told["cameras"]))
    camera = at_home.told["cameras"][0]
    assert (camera["id"], camera["name"], camera["online"]) == (at_home.camera, "大门", True)
    assert (camera["main"]["width"], camera["main"]["profile_level_id"][:4]) == (320, "4d40")
    assert camera["sub"] is None
    assert camera["masked"] is False
    assert "film" not in str(at_home.hub.statuses)  # no address leaves the home


async def test_a_push_arrives_at_once_from_the_kept_picture(at_home: Home) -> None:
    began = SYSTEM_CLOCK.monotonic()
    await pushing(at_home)
    assert SYSTEM_CLOCK.monotonic() - began < 2.0
    assert [push.camera.name for push in at_home.agent.pushes.running] == ["大门"]


async def test_the_hub_s_delete_ends_it_and_the_camera_stays_connected(at_home: Home) -> None:
    body = await pushing(at_home)
    assert (await at_home.hub.ask("DELETE", f"/pushes/{body['push']}"))["status"] == 200
    await until(lambda: at_home.hub.arrivals[0].deleted)
    assert (await at_home.hub.ask("DELETE", f"/pushes/{body['push']}"))["status"] == 404
    assert at_home.agent.cameras[at_home.camera].online
    assert at_home.agent.pushes.running == []


async def test_the_last_permit_s_end_ends_it_whatever_the_hub_says(at_home: Home) -> None:
    await pushing(at_home, at_home.permit(until=soon(1.5)), at_home.permit(until=soon(1.0)))
    arrival = at_home.hub.arrivals[0]
    await until(lambda: bool(arrival.closed))
    assert SYSTEM_CLOCK.utc_ms() - soon(0) < 500
    assert at_home.agent.pushes.running == []


async def test_a_renewed_permit_goes_on(at_home: Home) -> None:
    permit = at_home.permit(until=soon(1.0))
    await pushing(at_home, permit)
    path = f"/permits/{permit['id']}"
    answer = await at_home.hub.ask("PUT", path, {**permit, "until": soon(60)})
    assert answer["status"] == 200
    await asyncio.sleep(1.3)
    assert not at_home.hub.arrivals[0].closed


async def test_a_revoked_permit_ends_the_push_at_once_when_it_was_the_last(at_home: Home) -> None:
    """MED-17: within 5 s; here within one."""
    one, two = at_home.permit(), at_home.permit()
    await pushing(at_home, one, two)
    assert (await at_home.hub.ask("DELETE", f"/permits/{one['id']}"))["status"] == 200
    assert len(at_home.agent.pushes.running) == 1
    assert (await at_home.hub.ask("DELETE", f"/permits/{two['id']}"))["status"] == 200
    packets = at_home.hub.arrivals[0].packets
    await until(lambda: bool(at_home.hub.arrivals[0].closed), 1.0)
    assert at_home.hub.arrivals[0].packets - packets <= 10
    assert (await at_home.hub.ask("DELETE", f"/permits/{two['id']}"))["status"] == 404


async def test_one_more_viewer_s_permit_joins_a_running_push(at_home: Home) -> None:
    await pushing(at_home, at_home.permit(until=soon(1.0)))
    more = at_home.permit(quality="main")
    assert (await at_home.hub.ask("PUT", f"/permits/{more['id']}", more))["status"] == 200
    await asyncio.sleep(1.3)
    assert not at_home.hub.arrivals[0].closed


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"camera": "other"}, 404, "no_such_camera"),
        ({"quality": "sub"}, 409, "camera_offline"),
        ({"permits": []}, 400, "bad_body"),
        ({"surprise": 1}, 400, "bad_body"),
        ({"quality": "best"}, 400, "bad_body"),
    ],
)
async def test_a_wrong_request_gets_a_clear_answer(
    at_home: Home, changed: dict[str, Any], status: int, code: str
) -> None:
    answer = await at_home.hub.ask("POST", "/pushes", at_home.push(**changed))
    assert (answer["status"], answer["body"]["code"]) == (status, code)
    assert at_home.agent.pushes.running == []


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"outside": True}, "no_grant"),
        ({"camera": "other"}, "wrong_permit"),
        ({"action": "still"}, "wrong_permit"),
        ({"until": 1000}, "expired"),
    ],
)
async def test_a_permit_that_does_not_fit_is_refused(
    at_home: Home, changed: dict[str, Any], code: str
) -> None:
    """PRM-1, PRM-21: nobody outside sees anything without a grant the agent can verify itself."""
    answer = await at_home.hub.ask("POST", "/pushes", at_home.push(at_home.permit(**changed)))
    assert (answer["status"], answer["body"]["code"]) == (403, code)


async def test_an_outside_permit_cannot_join_either(at_home: Home) -> None:
    await pushing(at_home)
    more = at_home.permit(outside=True)
    answer = await at_home.hub.ask("PUT", f"/permits/{more['id']}", more)
    assert answer["body"]["code"] == "no_grant"


@pytest.mark.parametrize(
    ("changed", "path", "status"),
    [
        ({"until": 1000}, None, 403),
        ({"camera": "other"}, None, 404),
        ({}, "another", 400),
    ],
)
async def test_a_renewal_that_does_not_fit_changes_nothing(
    at_home: Home, changed: dict[str, Any], path: str | None, status: int
) -> None:
    permit = at_home.permit()
    await pushing(at_home, permit)
    wrong = {**permit, **changed}
    answer = await at_home.hub.ask("PUT", f"/permits/{path or permit['id']}", wrong)
    assert answer["status"] == status
    assert len(at_home.agent.pushes.running) == 1


async def test_a_new_push_of_the_same_camera_and_quality_replaces_the_old(at_home: Home) -> None:
    await pushing(at_home)
    await pushing(at_home)
    await until(lambda: bool(at_home.hub.arrivals[0].closed))
    assert not at_home.hub.arrivals[1].closed
    assert len(at_home.agent.pushes.running) == 1


async def test_a_push_that_the_hub_does_not_take_is_forgotten(at_home: Home) -> None:
    at_home.hub.refuse_whip = 401
    assert (await at_home.hub.ask("POST", "/pushes", at_home.push()))["status"] == 202
    await until(lambda: at_home.agent.pushes.running == [])


async def test_while_the_switch_is_off_nothing_leaves(at_home: Home) -> None:
    """Issue 2: the hub cannot override it; running pushes end at once, packets are counted."""
    await pushing(at_home)
    arrival = at_home.hub.arrivals[0]
    await at_home.agent.switch.turn_off("test")
    await until(lambda: arrival.deleted)
    packets = arrival.packets
    off = await at_home.hub.ask("POST", "/pushes", at_home.push())
    assert (off["status"], off["body"]["code"]) == (403, "privacy_off")
    still = {
        "camera": at_home.camera,
        "to": {"url": f"{at_home.url}/api/v1/uploads/x", "ticket": "ticket"},
        "permit": at_home.permit(action="still"),
    }
    assert (await at_home.hub.ask("POST", "/stills", still))["body"]["code"] == "privacy_off"
    await asyncio.sleep(0.5)
    assert (arrival.packets, len(at_home.hub.arrivals), at_home.hub.uploads) == (packets, 1, [])
    told = await at_home.hub.ask("GET", "/status")
    assert told["body"]["privacy_off"] is True
    assert told["body"]["cameras"][0]["online"] is False


async def test_a_push_being_made_when_the_switch_goes_off_never_sends(at_home: Home) -> None:
    assert (await at_home.hub.ask("POST", "/pushes", at_home.push()))["status"] == 202
    await at_home.agent.switch.turn_off("test")
    await asyncio.sleep(0.7)
    assert sum(arrival.packets for arrival in at_home.hub.arrivals) == 0
    assert at_home.agent.pushes.running == []


async def test_the_switch_is_told_to_the_hub_both_ways(at_home: Home) -> None:
    code = at_home.agent.household.new_code()
    await at_home.agent.switch.turn_off("test")
    await until(lambda: at_home.told["privacy_off"])
    assert at_home.told["cameras"][0]["trouble"] == "privacy_off"
    await at_home.agent.switch.turn_on(code, "test", "test")
    await until(lambda: at_home.told["privacy_off"] is False)
    await pushing(at_home)


async def test_a_still_is_decoded_from_the_kept_keyframe(at_home: Home) -> None:
    still = {
        "camera": at_home.camera,
        "to": {"url": f"{at_home.url}/api/v1/uploads/x", "ticket": "ticket"},
        "permit": at_home.permit(action="still"),
    }
    assert (await at_home.hub.ask("POST", "/stills", still))["status"] == 202
    await until(lambda: bool(at_home.hub.uploads))
    assert at_home.hub.uploads[0].startswith(b"\xff\xd8\xff")
    for changed, code in (({"outside": True}, "no_grant"), ({"until": 1}, "expired")):
        wrong = {**still, "permit": at_home.permit(action="still", **changed)}
        assert (await at_home.hub.ask("POST", "/stills", wrong))["body"]["code"] == code


async def test_a_hub_that_comes_back_is_told_again_and_gets_its_push(at_home: Home) -> None:
    told = len(at_home.hub.statuses)
    socket = await at_home.hub.sockets.get()
    await socket.close()
    await until(lambda: len(at_home.hub.statuses) > told, 15.0)
    await pushing(at_home)


async def test_a_status_that_was_refused_is_told_again(at_home: Home) -> None:
    at_home.hub.status_code = 503
    at_home.hub.changed.clear()
    await at_home.agent.switch.turn_off("test")
    await asyncio.wait_for(at_home.hub.changed.wait(), 5)
    at_home.hub.status_code = 200
    await until(lambda: at_home.told["privacy_off"])


async def test_an_agent_that_stops_begins_nothing_new(at_home: Home) -> None:
    """The hub asks again at once when a push ends; its uplink is still there."""
    await pushing(at_home)
    await at_home.agent.pushes.close()
    answer = await at_home.hub.ask("POST", "/pushes", at_home.push())
    assert (answer["status"], answer["body"]["code"]) == (503, "stopping")


async def test_a_stopped_agent_says_goodbye(tmp_path: Path) -> None:
    async with home(tmp_path) as made:
        await until(lambda: made.agent.link.connected and made.agent.cameras[made.camera].online)
        await pushing(made)
        await made.agent.stop()
        assert made.hub.arrivals[0].deleted


async def test_two_pushes_at_a_time(tmp_path: Path) -> None:
    film = tmp_path / "film.h264"
    async with home(tmp_path, sub=f"file:{film}?fps=25") as made:
        camera = made.agent.cameras[made.camera]
        await until(lambda: made.agent.link.connected and len(camera.streams) == 2)
        await pushing(made)
        sub = made.push(made.permit(quality="sub"), quality="sub")
        await made.hub.ask("POST", "/pushes", sub)
        await until(lambda: len(made.hub.arrivals) == 2 and made.hub.arrivals[1].packets > 10)
        assert not made.hub.arrivals[0].closed


async def test_a_camera_that_is_not_there_says_why(tmp_path: Path) -> None:
    async with home(tmp_path, main="rtsp://127.0.0.1:9/none") as made:
        camera = made.agent.cameras[made.camera]
        await until(lambda: made.agent.link.connected and bool(camera.sentence))
        answer = await made.hub.ask("POST", "/pushes", made.push())
        assert (answer["status"], answer["body"]["code"]) == (409, "camera_offline")
        assert answer["body"]["detail"] == camera.sentence
        await until(lambda: any(c["trouble"] == "refused" for c in made.told["cameras"]))


async def test_a_maker_s_password_is_not_used(tmp_path: Path) -> None:
    """CAM-8."""
    (tmp_path / "state").mkdir(mode=0o700)
    async with home(tmp_path, main="rtsp://127.0.0.1:9/none", user="admin") as made:
        camera = made.agent.cameras[made.camera]
        assert camera.trouble == "default_password"
        assert not any("camera" in job.name for job in made.agent.supervisor.states)


async def test_a_permit_lapses_in_90_s_whatever_it_says(at_home: Home) -> None:
    """design.md, Who decides: also when the hub's clock is an hour off."""
    permit = at_home.permit(until=soon(3600))
    await pushing(at_home, permit)
    push = at_home.agent.pushes.running[0]
    assert push.permitted.lives(SYSTEM_CLOCK.monotonic() + 80)
    assert not push.permitted.lives(SYSTEM_CLOCK.monotonic() + 90)
    path = f"/permits/{permit['id']}"
    assert (await at_home.hub.ask("PUT", path, permit))["status"] == 200
    assert not push.permitted.lives(SYSTEM_CLOCK.monotonic() + 90)
