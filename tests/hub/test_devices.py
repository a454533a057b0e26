"""Shifts, and screens that a named person opens for theirs (IDN-12, RFC 8628)."""

from typing import Any

import pytest
from aiohttp import ClientResponse

from tests.hub.support import Hub, Viewer, bearer
from village_core.permits import Action, Purpose, Quality, Role
from village_hub import keys
from village_hub.access.facts import Permit, Reason, Subject
from village_hub.catalogue import people
from village_hub.catalogue.audit import SERVE, Chain
from village_hub.catalogue.device_grants import Word, word_for
from village_hub.catalogue.staff_rows import DeviceGrantRow

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
SCREEN = {"client_id": "kiosk", "device_name": "值班室大屏", "place": "村委会一楼"}
NOW = 1_795_000_000_000


async def authorize(hub: Hub, **more: str) -> ClientResponse:
    return await hub.ask("POST", "/api/v1/device/authorize", data={**SCREEN, **more})


async def waiting(hub: Hub) -> dict[str, Any]:
    response = await authorize(hub)
    assert response.status == 200, await response.text()
    found: dict[str, Any] = await response.json()
    return found


async def poll(hub: Hub, code: str, **more: str) -> ClientResponse:
    body = {"client_id": "kiosk", "grant_type": GRANT, "device_code": code, **more}
    return await hub.ask("POST", "/api/v1/device/token", data=body)


async def told(hub: Hub, code: str) -> tuple[int, str]:
    response = await poll(hub, code)
    assert response.content_type == "application/json"  # OAuth's own form, no problem+json
    return response.status, (await response.json()).get("error", "")


async def answer(hub: Hub, viewer: Viewer, code: str, *, opens: bool = True) -> ClientResponse:
    body = {"user_code": code, "opens": opens}
    return await hub.ask("POST", "/api/v1/devices/answer", json=body, headers=viewer.headers)


async def refusal(response: ClientResponse) -> tuple[int, str]:
    return response.status, (await response.json())["code"]


async def a_screen(hub: Hub, viewer: Viewer) -> tuple[Viewer, dict[str, str]]:
    """Opened by somebody with a shift: as a browser with its cookie, and its token."""
    said = await waiting(hub)
    assert (await answer(hub, viewer, said["user_code"])).status == 204
    response = await poll(hub, said["device_code"])
    assert response.status == 200, await response.text()
    secret = response.cookies["village"].value
    hub.client.session.cookie_jar.clear()
    headers = {"Cookie": f"village={secret}", "Origin": hub.origin}
    return Viewer(viewer.person, headers), bearer((await response.json())["access_token"])


async def shift(hub: Hub, viewer: Viewer, method: str = "POST", **body: Any) -> ClientResponse:
    more = {"json": body} if method == "POST" else {}
    return await hub.ask(method, "/api/v1/me/shift", headers=viewer.headers, **more)


async def me(hub: Hub, headers: Any) -> tuple[int, str]:
    response = await hub.ask("GET", "/api/v1/me", headers=headers)
    return response.status, (await response.json()).get("code", "")


async def test_a_screen_asks_as_rfc_8628_says(hub: Hub) -> None:
    said = await waiting(hub)
    assert (said["expires_in"], said["interval"]) == (600, 5)
    letters = said["user_code"].replace("-", "")
    assert len(letters) == 8
    assert set(letters) <= set("BCDFGHJKLMNPQRSTVWXZ")
    assert said["verification_uri"].endswith("/device")
    assert (
        said["verification_uri_complete"] == f"{said['verification_uri']}#code={said['user_code']}"
    )


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"client_id": "other"}, "invalid_client"),
        ({"device_name": ""}, "invalid_request"),
        ({"device_name": "x" * 81}, "invalid_request"),
        ({"x": "y"}, "invalid_request"),
    ],
)
async def test_what_a_screen_asks_wrongly_is_oauths_error(
    hub: Hub, more: dict[str, str], error: str
) -> None:
    response = await authorize(hub, **more)
    assert (response.status, await response.json()) == (400, {"error": error})
    as_json = await hub.ask("POST", "/api/v1/device/authorize", json=SCREEN)
    assert (as_json.status, await as_json.json()) == (400, {"error": "invalid_request"})


