"""WHIP and WHEP over HTTP: one test a point of MED that is HTTP's; media is a double here."""

from pathlib import Path

import pytest
from aiohttp import ClientResponse

from tests.hub.support import FRAGMENT, OFFER, SDP, Hub, bearer, camera_note, small_config
from village_core.ids import new_id
from village_core.permits import Action, Purpose, Quality
from village_core.settings import Secret
from village_core.tokens import Issuer, Kind
from village_core.transport.signalling import Reply
from village_hub import keys
from village_hub.config import Config, LimitsConfig, TurnConfig
from village_hub.errors import Conflict, Overloaded, Unprocessable

PATHS = ("/whip/x", "/whep/x", "/whip/sessions/x", "/whep/sessions/x")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    turn = TurnConfig(urls=["turns:turn.test:5349?transport=tcp"], secret=Secret("shared"))
    return small_config(tmp_path, turn=turn, limits=LimitsConfig(media_per_minute=20))


async def post(hub: Hub, path: str, token: dict[str, str], **more: str) -> ClientResponse:
    headers = {**token, "Content-Type": more.get("kind", SDP)}
    return await hub.ask("POST", path, data=more.get("body", OFFER), headers=headers)


async def code_of(response: ClientResponse) -> str:
    assert response.content_type == "application/problem+json"
    return str((await response.json())["code"])


async def a_view(hub: Hub) -> tuple[str, dict[str, str]]:
    household, viewer = await hub.owner()
    camera, _ = await hub.push_camera(household)
    return await hub.watch(viewer, camera)


async def test_med_1_a_post_opens_a_session(hub: Hub) -> None:
    household, viewer = await hub.owner()
    camera, _ = await hub.push_camera(household)
    token = await hub.media_token(viewer, camera)
    response = await post(hub, f"/whep/{camera}?quality=sub", token)
    assert response.status == 201
    assert response.headers["Content-Type"] == SDP
    assert await response.text() == "v=0\r\n"
    assert response.headers["Location"].startswith("/whep/sessions/")
    permit = hub.live.sessions()[0].permit
    assert permit is not None
    assert (permit.camera, permit.quality, permit.action) == (camera, Quality.SUB, Action.LIVE)
    assert (permit.basis, permit.outside, permit.via) == ("O", False, hub.id)
    assert hub.live.offers == [OFFER]


async def test_med_1_another_type_is_415_and_names_the_right_one(hub: Hub) -> None:
    household, viewer = await hub.owner()
    camera, _ = await hub.push_camera(household)
    token = await hub.media_token(viewer, camera)
    response = await post(hub, f"/whep/{camera}", token, kind="application/json")
    assert response.status == 415
    assert response.headers["Accept-Post"] == SDP


@pytest.mark.parametrize(
    ("body", "status"),
    [("", 400), (" \r\n", 400), ("x" * 65_537, 413)],
    ids=["empty", "blank", "long"],
)
async def test_med_1_a_body_that_is_no_offer_is_refused(hub: Hub, body: str, status: int) -> None:
    household, viewer = await hub.owner()
    camera, _ = await hub.push_camera(household)
    token = await hub.media_token(viewer, camera)
    response = await post(hub, f"/whep/{camera}", token, body=body)
    assert response.status == status
    assert hub.live.sessions() == []


async def test_med_1_bytes_that_are_no_text_are_refused(hub: Hub) -> None:
    household, viewer = await hub.owner()
    camera, _ = await hub.push_camera(household)
    token = await hub.media_token(viewer, camera)
    headers = {**token, "Content-Type": SDP}
    response = await hub.ask("POST", f"/whep/{camera}", data=b"\xff\xfe", headers=headers)
    assert response.status == 400


async def test_med_2_the_session_url_is_a_secret(hub: Hub) -> None:
    location, _ = await a_view(hub)
    assert len(location.rpartition("/")[2]) >= 22  # 128 bits of base64url


async def test_med_2_another_users_delete_finds_nothing(hub: Hub) -> None:
    location, _ = await a_view(hub)
    household, other = await hub.owner("Li")
    camera, _ = await hub.push_camera(household)
    token = await hub.media_token(other, camera)
    assert (await hub.ask("DELETE", location, headers=token)).status == 404
    assert (await hub.ask("PATCH", location, headers=token)).status == 404
    assert len(hub.live.sessions()) == 1


