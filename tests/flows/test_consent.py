"""Consent from the owner's tap to the picture and its end, with the real hub, the real box at home
and real media (PRM-4, PRM-21, MED-17)."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from sqlmodel import Session

from home_agent.agent import Agent
from tests.agent.home import enrolled_agent, until
from tests.browser.real import RealHub, real_hub
from tests.hub.authenticator import SecurityKey
from tests.hub.consent.home import assertion
from tests.hub.support import until as eventually
from tests.hub.test_camera_records import wish
from tests.support.peers import Pull
from village_core.clock import SYSTEM_CLOCK
from village_core.ids import new_id
from village_core.jobs import Supervisor
from village_core.keys import encode
from village_core.permits import CameraClass
from village_hub import keys
from village_hub.access import codes
from village_hub.catalogue import passkeys, people
from village_hub.catalogue.consent_models import GrantRecord
from village_hub.catalogue.staff_models import Passkey

pytestmark = pytest.mark.timeout(120)

LATEST = 5.0  # seconds from the stop to the last packet (MED-17)
STILL_FLOWS = 1.0


@dataclass
class Village:
    """One household with its box, its owner's key, and the phones of those who look."""

    hub: RealHub
    agent: Agent
    http: ClientSession
    supervisor: Supervisor
    key: SecurityKey
    cookies: dict[str, str] = field(default_factory=dict)

    async def call(
        self, who: str, method: str, path: str, body: Any = None, status: int = 200
    ) -> Any:
        headers = {"Cookie": f"village={await self.cookie(who)}", "Origin": self.hub.url}
        more = {} if body is None else {"json": body}
        url = self.hub.url + path
        async with self.http.request(method, url, headers=headers, **more) as answer:
            self.http.cookie_jar.clear()
            text = await answer.text()
            assert answer.status == status, text
            return await answer.json() if text else None

    async def cookie(self, who: str) -> str:
        if who not in self.cookies:
            code = await self.hub.app[keys.CATALOGUE].write(codes.link, SYSTEM_CLOCK, who)
            headers, body = {"Origin": self.hub.url}, {"code": code}
            url = f"{self.hub.url}/api/v1/sign-in"
            async with self.http.post(url, json=body, headers=headers) as answer:
                assert answer.status == 200, await answer.text()
                self.cookies[who] = answer.cookies["village"].value
            self.http.cookie_jar.clear()
        return self.cookies[who]

    @property
    def camera(self) -> str:
        return next(iter(self.agent.cameras))

    async def guest(self, name: str) -> str:
        person = new_id()
        now = SYSTEM_CLOCK.utc_ms()
        await self.hub.app[keys.CATALOGUE].write(people.add_staff, person, name, now)
        return person

    async def draft(self, person: str, why: str = "看看家里") -> Any:
        said = {
            "kind": "family",
            "purpose": "family",
            "actions": ["live", "still"],
            "cameras": [self.camera],
            "recipient": {"person": person, "contact": "138 0000 0000"},
            "why": why,
        }
        path = f"/api/v1/households/{self.hub.household}/drafts"
        return await self.call(self.hub.person, "POST", path, said, 201)

    async def confirm(self, draft: Any) -> Any:
        path = f"/api/v1/drafts/{draft['id']}/confirm"
        body = assertion(self.key, draft["challenge"], rpId="localhost")
        return await self.call(self.hub.person, "POST", path, body)

    async def give(self, person: str, why: str = "看看家里") -> str:
        given = await self.confirm(await self.draft(person, why))
        assert given["state"] == "given", given
        grant: str = given["grant"]
        return grant

    async def stop(self, grant: str) -> None:
        await self.call(self.hub.person, "POST", f"/api/v1/grants/{grant}/stop", {})

    async def watch(self, person: str) -> Pull:
        path = f"/api/v1/cameras/{self.camera}/media-token"
        said = await self.call(person, "POST", path, {"purpose": "family"})
        return await Pull.start(
            f"{self.hub.url}/whep/{self.camera}",
            said["token"],
            http=self.http,
            supervisor=self.supervisor,
        )


async def owners_key(hub: RealHub) -> SecurityKey:
    key = SecurityKey(hub.url)
    key.user, key.rp = hub.person.encode(), "localhost"
    now = SYSTEM_CLOCK.utc_ms()
    row = Passkey(
        id=encode(key.id),
        person_id=hub.person,
        public_key=encode(key.cose),
        sign_count=0,
        transports="",
        name="a phone",
        created=now,
    )
    await hub.app[keys.CATALOGUE].write(passkeys.add, row, "", now)
    return key