async def test_a_screen_polls_until_it_is_opened_and_then_once(hub: Hub) -> None:
    officer = await hub.staff(Role.COMMITTEE)
    await shift(hub, officer)
    said = await waiting(hub)
    code = said["device_code"]
    assert await told(hub, code) == (400, "authorization_pending")
    assert await told(hub, code) == (400, "slow_down")  # at once again
    hub.clock.turn(6)
    assert await told(hub, code) == (400, "slow_down")  # 5 s more from then on
    hub.clock.turn(16)
    assert await told(hub, code) == (400, "authorization_pending")
    look = {"user_code": said["user_code"].lower()}
    shown = await hub.ask("POST", "/api/v1/devices/look", json=look, headers=officer.headers)
    found = await shown.json()
    assert (found["device_name"], found["place"]) == ("值班室大屏", "村委会一楼")
    assert (await answer(hub, officer, said["user_code"])).status == 204
    hub.clock.turn(16)
    assert (await poll(hub, code)).status == 200
    hub.client.session.cookie_jar.clear()
    hub.clock.turn(16)
    assert await told(hub, code) == (400, "invalid_grant")
    assert await refusal(await answer(hub, officer, said["user_code"])) == (404, "no_such_screen")


async def test_refused_expired_unknown_and_of_another_kind(hub: Hub) -> None:
    officer = await hub.staff(Role.COMMITTEE)
    said = await waiting(hub)
    assert (await answer(hub, officer, said["user_code"], opens=False)).status == 204
    assert await told(hub, said["device_code"]) == (400, "access_denied")
    late = await waiting(hub)
    hub.clock.turn(601)
    assert await told(hub, late["device_code"]) == (400, "expired_token")
    assert await told(hub, "made-up") == (400, "invalid_grant")
    other = await poll(hub, late["device_code"], grant_type="password")
    assert await other.json() == {"error": "unsupported_grant_type"}


def row(**more: Any) -> DeviceGrantRow:
    usual = {"id": "d", "name": "n", "place": "", "created": NOW, "expires": NOW + 600_000}
    return DeviceGrantRow(
        **{**usual, "pause": 5, "polled": None, "denied": False, "shift": None, **more}
    )


@pytest.mark.parametrize(
    ("state", "runs", "word"),
    [
        (None, False, Word.UNKNOWN),
        (row(used=True, shift="s"), True, Word.UNKNOWN),
        (row(denied=True), False, Word.DENIED),
        (row(expires=NOW), False, Word.EXPIRED),
        (row(polled=NOW - 4_999), False, Word.SLOWER),
        (row(polled=NOW - 5_000), False, Word.PENDING),
        (row(), False, Word.PENDING),
        (row(shift="s"), True, Word.OPEN),
        (row(shift="s"), False, Word.DENIED),  # the shift ended before the screen asked again
        (row(shift="s", polled=NOW), True, Word.SLOWER),
    ],
)
def test_every_state_has_its_word(state: DeviceGrantRow | None, *, runs: bool, word: Word) -> None:
    assert word_for(state, NOW, shift_runs=runs) is word


async def test_only_somebody_with_an_open_shift_opens_a_screen(hub: Hub) -> None:
    """A kiosk has no rights of its own."""
    officer = await hub.staff(Role.COMMITTEE)
    _, owner = await hub.owner()
    said = await waiting(hub)
    code = said["user_code"]
    assert await refusal(await answer(hub, owner, code)) == (403, "on_duty_only")
    assert await refusal(await answer(hub, officer, code)) == (409, "no_shift")
    await shift(hub, officer)
    kiosk, _ = await a_screen(hub, officer)
    assert await refusal(await answer(hub, kiosk, code)) == (
        403,
        "kiosk",
    )  # no screen opens another
    assert (await answer(hub, officer, code)).status == 204