@pytest.mark.parametrize("path", PATHS)
async def test_med_3_preflight_needs_no_token_and_everything_else_does(hub: Hub, path: str) -> None:
    assert (await hub.ask("OPTIONS", path)).status == 200
    session = "/sessions/" in path
    for method in ["PATCH", "DELETE"] if session else ["POST", "GET", "HEAD"]:
        response = await hub.ask(method, path, data=OFFER, headers={"Content-Type": SDP})
        assert response.status == 401
        assert response.headers["WWW-Authenticate"].startswith("Bearer")


async def test_med_3_delete_and_patch_take_the_opening_token_after_its_end(hub: Hub) -> None:
    location, token = await a_view(hub)
    hub.clock.turn(301)
    camera = hub.live.sessions()[0].permit
    assert camera is not None
    assert (await post(hub, f"/whep/{camera.camera}", token)).status == 401
    headers = {**token, "Content-Type": FRAGMENT}
    assert (await hub.ask("PATCH", location, headers=headers, data="")).status == 204
    assert (await hub.ask("DELETE", location, headers=token)).status == 200


async def test_med_3_a_cookie_does_not_open_a_session(hub: Hub) -> None:
    household, viewer = await hub.owner()
    camera, _ = await hub.push_camera(household)
    response = await post(hub, f"/whep/{camera}", dict(viewer.headers))
    assert response.status == 401


async def test_med_3_a_ticket_is_spent_by_one_post(hub: Hub) -> None:
    agent = await hub.enrolled(await hub.household())
    note = camera_note()
    assert await hub.tell(agent, note) == 204
    ticket = hub.ticket(note.id)
    first = await post(hub, f"/whip/{note.id}?quality=main", ticket)
    assert first.status == 201
    again = await post(hub, f"/whip/{note.id}?quality=main", ticket)
    assert again.status == 401
    other = hub.ticket(note.id)
    location = first.headers["Location"]
    assert (await hub.ask("DELETE", location, headers=other)).status == 404
    hub.clock.turn(120)
    assert (await hub.ask("DELETE", location, headers=ticket)).status == 200


async def test_med_3_a_ticket_is_for_one_camera_and_quality(hub: Hub) -> None:
    agent = await hub.enrolled(await hub.household())
    gate, yard = camera_note(), camera_note()
    await hub.tell(agent, gate, yard)
    ticket = hub.ticket(gate.id)
    assert (await post(hub, f"/whip/{yard.id}?quality=main", ticket)).status == 403
    assert (await post(hub, f"/whip/{gate.id}?quality=sub", ticket)).status == 403
    assert (await post(hub, f"/whip/{gate.id}?quality=main", ticket)).status == 201


async def test_med_3_an_upload_ticket_does_not_push(hub: Hub) -> None:
    agent = await hub.enrolled(await hub.household())
    note = camera_note()
    await hub.tell(agent, note)
    ticket = bearer(hub.app[keys.TICKETS].for_upload(note.id, "u"))
    assert (await post(hub, f"/whip/{note.id}", ticket)).status == 403


async def test_med_3_a_ticket_lives_a_minute(hub: Hub) -> None:
    ticket = hub.ticket("x")
    hub.clock.turn(61)
    assert (await post(hub, "/whip/x", ticket)).status == 401


async def test_med_3_a_publish_token_is_for_its_camera_until_revoked(hub: Hub) -> None:
    household = await hub.household()
    camera, secret = await hub.push_camera(household)
    other, _ = await hub.push_camera(household)
    assert (await post(hub, f"/whip/{other}", bearer(secret))).status == 403
    first = await post(hub, f"/whip/{camera}", bearer(secret))
    assert first.status == 201
    assert (
        await hub.ask("DELETE", first.headers["Location"], headers=bearer(secret))
    ).status == 200
    assert (await post(hub, f"/whip/{camera}", bearer("x" * 43))).status == 401


async def test_med_3_tokens_are_for_their_own_endpoint(hub: Hub) -> None:
    household, viewer = await hub.owner()
    camera, secret = await hub.push_camera(household)
    media = await hub.media_token(viewer, camera)
    assert (await post(hub, f"/whip/{camera}", media)).status == 401
    assert (await post(hub, f"/whep/{camera}", bearer(secret))).status == 401
    assert (await hub.ask("GET", "/api/v1/cameras", headers=media)).status == 401


