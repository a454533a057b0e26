"""What the API of every kind of matter has in common: who acts, lists, one matter, and its steps.

A matter that somebody may not know of is 404. `If-Match` with the version (ETag) that was read
makes a step fail with 412 when somebody else was quicker; without it the step is taken on whatever
state it is in, which its own table then allows or not.
"""

import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from aiohttp import web
from pydantic import BaseModel

from village_core.permits import Role
from village_hub import keys
from village_hub.access.guard import by_hand, person
from village_hub.access.identity import PersonCaller
from village_hub.access.matrix import Column
from village_hub.api import bodies
from village_hub.api.contract import Page, Paging, Shape, operation, read_query, reply
from village_hub.cases.desk import Check, Kept, kept_of
from village_hub.cases.matter import Act, Kind, Matter, Next, Person, StepRefused
from village_hub.cases.places import named_public, owned_by
from village_hub.cases.seeing import Eyes, eyes
from village_hub.cases.things import PublicCamera
from village_hub.catalogue import matters
from village_hub.catalogue.matters import MatterRow, Wanted
from village_hub.catalogue.store import Session
from village_hub.errors import (
    BadChild,
    BadRequest,
    ChildTimeout,
    Conflict,
    Forbidden,
    NotFound,
    PreconditionFailed,
    Unprocessable,
)

M = TypeVar("M", bound=Matter)
S = TypeVar("S", bound=BaseModel)
Handler = Callable[[web.Request], Awaitable[web.Response]]
FAR = (Conflict, BadChild, ChildTimeout)  # of a matter that another hub keeps
FAULTS = (Forbidden, NotFound, PreconditionFailed, Unprocessable, *FAR)
MOST_OPEN = 20  # that one villager has asked and that are not over
BY_PLACE = frozenset({"sos", "objection"})  # not by the unit that asked
VERSION = re.compile(r'"(\d{1,9})"')


class PersonShown(Shape):
    name: str
    unit: str


class Shown(Shape):
    """What every matter shows. `acts`: what the reader may do with it now. Times in UTC ms."""

    id: str
    version: int
    state: str
    opened: int
    closed: int | None
    due: int | None
    acts: list[str]


class MatterList(Paging):
    """`open`: only those that are not over."""

    open: bool = False


@dataclass(frozen=True, slots=True)
class Sight(Generic[M]):
    """One matter before one reader. `beside`: what its `Resource` has looked up besides."""

    kept: Kept[M]
    eyes: Eyes
    by: Person
    now: int
    beside: Any = None


@dataclass(frozen=True, slots=True)
class Resource(Generic[M, S]):
    """A kind of matter in the API; `show` says what a reader is shown of one, with what `beside`
    reads for it where the document does not have it."""

    kind: Kind[M]
    path: str
    answer: type[S]
    show: Callable[[Sight[M]], S]
    beside: Callable[[web.Request, M], Awaitable[Any]] | None = None

    async def look(self, request: web.Request, by: Person) -> Sight[M]:
        """The matter that the path names. Raises NotFound."""
        desk, now = request.app[keys.DESK], request.app[keys.CLOCK].utc_ms()
        kept = await desk.find(self.kind.document, request.match_info["matter"])
        sight = await self._sight(request, kept, by, now)
        if sight is None:
            raise NotFound("there is no such matter", code="no_such_matter")
        return sight

    async def _sight(
        self, request: web.Request, kept: Kept[M], by: Person, now: int
    ) -> Sight[M] | None:
        """None: there is no such matter for them."""
        seen = eyes(self.kind, kept.matter, by, now)
        if seen is None:
            return None
        beside = await self.beside(request, kept.matter) if self.beside else None
        return Sight(kept, seen, by, now, beside)

    def answered(self, sight: Sight[M], status: int = 200) -> web.Response:
        etag = f'"{sight.kept.version}"'
        response = reply(self.show(sight), status=status, ETag=etag)
        if status == 201:
            response.headers["Location"] = f"{self.path}/{sight.kept.matter.id}"
        return response

    async def open(
        self,
        request: web.Request,
        by: Person,
        begin: Callable[[int], Next[M]],
        check: Check | None = None,
    ) -> web.Response:
        """201. `begin` is given the time, and may refuse; `check` is the desk's."""
        desk, now = request.app[keys.DESK], request.app[keys.CLOCK].utc_ms()
        try:
            began = begin(now)
        except StepRefused as refused:
            await desk.note_refused(by, self.kind.name, refused)
            raise refused.to_caller() from refused
        kept = await desk.open(began, by, check)
        return self.answered(Sight(kept, Eyes.UNIT if by.roles else Eyes.ASKER, by, now), 201)

    async def step(
        self, request: web.Request, act: Act, seen: Kept[M] | None = None
    ) -> web.Response:
        """The act on the matter that the path names, by who calls. `seen`: the state that the act
        was made of, where it was; on another it is not taken."""
        by = await acting(request)
        sight = await self.look(request, by)
        desk, version = request.app[keys.DESK], version_of(request)
        if version is None and seen is not None:
            version = seen.version
        kept = await desk.act(sight.kept.matter.id, act, by, version)
        return self.answered(replace(sight, kept=kept))

    def handler(self, act: type[Act], sentence: str) -> Handler:
        """For acts that bring all they say with them."""
        bare = not act.model_fields

        @operation(body=None if bare else act, answer=self.answer, errors=FAULTS)
        async def handle(request: web.Request) -> web.Response:
            return await self.step(request, act() if bare else await bodies.read(request, act))

        handle.__doc__ = sentence
        return handle

    def listing(self, sentence: str) -> Handler:
        @operation(query=MatterList, answer=Page[self.answer])  # type: ignore[name-defined]
        async def handle(request: web.Request) -> web.Response:
            query, by = read_query(request, MatterList), await reading(request)
            rows = await _rows(request, by, query, self.kind.name)
            now = request.app[keys.CLOCK].utc_ms()
            items = [
                self.show(sight)
                for kept in map(kept_of, rows[: query.limit])
                if (sight := await self._sight(request, kept, by, now)) is not None
            ]
            after = rows[query.limit - 1].id if len(rows) > query.limit else None
            return reply(Page[self.answer](items=items, next=after))  # type: ignore[name-defined]

        handle.__doc__ = sentence
        return handle

    def one(self, sentence: str) -> Handler:
        @operation(answer=self.answer, errors=(NotFound, *FAR))
        async def handle(request: web.Request) -> web.Response:
            return self.answered(await self.look(request, await reading(request)))

        handle.__doc__ = sentence
        return handle

    def common(self, sight: Sight[M]) -> dict[str, Any]:
        """The fields of `Shown`."""
        matter = sight.kept.matter
        return {
            "id": matter.id,
            "version": sight.kept.version,
            "state": matter.state,
            "opened": matter.opened,
            "closed": matter.closed,
            "due": self.kind.due(matter),
            "acts": self.kind.may(matter, sight.by),
        }


