"""Who has looked, and the button beside it (AUD-4), with a real browser and a real hub: a line is
disputed in two taps, and the auditor's answer stands under it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.browser.conftest import PHONE, Visit, browser_fixture, in_browser, until
from tests.browser.real import RealHub, real_hub
from village_core.clock import SYSTEM_CLOCK
from village_core.ids import new_id
from village_core.permits import Role
from village_hub import keys
from village_hub.audit.entry import Entry, EntryKind, Who
from village_hub.cases.log_dispute import AnswerDispute, Finding
from village_hub.cases.matter import Person
from village_hub.catalogue import audit, matters
from village_hub.catalogue.matters import Wanted

pytestmark = [*in_browser]

ANSWER = "没有立案，已经通报他们单位"
SAID = {"zh-CN": "不符合规定", "en-GB": "it was not in order"}


@browser_fixture
async def village(tmp_path: Path) -> AsyncIterator[RealHub]:
    async with real_hub(tmp_path) as running:
        yield running


@pytest.fixture
def site(village: RealHub) -> str:
    return village.url


async def somebody_looked(village: RealHub) -> str:
    entry = Entry(
        id=new_id(),
        utc_ms=SYSTEM_CLOCK.utc_ms(),
        kind=EntryKind.DECISION,
        action="still",
        result="allowed",
        who=Who(issuer="the township", id="li", name="李警官", unit_name="西村派出所"),
        camera_name="院子",
        household=village.household,
    )
    await village.app[keys.CATALOGUE].write(audit.append, entry)
    return entry.id


async def the_auditor_answers(village: RealHub) -> None:
    wanted = Wanted(("log_dispute",), 10)
    (row,) = await village.app[keys.CATALOGUE].read(matters.everything, wanted)
    auditor = Person(issuer=village.app[keys.NODE].id, id="auditor", roles=(Role.AUDITOR,))
    answer = AnswerDispute(finding=Finding.NOT_IN_ORDER, words=ANSWER)
    await village.app[keys.DESK].act(row.id, answer, auditor)


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
async def test_a_line_is_disputed_in_two_taps_and_the_answer_stands_under_it(
    visit: Visit, village: RealHub, locale: str, tmp_path: Path
) -> None:
    line = await somebody_looked(village)
    page = await visit(await village.sign_in_link(), locale=locale, size=PHONE)
    await page.wait_for_url(village.url + "/")
    await page.goto(village.url + "/sharing")
    item = f'#looked [data-entry="{line}"]'
    await page.wait_for_selector(item)
    assert "李警官" in await page.inner_text(item)
    await page.click(f"{item} button")
    await page.fill(f"{item} input", "没有人告诉我们")
    await page.screenshot(path=tmp_path / f"dispute-{locale}.png", full_page=True)
    await page.click(f"{item} button.primary")
    await page.wait_for_selector(f"{item} .answer")
    assert "没有人告诉我们" in await page.inner_text(item)
    wide = await page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert wide, "nothing is wider than the phone"
    await the_auditor_answers(village)
    await page.reload()
    await page.wait_for_selector(f"{item} .answer")
    said = await page.inner_text(f"{item} .answer")
    assert SAID[locale] in said
    assert ANSWER in said
    await page.screenshot(path=tmp_path / f"answer-{locale}.png", full_page=True)


async def test_what_was_disputed_can_be_taken_back(visit: Visit, village: RealHub) -> None:
    line = await somebody_looked(village)
    page = await visit(await village.sign_in_link(), locale="en-GB", size=PHONE)
    await page.wait_for_url(village.url + "/")
    await page.goto(village.url + "/sharing")
    item = f'#looked [data-entry="{line}"]'
    await page.click(f"{item} button")
    await page.fill(f"{item} input", "a mistake")
    await page.click(f"{item} button.primary")
    await page.wait_for_selector(f"{item} .answer")
    await page.click(f"{item} button")
    took_back = f"() => document.querySelector('{item} .answer').textContent.includes('took it')"
    await until(page, took_back)
    assert await page.inner_text(f"{item} button") == "Dispute this"