@pytest.mark.parametrize("path", PATHS)
async def test_med_4_preflight_tells_what_is_taken(hub: Hub, path: str) -> None:
    response = await hub.ask("OPTIONS", path, headers={"Origin": "https://player.test"})
    assert response.status == 200
    assert response.headers["Accept-Post"] == SDP
    assert response.headers["Accept-Patch"] == FRAGMENT
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    allowed = response.headers["Access-Control-Allow-Headers"]
    assert all(name in allowed for name in ("Authorization", "Content-Type", "If-Match"))
    exposed = response.headers["Access-Control-Expose-Headers"]
    for name in ("Location", "ETag", "Link", "Accept-Patch", "Retry-After"):
        assert name in exposed
    assert "Link" not in response.headers  # no TURN credentials for strangers


async def test_med_4_errors_can_be_read_from_other_origins_too(hub: Hub) -> None:
    response = await hub.ask("POST", "/whep/x")
    assert response.headers["Access-Control-Allow-Origin"] == "*"


async def test_med_5_get_has_no_content_and_head_says_the_type(hub: Hub) -> None:
    household, viewer = await hub.owner()
    camera, secret = await hub.push_camera(household)
    media = await hub.media_token(viewer, camera)
    for path, token in ((f"/whep/{camera}", media), (f"/whip/{camera}", bearer(secret))):
        got = await hub.ask("GET", path, headers=token)
        assert (got.status, await got.read()) == (204, b"")
        head = await hub.ask("HEAD", path, headers=token)
        assert (head.status, head.headers["Content-Type"]) == (200, SDP)


async def test_med_6_delete_is_200_and_then_404_whatever_if_match_says(hub: Hub) -> None:
    location, token = await a_view(hub)
    headers = {**token, "If-Match": '"stale"'}
    assert (await hub.ask("DELETE", location, headers=headers)).status == 200
    assert (await hub.ask("DELETE", location, headers=token)).status == 404


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (Reply(400, detail="no"), "bad_fragment"),
        (Reply(412, detail="no"), "precondition_failed"),
        (Reply(415, (("Accept-Patch", FRAGMENT),), detail="no"), "unsupported_media_type"),
        (Reply(422, detail="no"), "unprocessable"),
        (Reply(428, detail="no"), "precondition_required"),
    ],
)
async def test_med_7_what_the_session_refuses_is_said_as_a_problem(
    hub: Hub, said: Reply, code: str
) -> None:
    location, token = await a_view(hub)
    hub.live.said = said
    response = await hub.ask("PATCH", location, headers=token, data="")
    assert response.status == said.status
    assert await code_of(response) == code
    for name, value in said.headers:
        assert response.headers[name] == value
    assert len(hub.live.sessions()) == 1  # a failed restart ends nothing


async def test_med_7_an_ice_restart_is_200_with_fragment_and_new_etag(hub: Hub) -> None:
    location, token = await a_view(hub)
    hub.live.said = Reply(200, (("Content-Type", FRAGMENT), ("ETag", '"2"')), "a=ice-ufrag:x\r\n")
    headers = {**token, "Content-Type": FRAGMENT, "If-Match": '"*"'}
    response = await hub.ask("PATCH", location, headers=headers, data="a=ice-ufrag:y\r\n")
    assert response.status == 200
    assert (response.content_type, response.headers["ETag"]) == (FRAGMENT, '"2"')
    assert hub.live.patches == [(FRAGMENT, '"*"', "a=ice-ufrag:y\r\n")]


async def test_med_7_a_trickle_is_204_without_etag(hub: Hub) -> None:
    location, token = await a_view(hub)
    response = await hub.ask("PATCH", location, headers=token, data="")
    assert response.status == 204
    assert "ETag" not in response.headers


async def test_med_8_the_201_has_a_strong_etag(hub: Hub) -> None:
    household, viewer = await hub.owner()
    camera, _ = await hub.push_camera(household)
    response = await post(hub, f"/whep/{camera}", await hub.media_token(viewer, camera))
    assert response.headers["ETag"].startswith('"')


async def test_med_10_too_many_calls_are_429_with_retry_after(hub: Hub) -> None:
    _, token = await a_view(hub)
    answers = [await hub.ask("DELETE", "/whep/sessions/x", headers=token) for _ in range(20)]
    response = answers[-1]
    assert (answers[0].status, response.status) == (404, 429)
    assert int(response.headers["Retry-After"]) >= 1
    hub.clock.turn(int(response.headers["Retry-After"]) + 1)
    assert (await hub.ask("DELETE", "/whep/sessions/none", headers=token)).status == 404


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Conflict("not there", retry_after=5), 409),
        (Overloaded("full", retry_after=5), 503),
        (Unprocessable("H265 only"), 422),
    ],
)
async def test_med_10_and_12_media_refusals_keep_status_and_retry_after(
    hub: Hub, error: Conflict | Overloaded | Unprocessable, status: int
) -> None:
    household, viewer = await hub.owner()
    camera, _ = await hub.push_camera(household)
    hub.live.error = error
    response = await post(hub, f"/whep/{camera}", await hub.media_token(viewer, camera))
    assert response.status == status
    assert response.headers.get("Retry-After") == ("5" if error.retry_after else None)
    assert "Location" not in response.headers