async def acting(request: web.Request) -> Person:
    """Who calls, on a device of their own, with the households they own."""
    return await _person(request, by_hand(request))


async def at_home(request: web.Request) -> Person:
    """Who calls for themselves. Raises Forbidden for somebody on duty."""
    by = await acting(request)
    if by.roles:
        raise Forbidden("sign in as yourself, not on duty", code="not_on_duty")
    return by


def not_too_many(request: web.Request, by: Person, kind: Kind[Any]) -> Check:
    """Nobody buries those who answer: raises Unprocessable."""
    wanted, now = Wanted((kind.name,), MOST_OPEN, open_only=True), request.app[keys.CLOCK].utc_ms()

    def check(session: Session) -> None:
        if len(matters.of_villager(session, by.key, (), now, wanted)) >= MOST_OPEN:
            raise Unprocessable("too many of yours wait for an answer", code="too_many_open")

    return check


async def of_public_places(
    request: web.Request, cameras: Iterable[str], place: str
) -> tuple[PublicCamera, ...]:
    """Cameras that somebody names. Raises Unprocessable unless they are of public places there."""
    names = tuple(dict.fromkeys(cameras))
    found = await request.app[keys.CATALOGUE].read(named_public, names, place)
    if len(found) != len(names):
        raise Unprocessable("only cameras of public places there", code="not_public")
    return found


async def reading(request: web.Request) -> Person:
    return await _person(request, person(request))


async def asking(request: web.Request) -> Person:
    """Who may ask for footage at all. Raises Refused."""
    caller = by_hand(request)
    await request.app[keys.GUARD].allow(caller, Column.ASK)
    return await _person(request, caller)


async def _person(request: web.Request, caller: PersonCaller) -> Person:
    subject = caller.subject
    if subject.roles or subject.issuer != request.app[keys.NODE].id:
        return Person.of(subject)
    owned = await request.app[keys.CATALOGUE].read(owned_by, subject.id)
    return Person.of(subject, owned)


def version_of(request: web.Request) -> int | None:
    """Of If-Match. Raises BadRequest."""
    said = request.headers.get("If-Match")
    if said is None or said.strip() == "*":
        return None
    found = VERSION.fullmatch(said.strip())
    if found is None:
        raise BadRequest('If-Match is to be a version, such as "3"', code="bad_if_match")
    return int(found[1])


def named(person: Person | None) -> PersonShown | None:
    return PersonShown(name=person.name, unit=person.unit_name) if person else None


async def _rows(request: web.Request, by: Person, query: MatterList, kind: str) -> list[MatterRow]:
    """One more than a page, newest first; what the reader may not see is left out later."""
    read, now = request.app[keys.CATALOGUE].read, request.app[keys.CLOCK].utc_ms()
    wanted = Wanted((kind,), query.limit + 1, query.after, query.open)
    if by.holds(Role.AUDITOR):
        return await read(matters.everything, wanted)
    if by.holds(Role.COMMITTEE) and by.place:
        return await read(matters.in_place, by.place, wanted)
    if by.roles and kind in BY_PLACE and by.place:  # which of them are theirs, `eyes` says
        return await read(matters.in_place, by.place, wanted)
    if by.roles:
        return await read(matters.of_unit, by.issuer, by.unit or "", wanted)
    return await read(matters.of_villager, by.key, by.owns, now, wanted)
