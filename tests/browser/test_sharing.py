"""Giving and stopping with a real browser and its virtual key (PRM-3, PRM-4, MED-18): family is
invited, comes, is confirmed by one tap, looks, is seen looking, and is stopped by one tap."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest
from aiohttp import ClientSession
from playwright.async_api import Page

from tests.browser.conftest import PHONE, Visit, browser_fixture, in_browser, until
from tests.browser.real import RealHub, real_hub
from tests.browser.test_passkeys import Key
from tests.hub.clock import TurnedClock
from tests.hub.consent.home import Box
from tests.hub.support import Hub, camera_note
from village_core.clock import SYSTEM_CLOCK
from village_core.messages import AgentStatus
from village_core.permits import Action, CameraClass, Purpose, Quality
from village_hub import keys
from village_hub.access import basis, codes
from village_hub.access.classes import Place
from village_hub.access.facts import Permit, Subject
from village_hub.access.questions import Question
from village_hub.access.rules import decide
from village_hub.catalogue import camera_records, cameras, people
from village_hub.catalogue.camera_records import RecordRow

pytestmark = [*in_browser]


class Behind(Hub):
    """The real hub's own state, without a test's client."""

    def __init__(self, village: RealHub) -> None:
        self.app = village.app
        self.clock = cast("TurnedClock", SYSTEM_CLOCK)
        self.url = village.url

    @property
    def origin(self) -> str:
        return self.url


@browser_fixture
async def village(tmp_path: Path) -> AsyncIterator[RealHub]:
    async with real_hub(tmp_path, named=True) as running:
        yield running


@pytest.fixture
def site(village: RealHub) -> str:
    return village.url


async def with_a_yard(village: RealHub) -> Box:
    """The household's box, enrolled, with one camera that may be shared."""
    hub = Behind(village)
    agent = await hub.enrolled(village.household)
    yard = camera_note(camera_class=CameraClass.H_OUT, name="院子")
    write, now = village.app[keys.CATALOGUE].write, SYSTEM_CLOCK.utc_ms()
    status = AgentStatus(version="1", privacy_off=False, cameras=[yard])
    await write(cameras.apply_status, agent.id, status, now)
    record = RecordRow(
        camera=yard.id,
        camera_class=CameraClass.H_OUT,
        place=Place.YARD,
        purpose="看住院子里的鸡",
        installer="王师傅",
        duty="",
        sign_placed=True,
        mask_needed=False,
        mask=(),
        proposed_by=village.person,
        proposed=now,
        picture_sha256=None,
        approved_by=None,
        approved=None,
        objection=None,
        version=0,
    )
    await write(camera_records.put, record)
    await write(camera_records.approve, yard.id, 1, "ab" * 32, village.person, now)
    return Box(hub, agent)


@asynccontextmanager
async def dialled(village: RealHub, box: Box) -> AsyncIterator[None]:
    async with ClientSession() as session:
        headers = box.hub.node_token(box.agent)
        async with session.ws_connect(village.url + "/uplink", headers=headers) as socket:
            box.socket = socket
            answering = asyncio.create_task(box.answer_all())
            yield
        await answering


async def signed_in(visit: Visit, village: RealHub, locale: str) -> Page:
    code = await village.app[keys.CATALOGUE].write(codes.link, SYSTEM_CLOCK, village.person)
    page = await visit(f"/sign-in#code={code}", locale=locale, size=PHONE)
    await page.wait_for_url(village.url + "/")
    return page


async def looking(village: RealHub, camera: str) -> None:
    """Somebody outside looks: a session as the media keeps one, with its real permit."""
    app = village.app

    class Session:
        id, credential = "look", "somebody"
        permit: Permit | None = None

    (share,) = await app[keys.CONSENT].watching.shares(village.household)
    person = share.grant.terms.recipient.person
    now = SYSTEM_CLOCK.utc_ms()
    (sign_in,) = await app[keys.CATALOGUE].read(people.sign_ins, person, now)
    question = Question(
        decision="look",
        subject=Subject(app[keys.NODE].id, person, name="小明"),
        camera=camera,
        quality=Quality.SUB,
        now=now,
        sign_in=sign_in.id,
    )
    loaded = await app[keys.CATALOGUE].read(basis.load, app[keys.NODE].id, question)
    assert loaded is not None
    found = decide(
        *(question.subject, loaded.camera, Action.LIVE, Purpose.FAMILY, question.now),
        loaded.basis,
    )
    assert isinstance(found, Permit)
    Session.permit = found
    live = app[keys.LIVE]
    real = live.sessions
    ended: list[str] = []

    async def end(session: object, reason: str) -> None:
        ended.append(reason)

    live.sessions = lambda: [*real(), *([] if ended else [Session()])]  # type: ignore[method-assign]
    live.end = end  # type: ignore[method-assign]


async def with_a_key(page: Page, village: RealHub) -> None:
    await Key.plug_in(page, transport="internal")
    await page.goto(village.url + "/account")
    await page.click("#add button")
    await page.wait_for_selector("#keys li")


async def invited(page: Page) -> tuple[str, str]:
    """The link and the code that the owner's page shows."""
    await page.wait_for_selector("#invite-cameras input")
    await page.fill("#invite-name", "小明")
    await page.check("#invite-cameras input")
    await page.click("#invite button[type=submit]")
    await until(page, "() => document.getElementById('invited').textContent")
    said = (await page.inner_text("#invited")).strip()
    (link,) = re.findall(r"http\S+#link=\S+", said)
    return link, said[-6:]


async def comes(guest: Page, code: str) -> None:
    assert "#" not in guest.url
    await guest.fill("#name", "小明")
    await guest.fill("#code", code)
    await guest.click("button[type=submit]")
    await until(guest, "() => document.getElementById('done').textContent")


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
async def test_family_is_invited_confirmed_by_one_tap_and_stopped_by_one(
    visit: Visit, village: RealHub, locale: str, tmp_path: Path
) -> None:
    box = await with_a_yard(village)
    page = await signed_in(visit, village, locale)
    await with_a_key(page, village)
    await page.goto(village.url + "/sharing")
    link, code = await invited(page)
    await comes(await visit(link.removeprefix(village.url), locale=locale), code)
    async with dialled(village, box):
        await page.goto(village.url + "/sharing")
        await page.wait_for_selector("#drafts .primary")
        assert "小明" in await page.inner_text("#drafts")
        await page.click("#drafts .primary")  # the one tap
        await page.wait_for_selector("#shares [data-grant]")
        assert len(box.drafts) == 1
        await looking(village, next(iter(box.drafts[0].terms.cameras)))
        await page.wait_for_selector("#watching li")
        assert "小明" in await page.inner_text("#watching")
        wide = await page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
        assert wide, "nothing is wider than the phone"
        await page.screenshot(path=tmp_path / f"sharing-{locale}.png", full_page=True)
        await page.click("#shares [data-grant] .primary")  # one tap to stop
        await page.wait_for_selector("#nobody:not([hidden])")
        await page.wait_for_selector("#nobody-now:not([hidden])")
