"""Passkeys with a real browser, its virtual USB key and the real hub (IDN-11)."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest
from playwright.async_api import CDPSession, Page, Request

from tests.browser.conftest import Visit, browser_fixture, in_browser, until
from tests.browser.real import RealHub, real_hub
from tests.hub.clock import TurnedClock
from tests.hub.people import People
from village_core.clock import SYSTEM_CLOCK
from village_core.ids import new_id, new_secret
from village_core.permits import Role
from village_hub import keys
from village_hub.access import codes
from village_hub.access.credentials import digest
from village_hub.catalogue import people
from village_hub.catalogue.models import OneTimeCode

pytestmark = [*in_browser]

USB = {
    "protocol": "ctap2",
    "transport": "usb",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


class Staff(People):
    """The people of a real hub."""

    def __init__(self, village: RealHub) -> None:
        self.app = village.app
        self.clock = cast("TurnedClock", SYSTEM_CLOCK)


@browser_fixture
async def village(tmp_path: Path) -> AsyncIterator[RealHub]:
    async with real_hub(tmp_path, named=True) as running:
        yield running


@pytest.fixture
def site(village: RealHub) -> str:
    return village.url


class Key:
    """The browser's virtual key."""

    def __init__(self, cdp: CDPSession, name: str) -> None:
        self._cdp = cdp
        self._name = name

    @classmethod
    async def plug_in(cls, page: Page, **more: object) -> "Key":
        cdp = await page.context.new_cdp_session(page)
        await cdp.send("WebAuthn.enable")
        added = await cdp.send("WebAuthn.addVirtualAuthenticator", {"options": {**USB, **more}})
        return cls(cdp, added["authenticatorId"])

    async def credentials(self) -> list[dict[str, Any]]:
        found = await self._cdp.send("WebAuthn.getCredentials", {"authenticatorId": self._name})
        credentials: list[dict[str, Any]] = found["credentials"]
        return credentials

    async def set_back(self, count: int) -> None:
        """What a copy of the key looks like: the same key, its counter behind."""
        (credential,) = await self.credentials()
        which = {"authenticatorId": self._name, "credentialId": credential["credentialId"]}
        await self._cdp.send("WebAuthn.removeCredential", which)
        copy = {**credential, "signCount": count}
        await self._cdp.send(
            "WebAuthn.addCredential", {"authenticatorId": self._name, "credential": copy}
        )

    async def verify(self, *, verified: bool) -> None:
        which = {"authenticatorId": self._name, "isUserVerified": verified}
        await self._cdp.send("WebAuthn.setUserVerified", which)


async def enrolled(visit: Visit, village: RealHub) -> tuple[Page, Key]:
    """Somebody of the committee who has added a USB key by the link, at the sign-in page."""
    staff = Staff(village)
    person = await staff.named("陈平")
    await staff.appointed(person, Role.COMMITTEE, await staff.unit("committee"))
    page = await visit(f"/enrol#code={await enrolment_code(village, person)}", locale="en-GB")
    key = await Key.plug_in(page)
    assert "#" not in page.url
    await page.fill("#name", "Red USB")
    await page.click("button[type=submit]")
    await page.wait_for_url(village.url + "/sign-in")
    return page, key


async def enrolment_code(village: RealHub, person: str) -> str:
    code, now = new_secret(), SYSTEM_CLOCK.utc_ms()
    row = OneTimeCode(
        id=new_id(),
        person_id=person,
        digest=digest(code),
        tries=5,
        expires=now + 60_000,
        capacity=people.PASSKEY,
    )
    await village.app[keys.CATALOGUE].write(people.add_code, row, now)
    return code


async def told(page: Page) -> str:
    await until(page, "() => document.getElementById('key-error').textContent")
    return await page.inner_text("#key-error")


