"""My cameras: a still and a state in words, kept fresh."""

from tests.browser.conftest import Visit, hide, in_browser, seen, until
from tests.browser.stand_in import Camera, ScriptedHub, picture
from village_core.troubles import Trouble

pytestmark = [*in_browser]


async def test_each_camera_has_a_still_and_a_state(visit: Visit, hub: ScriptedHub) -> None:
    hub.add(
        Camera("gate", "院门", still=picture()),
        Camera("pond", "鱼塘", online=False, trouble=Trouble.WRONG_PASSWORD),
    )
    page = await visit("/")
    await until(page, "() => document.querySelector('.still').naturalWidth === 640")
    states = await page.locator(".state").all_inner_texts()
    assert states == ["正常，可以看", "摄像头的密码不对。"]
    assert hub.count("GET", "/api/v1/cameras/pond/still") == 0  # it is offline: do not ask


async def test_a_state_that_changes_is_told(visit: Visit, hub: ScriptedHub) -> None:
    hub.add(Camera("gate", "院门"))
    page = await visit("/", clock=True)
    hub.cameras["gate"].online = False
    hub.cameras["gate"].trouble = Trouble.PRIVACY_OFF
    hub.cameras["gate"].name = "大门 <i>"
    await page.clock.fast_forward(11_000)
    await until(page, "() => document.querySelector('.state').dataset.kind === 'bad'")
    assert "隐私" in await page.inner_text(".state")
    assert await page.inner_text(".name") == "大门 <i>"


async def test_a_camera_that_comes_or_goes_is_shown(visit: Visit, hub: ScriptedHub) -> None:
    hub.add(Camera("gate", "院门"))
    page = await visit("/", clock=True)
    hub.add(Camera("pond", "鱼塘"))
    await page.clock.fast_forward(11_000)
    await page.wait_for_selector("text=鱼塘")


async def test_a_hidden_list_asks_for_nothing(visit: Visit, hub: ScriptedHub) -> None:
    hub.add(Camera("gate", "院门", still=picture()))
    page = await visit("/", clock=True)
    await seen(lambda: hub.count("GET", "/api/v1/cameras/gate/still") == 1)
    await hide(page, hidden=True)
    before = len(hub.asked)
    await page.clock.fast_forward(180_000)
    await page.wait_for_timeout(300)
    assert len(hub.asked) == before
    await hide(page, hidden=False)
    await seen(lambda: hub.count("GET", "/api/v1/cameras/gate/still") == 2)


async def test_a_household_without_cameras_is_told_and_sees_its_first(
    visit: Visit, hub: ScriptedHub
) -> None:
    page = await visit("/", locale="en-GB", clock=True)
    assert "no camera here yet" in await page.inner_text("main")
    hub.add(Camera("gate", "Gate"))
    await page.clock.fast_forward(11_000)
    await page.wait_for_selector("text=Gate")


async def test_a_hub_that_is_gone_is_told(visit: Visit, hub: ScriptedHub) -> None:
    hub.add(Camera("gate", "院门"))
    page = await visit("/", clock=True)
    await page.context.set_offline(True)
    await page.clock.fast_forward(11_000)
    await until(page, "() => document.getElementById('report').textContent.includes('没有网络')")
    await page.context.set_offline(False)
    await page.clock.fast_forward(11_000)
    await until(page, "() => document.getElementById('report').textContent === ''")


async def test_a_sign_in_that_has_ended_leads_to_signing_in(visit: Visit, hub: ScriptedHub) -> None:
    hub.add(Camera("gate", "院门"))
    page = await visit("/", clock=True)
    hub.signed_in = False
    await page.clock.fast_forward(11_000)
    await page.wait_for_url("**/sign-in")
