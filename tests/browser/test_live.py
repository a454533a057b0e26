"""The live page: still first, words when not, stills meanwhile, asking, quality."""

import json

import pytest
from aiohttp import web
from playwright.async_api import Page

from tests.browser.conftest import Visit, hide, in_browser, seen, until
from tests.browser.peer import Peer
from tests.browser.stand_in import Camera, ScriptedHub, picture, problem
from village_core.troubles import Trouble
from village_hub.pages.words import read_words

pytestmark = [*in_browser]

PLAYING = "() => villagePlayer.state === 'playing'"
EN = read_words()["en"]
TEN_MINUTES = 10 * 60_000


@pytest.fixture(autouse=True)
def camera(hub: ScriptedHub) -> Camera:
    one = Camera("gate", "院门", still=picture())
    hub.add(one)
    return one


def offline(hub: ScriptedHub, code: str, retry_after: str = "2") -> None:
    async def refuse(request: web.Request) -> web.StreamResponse:
        return problem(409, code, **{"Retry-After": retry_after})

    hub.whep = refuse


async def says(page: Page, text: str) -> None:
    await until(page, f"() => document.getElementById('state').textContent === {json.dumps(text)}")


async def test_the_still_is_there_before_the_picture_moves(
    visit: Visit, peer: Peer, hub: ScriptedHub
) -> None:
    order: list[str] = []
    page = await visit("/cameras/gate", script=ORDER)
    await until(page, PLAYING)
    order = await page.evaluate("() => window.order")
    assert order.index("still") < order.index("playing")


ORDER = """
window.order = [];
document.addEventListener("DOMContentLoaded", () => {
  document.getElementById("still").addEventListener("load", () => order.push("still"));
  new MutationObserver(() => order.push(document.getElementById("main").dataset.state))
    .observe(document.getElementById("main"), {attributes: true, attributeFilter: ["data-state"]});
});
"""


async def test_it_says_of_each_trouble_why_not_and_what_to_do(
    visit: Visit, hub: ScriptedHub, camera: Camera
) -> None:
    page = await visit("/cameras/gate", locale="en-GB")
    for trouble in Trouble:
        camera.online, camera.trouble = False, trouble
        offline(hub, trouble)
        await page.reload()
        await says(page, EN(f"trouble.{trouble}.what"))
        assert await page.inner_text("#advice") == EN(f"trouble.{trouble}.do")


async def test_the_cameras_own_trouble_is_told_rather_than_a_bare_conflict(
    visit: Visit, hub: ScriptedHub, camera: Camera
) -> None:
    camera.online, camera.trouble = False, Trouble.H265_ONLY
    offline(hub, "conflict")
    page = await visit("/cameras/gate", locale="en-GB")
    await says(page, EN("trouble.h265_only.what"))


async def test_what_only_limits_the_picture_is_told_beside_it(
    visit: Visit, peer: Peer, camera: Camera
) -> None:
    camera.trouble = Trouble.CLOCK_SKEW
    page = await visit("/cameras/gate", locale="en-GB")
    await until(page, PLAYING)
    await until(page, "() => document.getElementById('advice').textContent")
    assert await page.inner_text("#advice") == EN("trouble.clock_skew.what")


async def test_stills_follow_every_two_seconds_while_nothing_moves(
    visit: Visit, hub: ScriptedHub
) -> None:
    offline(hub, "agent_offline", "20")
    page = await visit("/cameras/gate", clock=True)
    await seen(lambda: stills(hub) == 1)
    for count in (2, 3, 4):
        await page.clock.fast_forward(2_000)
        await seen(lambda wanted=count: stills(hub) >= wanted)  # type: ignore[misc]
    assert await page.is_visible("#still")
    assert (await page.inner_text("#badge")).startswith("图片 ")


def stills(hub: ScriptedHub) -> int:
    return hub.count("GET", "/api/v1/cameras/gate/still")