async def me(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = await page.evaluate("async () => (await fetch('/api/v1/me')).json()")
    return found


async def test_staff_add_a_usb_key_by_a_link_and_sign_in_on_duty(
    visit: Visit, village: RealHub
) -> None:
    page, key = await enrolled(visit, village)
    (credential,) = await key.credentials()
    assert credential["isResidentCredential"] is True
    await page.click("#with-key")
    await page.wait_for_url(village.url + "/")
    assert (await me(page))["duty"]["roles"] == ["committee"]
    await page.click('a[href="/account"]')
    await page.wait_for_selector("text=Red USB")
    await page.click("text=Start")
    await page.wait_for_selector("text=On duty until")
    assert (await page.inner_text("#keys")).count("For duty.") == 1


async def test_a_villager_adds_a_key_at_home_and_signs_in_with_it(
    visit: Visit, village: RealHub
) -> None:
    code = await village.app[keys.CATALOGUE].write(codes.link, SYSTEM_CLOCK, village.person)
    page = await visit(f"/sign-in#code={code}", locale="en-GB")
    await page.wait_for_url(village.url + "/")
    await Key.plug_in(page, transport="internal")
    await page.goto(village.url + "/account")
    await page.fill("#key-name", "My phone")
    await page.click("text=Add a passkey")
    await page.wait_for_selector("text=At home only.")
    await page.click("[data-sign-out]")
    await page.wait_for_url(village.url + "/sign-in")
    await page.click("#with-key")
    await page.wait_for_url(village.url + "/")
    assert (await me(page))["id"] == village.person


async def test_whoever_is_several_chooses_as_what_they_come(visit: Visit, village: RealHub) -> None:
    staff = Staff(village)
    await staff.appointed(village.person, Role.COMMITTEE, await staff.unit("committee"))
    code = await enrolment_code(village, village.person)
    page = await visit(f"/enrol#code={code}", locale="en-GB")
    await Key.plug_in(page)
    await page.click("button[type=submit]")
    await page.wait_for_url(village.url + "/sign-in")
    await page.click("#with-key")
    await page.click("text=Village committee · The committee")
    await page.wait_for_url(village.url + "/")
    assert (await me(page))["duty"]["roles"] == ["committee"]


async def test_a_key_that_does_not_verify_its_person_is_refused(
    visit: Visit, village: RealHub
) -> None:
    """UV: a key without its PIN."""
    page, key = await enrolled(visit, village)
    await key.verify(verified=False)
    await page.click("#with-key")
    assert "not used" in await told(page)
    await key.verify(verified=True)
    await page.click("#with-key")
    await page.wait_for_url(village.url + "/")


async def test_a_replayed_answer_is_refused(visit: Visit, village: RealHub) -> None:
    page, _ = await enrolled(visit, village)
    sent: list[str] = []

    def note(request: Request) -> None:
        if request.url.endswith("/sign-in/finish"):
            sent.append(request.post_data or "")

    page.on("request", note)
    await page.click("#with-key")
    await page.wait_for_url(village.url + "/")
    again = """
    async (body) => {
      const headers = {"Content-Type": "application/json"};
      const path = "/api/v1/passkeys/sign-in/finish";
      const response = await fetch(path, {method: "POST", headers, body});
      return [response.status, (await response.json()).code];
    }
    """
    assert await page.evaluate(again, sent[0]) == [403, "bad_passkey"]
    fresh = "async () => (await fetch('/api/v1/passkeys/sign-in/begin', {method: 'POST'})).json()"
    begun = await page.evaluate(fresh)
    body = {**json.loads(sent[0]), "ceremony": begun["ceremony"]}
    assert await page.evaluate(again, json.dumps(body)) == [403, "bad_passkey"]


async def test_a_copied_key_is_noticed(visit: Visit, village: RealHub) -> None:
    page, key = await enrolled(visit, village)
    await page.click("#with-key")
    await page.wait_for_url(village.url + "/")
    await page.goto(village.url + "/sign-in")
    await key.set_back(0)
    await page.click("#with-key")
    assert "not accepted" in await told(page)


async def test_at_another_address_the_key_stays_silent(visit: Visit, village: RealHub) -> None:
    """The browser itself lets no other origin ask for the hub's keys."""
    page, _ = await enrolled(visit, village)
    await page.goto(village.url.replace("localhost", "127.0.0.1") + "/sign-in")
    await page.click("#with-key")
    assert "do not work at this address" in await told(page)


async def test_a_screen_is_opened_on_the_page(visit: Visit, village: RealHub) -> None:
    """IDN-12: the page shows the screen's name and place before it is opened."""
    page, _ = await enrolled(visit, village)
    await page.click("#with-key")
    await page.wait_for_url(village.url + "/")
    ask = """
    async () => {
      const body = new URLSearchParams(
        {client_id: "kiosk", device_name: "Duty room", place: "First floor"});
      return (await fetch("/api/v1/device/authorize", {method: "POST", body})).json();
    }
    """
    screen = await page.evaluate(ask)
    await page.evaluate("async () => Village.post('/api/v1/me/shift', {})")
    await page.goto(screen["verification_uri_complete"])
    assert "#" not in page.url
    await page.click("button[type=submit]")
    await page.wait_for_selector("#opens:visible")
    assert await page.inner_text("#screen-name") == "Duty room"
    assert await page.inner_text("#screen-place") == "First floor"
    await page.click("#opens")
    await page.wait_for_selector("text=Open until your shift ends.")