async def test_guessing_codes_is_slow_and_then_over(hub: Hub) -> None:
    officer = await hub.staff(Role.COMMITTEE)
    answers = [await answer(hub, officer, "BCDF-GHJK") for _ in range(11)]
    assert {response.status for response in answers[:10]} == {404}
    assert answers[10].status == 429
    assert sum(0.5 <= pause <= 1.5 for pause in hub.clock.slept) >= 10


async def test_asking_to_be_opened_is_limited(hub: Hub) -> None:
    answers = [(await authorize(hub)).status for _ in range(11)]
    assert answers[9:] == [200, 429]


async def test_a_screen_is_its_persons_until_the_shift_ends_and_then_blank(hub: Hub) -> None:
    """IDN-12, MED-17: by its end, by closing it, by the appointment's end."""
    for ending in ("closed", "over"):
        officer = await hub.staff(Role.COMMITTEE, name=ending)
        await shift(hub, officer, hours=2)
        screen, token = await a_screen(hub, officer)
        found = await (await hub.ask("GET", "/api/v1/me", headers=screen.headers)).json()
        assert (found["id"], found["duty"]["roles"]) == (officer.person, ["committee"])
        assert await me(hub, token) == (200, "")
        permit = await a_permit(hub, officer)
        guard = hub.app[keys.GUARD]
        assert await guard.renew([permit]) == {"p": Reason.NO_BASIS}  # no such camera
        if ending == "closed":
            assert (await shift(hub, officer, "DELETE")).status == 204
        else:
            hub.clock.turn(2 * 3600 + 1)
        assert await me(hub, screen.headers) == (401, "shift_over")
        assert (await me(hub, token))[0] == 401
        assert await guard.renew([permit]) == {"p": Reason.SIGNED_OUT}
        assert (await me(hub, officer.headers))[0] == 200  # the person's own session goes on


async def a_permit(hub: Hub, officer: Viewer) -> Permit:
    """Of a view that the officer's screen shows."""
    now = hub.clock.utc_ms()
    rows = await hub.app[keys.CATALOGUE].read(people.sign_ins, officer.person, now)
    kiosk = next(each.id for each in rows if each.kiosk)
    return Permit(
        *("p", Subject(hub.id, officer.person), hub.id, "gate", Quality.SUB, Action.LIVE),
        *(Purpose.PUBLIC_SECURITY, "D", 1),
        outside=True,
        sign_in=kiosk,
    )


async def test_after_10_minutes_nothing_is_done_at_a_screen_but_it_goes_on_showing(
    hub: Hub,
) -> None:
    """IDN-12."""
    officer = await hub.staff(Role.COMMITTEE)
    await shift(hub, officer, hours=8)
    screen, token = await a_screen(hub, officer)
    camera, _ = await hub.push_camera(await hub.household())

    async def pin(headers: Any) -> tuple[int, str]:
        path, body = "/api/v1/sessions/none/quality", {"quality": "main"}
        response = await hub.ask("POST", path, json=body, headers=headers)
        return await refusal(response)

    assert await pin(token) == (401, "kiosk_idle")  # the token is for looking, always
    log = await hub.ask("GET", "/api/v1/me/log", headers=token)
    assert await refusal(log) == (401, "kiosk_idle")
    assert await pin(screen.headers) == (404, "not_found")  # it may, and there is none
    hub.clock.turn(9 * 60)
    assert (await hub.ask("GET", "/api/v1/requests", headers=screen.headers)).status == 200
    assert await pin(screen.headers) == (404, "not_found")
    hub.clock.turn(11 * 60)
    assert await pin(screen.headers) == (401, "kiosk_idle")
    for read in ("requests", "me/log", "me/log/file", "me/notices", "me/sign-ins"):  # nor read
        response = await hub.ask("GET", f"/api/v1/{read}", headers=screen.headers)
        assert await refusal(response) == (401, "kiosk_idle")
    for shown in ("/", "/api/v1/cameras", "/api/v1/sos?open=true"):
        assert (await hub.ask("GET", shown, headers=screen.headers)).status == 200
    assert await me(hub, screen.headers) == (200, "")
    path = f"/api/v1/cameras/{camera}/media-token"
    looked = await hub.ask("POST", path, headers=screen.headers)
    assert await refusal(looked) == (404, "no_such_camera")  # decided, not refused as idle
    await hub.ask("POST", "/api/v1/sign-out", headers=screen.headers)
    assert (await me(hub, screen.headers))[0] == 401


