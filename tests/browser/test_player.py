"""The WHEP player against a far end that plays a moving canvas (MED-1, MED-6, MED-7, MED-12)."""

import asyncio

import pytest
from aiohttp import web
from playwright.async_api import Browser, Page

from tests.browser.conftest import Visit, hide, in_browser, seen, until
from tests.browser.peer import Peer
from tests.browser.stand_in import Camera, ScriptedHub, picture, problem

pytestmark = [*in_browser]

TURN = {"urls": "turn:192.0.2.9:3478?transport=tcp", "username": "1:a", "credential": "secret"}
OFFER = "\r\n".join(
    [
        "v=0",
        "a=group:BUNDLE 0 1",
        "m=video 9 UDP/TLS/RTP/SAVPF 96",
        "a=mid:0",
        "a=ice-ufrag:aa",
        "a=ice-pwd:bb",
        "a=candidate:1 1 udp 1 192.0.2.1 9 typ host",
        "m=audio 9 UDP/TLS/RTP/SAVPF 0",
        "a=mid:1",
        "a=ice-ufrag:aa",
        "a=ice-pwd:bb",
        "",
    ]
)
UFRAG = "() => /a=ice-ufrag:(.*)/.exec(villagePlayer._session.pc.localDescription.sdp)[1]"
PLAYING = "() => villagePlayer.state === 'playing'"


@pytest.fixture(autouse=True)
def camera(hub: ScriptedHub) -> Camera:
    one = Camera("gate", "院门", still=picture())
    hub.add(one)
    return one


async def playing(visit: Visit, **how: object) -> Page:
    page = await visit("/cameras/gate", **how)
    await until(page, PLAYING)
    return page


def lines(sdp: str, start: str) -> list[str]:
    return [line for line in sdp.split("\r\n") if line.startswith(start)]


async def stats(page: Page) -> dict[str, float]:
    found: dict[str, float] = await page.evaluate("() => villagePlayer.stats()")
    return found


async def test_it_paints_frames_and_says_it_is_live(visit: Visit, peer: Peer) -> None:
    page = await playing(visit)
    await until(page, "async () => (await villagePlayer.stats()).framesDecoded > 10")
    numbers = await stats(page)
    assert (numbers["frameWidth"], numbers["frameHeight"]) == (640, 360)
    assert "实时" in await page.inner_text("#state")
    assert await page.inner_text("#badge") == "直播"
    assert not await page.is_visible("#still")


async def test_playing_costs_one_token_and_one_offer(
    visit: Visit, peer: Peer, hub: ScriptedHub
) -> None:
    await playing(visit)
    assert hub.count("POST", "/api/v1/cameras/gate/media-token") == 1
    assert hub.count("POST", "/whep/gate") == 1
    assert hub.authorizations == ["Bearer token-1"]
    assert not [path for _, path in hub.asked if "token-1" in path]  # MED-3: never in a URL


async def test_it_offers_only_h264_to_receive(visit: Visit, peer: Peer) -> None:
    await playing(visit)
    codecs = {line.split()[1].split("/")[0] for line in lines(peer.offers[0], "a=rtpmap:")}
    assert codecs == {"H264", "rtx"}
    assert lines(peer.offers[0], "a=recvonly")
    assert not lines(peer.offers[0], "m=audio")


async def test_it_asks_for_sound_when_the_camera_has_some(
    visit: Visit, peer: Peer, camera: Camera
) -> None:
    camera.audio = "PCMA"
    page = await playing(visit)
    assert len(lines(peer.offers[0], "m=audio")) == 1
    assert await page.evaluate("() => document.getElementById('video').muted")
    await page.click("#sound")
    assert not await page.evaluate("() => document.getElementById('video').muted")
    assert await page.get_attribute("#sound", "aria-pressed") == "true"


async def test_a_hidden_page_ends_its_session_and_a_seen_one_begins_again(
    visit: Visit, peer: Peer, hub: ScriptedHub
) -> None:
    """MED-6: the DELETE carries the token that opened the session."""
    page = await playing(visit)
    await hide(page, hidden=True)
    await seen(lambda: peer.ended == ["session-1"])
    assert hub.authorizations[-1] == "Bearer token-1"
    assert await page.evaluate("() => villagePlayer.state") == "hidden"
    await hide(page, hidden=False)
    await until(page, PLAYING)
    assert peer.opened == 2


async def test_a_page_that_is_left_ends_its_session(visit: Visit, peer: Peer) -> None:
    page = await playing(visit)
    await page.goto(page.url.replace("/cameras/gate", "/"))
    await seen(lambda: peer.ended == ["session-1"])


async def test_it_joins_again_after_three_seconds_without_a_frame(visit: Visit, peer: Peer) -> None:
    page = await playing(visit)
    await peer.stop_moving()
    began = asyncio.get_running_loop().time()
    await seen(lambda: peer.opened == 2)
    waited = asyncio.get_running_loop().time() - began
    assert 2.5 < waited < 6
    assert await page.is_visible("#still")  # the last frame, kept, not a black hole
    await peer.move()
    await until(page, PLAYING)
    assert peer.ended == ["session-1"]


async def test_a_refused_token_is_renewed_once(visit: Visit, peer: Peer, hub: ScriptedHub) -> None:
    async def expired_first(request: web.Request) -> web.StreamResponse:
        if len(hub.authorizations) == 1:
            hub.pass_["token"] = "token-2"
            return problem(401, "token_expired")
        return await peer.whep(request)

    hub.whep = expired_first
    await playing(visit)
    assert hub.authorizations == ["Bearer token-1", "Bearer token-2"]