async def test_a_sentence_stays_while_it_is_tried_again(visit: Visit, hub: ScriptedHub) -> None:
    """A screen reader must not hear two sentences in turn every other second."""
    offline(hub, "agent_offline", "1")
    page = await visit("/cameras/gate", locale="en-GB")
    await says(page, EN("trouble.agent_offline.what"))
    await page.evaluate(
        """() => {
          window.heard = [];
          new MutationObserver(() => heard.push(document.getElementById("state").textContent))
            .observe(document.getElementById("state"), {childList: true, characterData: true});
        }"""
    )
    await seen(lambda: hub.count("POST", "/whep/") >= 3)
    assert await page.evaluate("() => window.heard") == []


async def test_forbidden_stills_are_not_asked_for_again(
    visit: Visit, hub: ScriptedHub, camera: Camera
) -> None:
    camera.refuses_stills = True
    offline(hub, "agent_offline", "20")
    page = await visit("/cameras/gate", clock=True)
    await seen(lambda: stills(hub) == 1)
    await page.clock.fast_forward(60_000)
    await page.wait_for_timeout(300)
    assert stills(hub) == 1


async def test_a_phone_that_forbids_playing_by_itself_plays_when_pressed(
    visit: Visit, peer: Peer
) -> None:
    forbid = """
      let pressed = false; // evaluating a script counts as a press to the browser
      document.addEventListener("click", () => { pressed = true; }, true);
      const really = HTMLMediaElement.prototype.play;
      HTMLMediaElement.prototype.play = function () {
        if (pressed) return really.call(this);
        return Promise.reject(new DOMException("", "NotAllowedError"));
      };"""
    page = await visit("/cameras/gate", script=forbid, locale="en-GB")
    await says(page, EN("problem.needs_tap.what"))
    await seen(lambda: len(peer.ended) == 1)
    await page.click("#resume")
    await until(page, PLAYING)


async def test_stills_stop_when_it_moves(visit: Visit, peer: Peer, hub: ScriptedHub) -> None:
    page = await visit("/cameras/gate")
    await until(page, PLAYING)
    before = stills(hub)
    await page.wait_for_timeout(2_500)
    assert stills(hub) == before


async def test_it_waits_as_long_as_the_hub_says_and_plays_when_it_can(
    visit: Visit, peer: Peer, hub: ScriptedHub
) -> None:
    """MED-12: 409 with Retry-After."""
    answering = hub.whep
    offline(hub, "agent_offline", "3")
    page = await visit("/cameras/gate", clock=True)
    await until(page, "() => villagePlayer.state === 'waiting'")
    assert hub.count("POST", "/whep/") == 1
    hub.whep = answering
    await page.clock.fast_forward(3_100)
    await until(page, PLAYING)


async def test_a_browser_without_h264_gets_words_and_stills(
    visit: Visit, peer: Peer, hub: ScriptedHub
) -> None:
    vp8_only = "RTCRtpReceiver.getCapabilities = () => ({codecs: [{mimeType: 'video/VP8'}]});"
    page = await visit("/cameras/gate", script=vp8_only, locale="en-GB")
    await says(page, EN("problem.no_h264.what"))
    await seen(lambda: stills(hub) >= 2)
    assert peer.opened == 0


async def test_a_browser_without_webrtc_gets_words_and_stills(
    visit: Visit, hub: ScriptedHub
) -> None:
    page = await visit("/cameras/gate", script="delete window.RTCPeerConnection", locale="en-GB")
    await says(page, EN("problem.no_webrtc.what"))
    await seen(lambda: stills(hub) >= 1)


async def test_it_asks_after_ten_minutes_and_stops_without_an_answer(
    visit: Visit, peer: Peer
) -> None:
    page = await visit("/cameras/gate", clock=True)
    await until(page, PLAYING)
    assert not await page.is_visible("#ask")
    await page.clock.fast_forward(TEN_MINUTES)
    await page.wait_for_selector("#ask")
    assert await page.evaluate("() => document.activeElement.id") == "ask-yes"
    assert await page.evaluate(PLAYING)  # it goes on while it asks
    await page.clock.fast_forward(60_000)
    await until(page, "() => villagePlayer.state === 'stopped'")
    await seen(lambda: len(peer.ended) == peer.opened)
    await page.click("#resume")
    await until(page, PLAYING)