async def test_med_11_the_201_brings_short_lived_turn_credentials(hub: Hub) -> None:
    household, viewer = await hub.owner()
    camera, _ = await hub.push_camera(household)
    response = await post(hub, f"/whep/{camera}", await hub.media_token(viewer, camera))
    link = response.headers["Link"]
    assert link.startswith("<turns:turn.test:5349?transport=tcp>")
    assert 'rel="ice-server"' in link
    assert 'credential-type="password"' in link
    ends = int(link.split('username="')[1].split(":")[0])
    assert 0 < ends - hub.clock.utc_ms() // 1000 <= 3600


async def test_med_11_the_media_token_brings_them_too(hub: Hub) -> None:
    household, viewer = await hub.owner()
    camera, _ = await hub.push_camera(household)
    path = f"/api/v1/cameras/{camera}/media-token"
    found = await (await hub.ask("POST", path, headers=viewer.headers)).json()
    assert found["expires_in"] <= 300
    assert found["ice_servers"][0]["urls"] == "turns:turn.test:5349?transport=tcp"


async def test_a_quality_that_is_none_is_400(hub: Hub) -> None:
    household, viewer = await hub.owner()
    camera, _ = await hub.push_camera(household)
    response = await post(hub, f"/whep/{camera}?quality=4k", await hub.media_token(viewer, camera))
    assert (response.status, await code_of(response)) == (400, "bad_quality")


async def test_a_media_token_is_for_one_camera(hub: Hub) -> None:
    household, viewer = await hub.owner()
    gate, _ = await hub.push_camera(household)
    yard, _ = await hub.push_camera(household)
    response = await post(hub, f"/whep/{yard}", await hub.media_token(viewer, gate))
    assert (response.status, await code_of(response)) == (403, "token_elsewhere")


async def test_a_token_for_somebody_elses_camera_meets_the_decision(hub: Hub) -> None:
    """PRM-1: even a token with a good signature gives no basis."""
    _, viewer = await hub.owner()
    camera, _ = await hub.push_camera(await hub.household("Li"))
    issuer: Issuer = hub.app[keys.TOKEN_KEYS].issuer()
    rows = await (await hub.ask("GET", "/api/v1/me/sign-ins", headers=viewer.headers)).json()
    more = {"sid": rows["sign_ins"][0]["id"], "camera": camera, "action": "live"}
    more |= {"purpose": "own_view", "reason": ""}
    token = issuer.mint(Kind.MEDIA, subject=viewer.person, audience=hub.id, more=more)
    response = await post(hub, f"/whep/{camera}", bearer(token))
    assert (response.status, await code_of(response)) == (403, "no_basis")
    assert hub.live.sessions() == []


async def test_the_viewer_may_pin_the_quality_of_their_own_session(hub: Hub) -> None:
    household, viewer = await hub.owner()
    camera, _ = await hub.push_camera(household)
    location, token = await hub.watch(viewer, camera)
    path = f"/api/v1/sessions/{location.rpartition('/')[2]}/quality"
    for headers in (viewer.headers, token):
        answer = await hub.ask("POST", path, json={"quality": "sub"}, headers=headers)
        assert answer.status == 204
    await hub.ask("POST", path, json={"quality": "auto"}, headers=viewer.headers)
    assert hub.live.pins == [Quality.SUB, Quality.SUB, None]
    wrong = await hub.ask("POST", path, json={"quality": "8k"}, headers=viewer.headers)
    assert wrong.status == 422
    _, other = await hub.owner("Li")
    foreign = await hub.ask("POST", path, json={"quality": "sub"}, headers=other.headers)
    assert foreign.status == 404


async def test_a_camera_that_does_not_exist_is_404_to_whoever_may_push(hub: Hub) -> None:
    missing = new_id()
    response = await post(hub, f"/whip/{missing}", hub.ticket(missing))
    assert (response.status, await code_of(response)) == (404, "no_such_camera")


async def test_the_purpose_is_written_into_the_permit(hub: Hub) -> None:
    await a_view(hub)
    permit = hub.live.sessions()[0].permit
    assert permit is not None
    assert permit.note().purpose is Purpose.OWN_VIEW
    assert permit.note().until == permit.until
