"""Calls about matters that a node below keeps, in the caller's own name, from their own hub."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ValidationError

from village_core.calls import (
    DIGEST,
    INLINE,
    PART,
    CallAnswered,
    CallAsked,
    Parts,
    PartSent,
    PartWanted,
    Way,
    call_digest,
    content_digest,
    exchange_call,
    packed,
    unpacked,
)
from village_core.clock import Clock
from village_core.ids import new_id
from village_core.keys import SigningKey
from village_core.messages import Answer
from village_core.tokens import Issuer
from village_hub.access.facts import Subject
from village_hub.access.identity import claims_of
from village_hub.catalogue.store import Catalogue
from village_hub.errors import BadChild, ChildOffline, ChildTimeout
from village_hub.tiers.borrowing import why_not
from village_hub.tiers.called import ASK_WITHIN, way_down
from village_hub.tiers.children import Children
from village_hub.tiers.parts import pieces
from village_hub.tiers.trust import Trust

log = logging.getLogger(__name__)

OFFLINE_RETRY = 5


@dataclass(frozen=True, slots=True)
class Owner:
    """The node that keeps a place's matters."""

    hub: str
    place: str


@dataclass(frozen=True, slots=True)
class Said:
    """A call as it came here."""

    method: str
    path: str  # with its query
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Heard:
    """The owner node's answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Calling:
    def __init__(
        self,
        hub: str,
        key: SigningKey,
        trust: Trust,
        catalogue: Catalogue,
        children: Children,
        *,
        clock: Clock,
    ) -> None:
        self._hub = hub
        self._issuer = Issuer(hub, key, clock)
        self._trust = trust
        self._catalogue = catalogue
        self._children = children
        self._clock = clock

    def owner_of(self, place: str) -> Owner | None:
        """Of an administrative code; None: this hub's own, or nobody's that is known."""
        found = self._trust.nearest(place)
        if found is None or found.issuer == self._hub:
            return None
        return Owner(found.issuer, found.place)

    async def call(self, subject: Subject, owner: Owner, said: Said) -> Heard:
        """Raises ChildOffline, ChildTimeout and other HubErrors: nothing is known to be done."""
        child = await self._catalogue.read(way_down, owner.place)
        if child is None:
            raise _offline()
        way = Way(to=owner.hub, place=owner.place)
        digest = content_digest(said.body) if said.body else ""
        asked: dict[str, object] = {
            "method": said.method,
            "path": said.path,
            "headers": dict(said.headers),
        }
        if len(said.body) > INLINE:
            asked["headers"] = {**said.headers, DIGEST: digest}
            asked["parts"] = await self._send(child, way, said.body)
        else:
            asked["data"] = packed(said.body)
        bound = call_digest(said.method, said.path, said.headers, digest)
        token = exchange_call(self._issuer, owner.hub, subject.id, claims_of(subject), bound)
        asked_all = CallAsked.model_validate({**way.model_dump(), **asked})
        answer = await self._ask(child, "/calls", asked_all, token)
        try:
            found = CallAnswered.model_validate(answer.body)
            body = unpacked(found.data)
        except (ValidationError, ValueError) as error:
            raise BadChild("the hub below gave an answer that makes no sense") from error
        if found.parts is not None:
            body = await self._fetch(child, way, found.parts)
        return Heard(found.status, {str(k): v for k, v in found.headers.items()}, body)

    async def _send(self, child: str, way: Way, body: bytes) -> Parts:
        name = new_id(self._clock)
        for number, piece in enumerate(pieces(body)):
            part = PartSent(**way.model_dump(), id=name, number=number, data=packed(piece))
            await self._ask(child, "/parts", part)
        return Parts(id=name, size=len(body))

    async def _fetch(self, child: str, way: Way, parts: Parts) -> bytes:
        found = bytearray()
        for number in range(-(-parts.size // PART)):
            wanted = PartWanted(**way.model_dump(), id=parts.id, number=number)
            answer = await self._ask(child, "/parts/read", wanted)
            try:
                found += unpacked(PartSent.model_validate(answer.body).data)
            except (ValidationError, ValueError) as error:
                raise BadChild("the hub below gave an answer that makes no sense") from error
        if len(found) != parts.size:
            raise BadChild("the hub below gave an answer that is not whole")
        return bytes(found)

    async def _ask(
        self, child: str, path: str, said: BaseModel, token: str | None = None
    ) -> Answer:
        try:
            answer = await self._children.ask(
                child, "POST", path, said, authorization=token, deadline=ASK_WITHIN
            )
            if answer.status != 200:
                raise why_not(answer)
        except ChildOffline as error:
            raise _offline() from error
        except ChildTimeout as error:
            raise ChildTimeout(
                "the village's hub did not answer in time: look whether it was done",
                code="hub_timeout",
                retry_after=OFFLINE_RETRY,
            ) from error
        return answer


def _offline() -> ChildOffline:
    return ChildOffline(
        "the line to the village's hub is down: nothing was done",
        code="hub_offline",
        retry_after=OFFLINE_RETRY,
    )