BODIES: dict[str, dict[str, Any]] = {
    "/api/v1/people": {"name": "X"},
    "/api/v1/me/contact": {"phone": "13800001111"},
}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/me/passkeys"),
        ("POST", "/api/v1/me/passkeys/begin"),
        ("POST", "/api/v1/me/access-token"),
        ("POST", "/api/v1/people"),
        ("GET", "/api/v1/acts"),
        ("DELETE", "/api/v1/me/shift"),
        ("GET", "/api/v1/me/contact"),
        ("PUT", "/api/v1/me/contact"),
        ("DELETE", "/api/v1/me/contact"),
        ("PUT", "/api/v1/cameras/gate/record"),
        ("POST", "/api/v1/cameras/gate/record/approval"),
    ],
)
async def test_nothing_of_keys_people_or_shifts_is_done_at_a_screen(
    hub: Hub, method: str, path: str
) -> None:
    """IDN-12: nor is its person's phone read or changed, nor does it count as a second person."""
    admin = await hub.staff(Role.ADMIN)
    await shift(hub, admin)
    screen, _ = await a_screen(hub, admin)
    body = {"json": BODIES[path]} if path in BODIES and method != "GET" else {}
    response = await hub.ask(method, path, headers=screen.headers, **body)
    assert await refusal(response) == (403, "kiosk")


async def test_a_screen_is_listed_among_my_sessions_and_ended_by_me(hub: Hub) -> None:
    officer = await hub.staff(Role.COMMITTEE)
    await shift(hub, officer)
    screen, _ = await a_screen(hub, officer)
    listed = await hub.ask("GET", "/api/v1/me/sign-ins", headers=officer.headers)
    mine = (await listed.json())["sign_ins"]
    found = next(each for each in mine if each["kiosk"])
    assert found["device"] == "值班室大屏, 村委会一楼"
    path = f"/api/v1/me/sign-ins/{found['id']}"
    assert (await hub.ask("DELETE", path, headers=officer.headers)).status == 204
    assert (await me(hub, screen.headers))[0] == 401


async def test_a_shift_is_opened_once_for_12_hours_at_most_and_listed_in_its_unit(hub: Hub) -> None:
    officer = await hub.staff(Role.COMMITTEE)
    assert (await shift(hub, officer, hours=13)).status == 422
    assert (await shift(hub, officer, hours=12)).status == 201
    assert await refusal(await shift(hub, officer)) == (409, "shift_open")
    _, owner = await hub.owner()
    assert await refusal(await shift(hub, owner)) == (403, "on_duty_only")
    peer = await hub.staff(Role.COMMITTEE, unit=officer.unit, name="Sun")
    other = await hub.staff(Role.STATION_OFFICER, name="Far")
    auditor = await hub.staff(Role.AUDITOR, name="Gu")
    for viewer, count in ((peer, 1), (other, 0), (auditor, 1)):
        response = await hub.ask("GET", "/api/v1/shifts", headers=viewer.headers)
        assert len((await response.json())["items"]) == count
    assert (await hub.ask("GET", "/api/v1/shifts", headers=owner.headers)).status == 403
    assert (await shift(hub, officer, "DELETE")).status == 204
    assert await refusal(await shift(hub, officer, "DELETE")) == (404, "no_shift")
    read = hub.app[keys.CATALOGUE].read
    entries = [kept.entry for kept in await read(lambda one: list(Chain(one, SERVE)))]
    ours = [each for each in entries if each.action.startswith("shift.")]
    assert [each.action for each in ours] == ["shift.start", "shift.end"]
    assert all(each.source == "127.0.0.1" and each.device for each in ours)  # AUD-1