async def recorded(village: Village) -> None:
    """The camera's place and view, approved by the owner: nothing else is shared."""
    path = f"/api/v1/cameras/{village.camera}/record"
    owner = village.hub.person
    await until(lambda: village.agent.link.connected)

    async def listed() -> bool:
        return bool((await village.call(owner, "GET", "/api/v1/cameras"))["cameras"])

    await eventually(listed)
    await village.call(owner, "PUT", path, wish())
    body = {"version": 1, "picture_sha256": "ab" * 32}
    await village.call(owner, "POST", path + "/approval", body)


@pytest.fixture
async def village(tmp_path: Path) -> AsyncIterator[Village]:
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(real_hub(tmp_path / "hub", named=True))
        key = await owners_key(hub)
        qr = await hub.app[keys.ENROLMENTS].new_qr(hub.household)
        home = tmp_path / "home"
        home.mkdir()
        boxed = enrolled_agent(home, qr.text(), class_=CameraClass.H_OUT)
        agent = await stack.enter_async_context(boxed)
        http = await stack.enter_async_context(ClientSession())
        supervisor = Supervisor()
        stack.push_async_callback(supervisor.stop)
        found = Village(hub, agent, http, supervisor, key)
        await recorded(found)
        yield found


async def confirmed_at_home(village: Village) -> None:
    """The owner's key is known at home only once somebody there says so."""
    owners = village.agent.consent.owners
    await until(lambda: bool(owners.waiting))
    (proposal,) = owners.waiting
    assert proposal.person == village.hub.person
    assert await village.agent.consent.confirm_owner(proposal.id)


async def test_a_key_that_the_home_does_not_know_gives_nothing(village: Village) -> None:
    """PRM-21: the hub's word for an owner's key is not enough."""
    person = await village.guest("小明")
    after = await village.confirm(await village.draft(person))
    assert (after["state"], after["refused"]) == ("refused", "unknown_passkey")
    await confirmed_at_home(village)
    grant = await village.give(person, "again")
    assert set(village.agent.consent.grants.standing()) == {grant}


async def test_no_leg_outlives_its_grant_by_five_seconds(village: Village) -> None:
    """MED-17: some look by three grants; two are stopped at random, the third goes on."""
    await confirmed_at_home(village)
    guests = [await village.guest(name) for name in ("小明", "小红", "小兰")]
    given = {person: await village.give(person) for person in guests}
    pulls = [(person, await village.watch(person)) for person in guests for _ in range(3)]
    await until(lambda: all(len(pull.peer.rtp) > 20 for _, pull in pulls), 30)
    shuffled = random.Random(11).sample(guests, 3)
    spared = shuffled.pop()
    loop = asyncio.get_running_loop()
    for person in shuffled:
        await village.stop(given[person])
        its = [pull for who, pull in pulls if who == person]
        stopped = loop.time()
        silent_since, seen = stopped, [len(pull.peer.rtp) for pull in its]
        while loop.time() < silent_since + STILL_FLOWS:
            await asyncio.sleep(0.05)
            if (now := [len(pull.peer.rtp) for pull in its]) != seen:
                silent_since, seen = loop.time(), now
            assert silent_since - stopped < LATEST, "packets came after the stop"
    before = [len(pull.peer.rtp) for who, pull in pulls if who == spared]
    await asyncio.sleep(STILL_FLOWS)
    after = [len(pull.peer.rtp) for who, pull in pulls if who == spared]
    assert all(one < other for one, other in zip(before, after, strict=True))
    for _, pull in pulls:
        await pull.stop()


async def test_a_stop_undone_in_the_database_brings_no_picture(village: Village) -> None:
    """PRM-21: the hub's books say valid again; the home keeps its own."""
    await confirmed_at_home(village)
    person = await village.guest("小明")
    grant = await village.give(person)
    await village.stop(grant)
    await until(lambda: grant in village.agent.consent.grants.stopped)

    def undo(session: Session) -> None:
        row = session.get_one(GrantRecord, grant)
        row.status, row.stopped = "valid", None

    await village.hub.app[keys.CATALOGUE].write(undo)
    shown = await village.call(person, "GET", f"/api/v1/grants/{grant}")
    assert shown["holds"], "the hub believes it"
    with pytest.raises(TimeoutError):  # the home says no, and the hub ends the session
        await village.watch(person)
    assert village.agent.pushes.running == []


async def test_a_stop_at_home_ends_the_look_and_is_known_at_the_hub(village: Village) -> None:
    await confirmed_at_home(village)
    person = await village.guest("小明")
    grant = await village.give(person)
    pull = await village.watch(person)
    await until(lambda: len(pull.peer.rtp) > 20, 30)
    assert await village.agent.consent.stop(grant, "lan")

    async def known() -> bool:
        return not (await village.call(person, "GET", f"/api/v1/grants/{grant}"))["holds"]

    await eventually(known, LATEST)
    await asyncio.sleep(0.5)
    seen = len(pull.peer.rtp)
    await asyncio.sleep(STILL_FLOWS)
    assert len(pull.peer.rtp) == seen
    await pull.stop()