async def test_an_answer_lets_it_go_on_for_ten_minutes_more(visit: Visit, peer: Peer) -> None:
    page = await visit("/cameras/gate", clock=True)
    await until(page, PLAYING)
    await page.clock.fast_forward(TEN_MINUTES)
    await page.click("#ask-yes")
    assert not await page.is_visible("#ask")
    await page.clock.fast_forward(TEN_MINUTES - 30_000)
    assert not await page.is_visible("#ask")
    assert await page.evaluate(PLAYING)
    await page.clock.fast_forward(31_000)
    await page.wait_for_selector("#ask")


async def test_on_wifi_it_does_not_ask(visit: Visit, peer: Peer) -> None:
    wifi = "Object.defineProperty(navigator.connection, 'type', {value: 'wifi'});"
    page = await visit("/cameras/gate", clock=True, script=wifi)
    await until(page, PLAYING)
    await page.clock.fast_forward(TEN_MINUTES + 1_000)
    await page.wait_for_timeout(300)
    assert not await page.is_visible("#ask")


async def test_hiding_the_page_takes_the_question_away(visit: Visit, peer: Peer) -> None:
    page = await visit("/cameras/gate", clock=True)
    await until(page, PLAYING)
    await page.clock.fast_forward(TEN_MINUTES)
    await page.wait_for_selector("#ask")
    await hide(page, hidden=True)
    await hide(page, hidden=False)
    await until(page, PLAYING)
    assert not await page.is_visible("#ask")


async def test_the_page_shows_which_quality_it_is_and_offers_a_pin(
    visit: Visit, peer: Peer, hub: ScriptedHub
) -> None:
    page = await visit("/cameras/gate")
    await until(page, PLAYING)
    await says(page, "正在看实时画面（流畅）")
    assert await page.inner_text("#quality") == "画质：自动"
    await peer.resize(1280, 720)
    await says(page, "正在看实时画面（清晰）")
    await page.click("#quality")
    await page.click("text=画面小")
    await seen(lambda: len(hub.bodies) == 1)
    assert json.loads(hub.bodies[0]) == {"quality": "sub"}
    assert ("POST", "/api/v1/sessions/session-1/quality") in hub.asked
    assert not await page.is_visible("#choices")
    assert await page.inner_text("#quality") == "画质：流畅"
    assert peer.opened == 1


async def test_a_pin_is_kept_when_it_joins_again(
    visit: Visit, peer: Peer, hub: ScriptedHub
) -> None:
    page = await visit("/cameras/gate")
    await until(page, PLAYING)
    assert ("POST", "/whep/gate?quality=main") in hub.asked
    await page.click("#quality")
    await page.check("input[value=sub]")
    await hide(page, hidden=True)
    await hide(page, hidden=False)
    await until(page, PLAYING)
    assert hub.asked.count(("POST", "/whep/gate?quality=sub")) == 1


async def test_a_poor_line_begins_with_the_small_picture(
    visit: Visit, peer: Peer, hub: ScriptedHub
) -> None:
    poor = "Object.defineProperty(navigator.connection, 'effectiveType', {value: '3g'});"
    page = await visit("/cameras/gate", script=poor)
    await until(page, PLAYING)
    assert ("POST", "/whep/gate?quality=sub") in hub.asked


async def test_a_lost_network_is_told_and_recovered_from(visit: Visit, peer: Peer) -> None:
    await peer.stop_moving()
    page = await visit("/cameras/gate")
    await page.context.set_offline(True)
    await page.evaluate("() => villagePlayer.play()")
    await until(page, "() => document.getElementById('state').textContent.includes('没有网络')")
    await peer.move()
    await page.context.set_offline(False)
    await until(page, PLAYING)