async def test_a_token_refused_twice_leads_to_signing_in(visit: Visit, hub: ScriptedHub) -> None:
    async def never(request: web.Request) -> web.StreamResponse:
        return problem(401, "signed_out")

    hub.whep = never
    page = await visit("/cameras/gate")
    await page.wait_for_url("**/sign-in")
    assert hub.count("POST", "/whep/") == 2


async def test_a_counter_offer_is_answered_by_patch(visit: Visit, peer: Peer) -> None:
    """MED-12: the player handles 406 with the hub's own offer."""
    peer.counter_offers = True
    await playing(visit)
    assert peer.opened == 1


async def test_a_new_network_restarts_ice_within_the_session(visit: Visit, peer: Peer) -> None:
    """MED-7: PATCH with new credentials, answered by an sdpfrag."""
    page = await playing(visit)
    before = await page.evaluate(UFRAG)
    await page.evaluate("() => window.dispatchEvent(new Event('online'))")
    await until(page, f"() => ({UFRAG})() !== {before!r}")
    decoded = (await stats(page))["framesDecoded"]
    await until(page, f"async () => (await villagePlayer.stats()).framesDecoded > {decoded + 20}")
    assert (peer.restarts, peer.opened, peer.ended) == (1, 1, [])


async def test_a_refused_restart_joins_again(visit: Visit, peer: Peer) -> None:
    peer.refuse_restarts = True
    page = await playing(visit)
    await page.evaluate("() => window.dispatchEvent(new Event('online'))")
    await seen(lambda: peer.opened == 2)
    await until(page, PLAYING)
    assert peer.ended == ["session-1"]


async def test_ice_servers_that_come_with_the_token_are_used_from_the_start(
    visit: Visit, peer: Peer, hub: ScriptedHub
) -> None:
    hub.pass_["ice_servers"] = [TURN]
    page = await playing(visit)
    servers = await page.evaluate("() => villagePlayer._session.pc.getConfiguration().iceServers")
    assert [server["urls"] for server in servers] in ([TURN["urls"]], [[TURN["urls"]]])


async def test_ice_servers_of_the_answer_serve_what_is_gathered_later(
    visit: Visit, peer: Peer
) -> None:
    """MED-11, MED-15."""
    peer.headers["Link"] = (
        '<https://example.org/a,b>; rel="help", '
        f'<{TURN["urls"]}>; rel="ice-server"; username="1:a"; credential="s,;\\"x"; '
        'credential-type="password"'
    )
    page = await playing(visit)
    servers = await page.evaluate("() => villagePlayer._session.pc.getConfiguration().iceServers")
    assert [server["credential"] for server in servers] == ['s,;"x']


async def test_without_frame_callbacks_it_counts_decoded_frames(
    visit: Visit, peer: Peer, chromium: Browser
) -> None:
    """Older browsers have no requestVideoFrameCallback."""
    gone = "delete HTMLVideoElement.prototype.requestVideoFrameCallback"
    page = await visit("/cameras/gate", script=gone)
    await until(page, PLAYING)
    await peer.stop_moving()
    await seen(lambda: peer.opened == 2)


async def test_an_answer_that_is_not_sdp_is_told_and_tried_again(
    visit: Visit, hub: ScriptedHub
) -> None:
    async def garbage(request: web.Request) -> web.StreamResponse:
        return web.Response(status=201, text="v=nonsense", content_type="application/sdp")

    hub.whep = garbage
    page = await visit("/cameras/gate", locale="en-GB")
    await until(page, "() => villagePlayer.state === 'waiting'")
    assert "cannot be used" in await page.inner_text("#state")
    await seen(lambda: hub.count("POST", "/whep/") >= 2)


async def test_a_session_that_opens_after_the_page_was_hidden_is_ended(
    visit: Visit, peer: Peer, hub: ScriptedHub
) -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slow(request: web.Request) -> web.StreamResponse:
        asked.set()
        await go_on.wait()
        return await peer.whep(request)

    hub.whep = slow
    page = await visit("/cameras/gate")
    await asked.wait()
    await hide(page, hidden=True)
    go_on.set()
    await seen(lambda: peer.ended == ["session-1"])


async def test_it_does_not_ask_again_when_asking_changes_nothing(
    visit: Visit, hub: ScriptedHub
) -> None:
    async def forbidden(request: web.Request) -> web.StreamResponse:
        return problem(403, "forbidden")

    hub.whep = forbidden
    page = await visit("/cameras/gate")
    await page.wait_for_selector("#resume")
    assert await page.evaluate("() => villagePlayer.state") == "refused"
    await page.click("#resume")
    await seen(lambda: hub.count("POST", "/whep/") == 2)


async def test_fragments_carry_credentials_and_candidates_both_ways(visit: Visit) -> None:
    page = await visit("/cameras/gate")
    fragment = await page.evaluate("(sdp) => VillagePlayer.fragmentOf(sdp)", OFFER)
    assert fragment.split("\r\n") == [
        "a=group:BUNDLE 0 1",
        "m=video 9 UDP/TLS/RTP/SAVPF 96",
        "a=mid:0",
        "a=ice-ufrag:aa",
        "a=ice-pwd:bb",
        "a=candidate:1 1 udp 1 192.0.2.1 9 typ host",
        "",
    ]
    fresh = "a=ice-ufrag:x\r\na=ice-pwd:y\r\na=candidate:2 1 udp 1 192.0.2.2 9 typ host\r\n"
    answer = await page.evaluate(
        "([sdp, fresh]) => VillagePlayer.withFragment(sdp, fresh)", [OFFER, fresh]
    )
    assert lines(answer, "a=candidate:") == ["a=candidate:2 1 udp 1 192.0.2.2 9 typ host"]
    assert lines(answer, "a=ice-ufrag:") == ["a=ice-ufrag:x", "a=ice-ufrag:x"]
