"""A household whose box is connected: real keys and real signatures, a scripted home."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientWebSocketResponse, WSMsgType

from tests.hub.authenticator import SecurityKey
from tests.hub.support import Agent, Hub, Viewer, camera_note, until
from tests.hub.test_camera_records import approve, put, wish
from village_core.grant_tokens import AtHome, StatusPlace, sign_grant
from village_core.grants import GrantTerms
from village_core.messages import Answer, DraftNote, GrantList, GrantNote, Request, StoppedNote
from village_core.permits import CameraClass
from village_core.tokens import Issuer
from village_hub import keys

SITE = "https://hub.village.test"
DAY, HOUR = 24 * 3600 * 1000, 3600 * 1000


@dataclass
class Box:
    """The home's box: what it answers, and what it heard."""

    hub: Hub
    agent: Agent
    socket: ClientWebSocketResponse | None = None
    says: int = 201  # to a draft: 201 signs it, 202 keeps it for the household, else refuses
    code: str = "unknown_owner"
    signs: GrantTerms | None = None  # other terms than those it was sent
    place: StatusPlace | None = None  # another place in the status list
    drafts: list[DraftNote] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    given: dict[str, str] = field(default_factory=dict)  # draft -> text

    def sign(self, terms: GrantTerms, **more: Any) -> str:
        """As the household key signs."""
        issuer = Issuer(self.agent.household, self.agent.household_key, self.hub.clock)
        return sign_grant(issuer, self.hub.id, terms, more.pop("confirmed", AtHome()), **more)

    async def tell(self, said: GrantList) -> tuple[int, Any]:
        """PUT /api/v1/node/grants."""
        headers = {**self.hub.node_token(self.agent), "Content-Type": "application/json"}
        answer = await self.hub.ask(
            "PUT", "/api/v1/node/grants", data=said.model_dump_json(), headers=headers
        )
        return answer.status, await answer.json()

    async def gave(self, text: str, grant: str, draft: str = "", stopped: int | None = None) -> Any:
        note = GrantNote(id=grant, draft=draft, grant=text, stopped=stopped)
        return await self.tell(GrantList(grants=(note,)))

    async def stops(self, grant: str) -> Any:
        at = self.hub.clock.utc_ms()
        return await self.tell(GrantList(stopped=(StoppedNote(id=grant, at=at),)))

    async def answer_all(self) -> None:
        assert self.socket is not None
        async for message in self.socket:
            if message.type is WSMsgType.TEXT and "method" in (said := message.json()):
                answer = self._answer(Request.model_validate(said))
                await self.socket.send_str(answer.model_dump_json())

    def _answer(self, request: Request) -> Answer:
        if request.method == "DELETE" and request.path.startswith("/grants/"):
            self.stopped.append(request.path.removeprefix("/grants/"))
            return Answer(id=request.id, status=200)
        if (request.method, request.path) != ("POST", "/grants"):
            return Answer(id=request.id, status=404)
        note = DraftNote.model_validate(request.body)
        self.drafts.append(note)
        if self.says != 201:
            return Answer(id=request.id, status=self.says, body={"code": self.code})
        confirmed = note.confirmed or AtHome()
        status = self.place or note.status
        text = self.given.get(note.id) or self.sign(
            self.signs or note.terms, confirmed=confirmed, status=status
        )
        self.given[note.id] = text
        return Answer(id=request.id, status=201, body={"id": "g", "grant": text})


@dataclass
class Home:
    """`yard` is H-OUT and `room` H-IN, both on record and approved."""

    hub: Hub
    household: str
    owner: Viewer
    key: SecurityKey
    agent: Agent
    box: Box
    yard: str
    room: str

    def family(self, person: str, **more: Any) -> dict[str, Any]:
        """A wish: somebody of the family sees the yard until stopped."""
        return {
            "kind": "family",
            "purpose": "family",
            "actions": ["live", "still"],
            "cameras": [self.yard],
            "recipient": {"person": person, "contact": "138 0000 0000"},
            "why": "看看家里",
            **more,
        }

    def watch(self, unit: str, **more: Any) -> dict[str, Any]:
        """A wish: the committee looks after the yard at all hours for a week."""
        hours = [{"days": list(range(7)), "begin": 0, "end": 1440}]
        return {
            "kind": "away_watch",
            "purpose": "guard_home",
            "actions": ["live"],
            "cameras": [self.yard],
            "recipient": {"unit": unit, "role": "committee"},
            "hours": hours,
            "why": "外出打工",
            **more,
        }

    async def draft(self, wish: dict[str, Any], status: int = 201) -> Any:
        path = f"/api/v1/households/{self.household}/drafts"
        return await ask(self.hub, "POST", path, self.owner, wish, status)

    async def confirm(self, draft: Any, status: int = 200, **more: Any) -> Any:
        path = f"/api/v1/drafts/{draft['id']}/confirm"
        body = assertion(self.key, draft["challenge"], **more)
        return await ask(self.hub, "POST", path, self.owner, body, status)

    async def give(self, wish: dict[str, Any]) -> str:
        """The id of a grant that came of this wish."""
        given = await self.confirm(await self.draft(wish))
        assert given["state"] == "given", given
        grant: str = given["grant"]
        return grant

    async def stop(self, grant: str, by: Viewer | None = None, status: int = 200) -> Any:
        path = f"/api/v1/grants/{grant}/stop"
        return await ask(self.hub, "POST", path, by or self.owner, {}, status)


async def ask(
    hub: Hub, method: str, path: str, who: Viewer, body: Any = None, status: int = 200
) -> Any:
    more = {} if body is None else {"json": body}
    answer = await hub.ask(method, path, headers=who.headers, **more)
    hub.client.session.cookie_jar.clear()  # a prolonged session's: the next asks as somebody else
    text = await answer.text()
    assert answer.status == status, text
    return await answer.json() if text else None


def assertion(key: SecurityKey, challenge: str, **more: Any) -> dict[str, Any]:
    """As a browser's page sends it."""
    options = {"challenge": challenge, "rpId": "hub.village.test", "userVerification": "required"}
    made = key.get({**options, **more})
    said = made["response"]
    return {
        "credential": made["id"],
        "client_data": said["clientDataJSON"],
        "authenticator_data": said["authenticatorData"],
        "signature": said["signature"],
    }


async def passkey(hub: Hub, viewer: Viewer) -> SecurityKey:
    """A passkey of somebody signed in."""
    key = SecurityKey(SITE)
    begun = await ask(hub, "POST", "/api/v1/me/passkeys/begin", viewer, {})
    body = {"ceremony": begun["ceremony"], "credential": key.create(begun["options"])}
    await ask(hub, "POST", "/api/v1/me/passkeys", viewer, {**body, "name": "Key"}, 201)
    return key


async def recorded(hub: Hub, owner: Viewer, camera: str, **more: Any) -> None:
    status, _ = await put(hub, owner, camera, wish(**more))
    assert status == 200
    assert (await approve(hub, owner, camera, 1))[0] == 200


@asynccontextmanager
async def connected(box: Box) -> AsyncIterator[Box]:
    """The box's uplink is open."""
    headers = box.hub.node_token(box.agent)
    async with box.hub.client.ws_connect("/uplink", headers=headers) as socket:
        box.socket = socket
        answering = asyncio.create_task(box.answer_all())
        children = box.hub.app[keys.CHILDREN]
        await until(lambda: children.online(box.agent.id))
        yield box
    await answering
    await until(lambda: not children.online(box.agent.id))


async def new_home(hub: Hub) -> Home:
    """Not connected yet."""
    household = await hub.household()
    owner = await hub.sign_in(await hub.person(household))
    key = await passkey(hub, owner)
    agent = await hub.enrolled(household)
    yard = camera_note(camera_class=CameraClass.H_OUT, name="院子")
    room = camera_note(camera_class=CameraClass.H_IN, name="堂屋")
    assert await hub.tell(agent, yard, room) == 204
    await recorded(hub, owner, yard.id)
    await recorded(hub, owner, room.id, camera_class="H-IN", place="room")
    return Home(hub, household, owner, key, agent, Box(hub, agent), yard.id, room.id)


@asynccontextmanager
async def at_home(hub: Hub) -> AsyncIterator[Home]:
    """A household with its box connected."""
    home = await new_home(hub)
    async with connected(home.box):
        yield home
