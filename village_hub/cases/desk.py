"""The desk: loads a matter, takes a step, keeps it and carries out what comes of it, all in one
transaction. Of two who act at once one wins; the other is told how it stands now.

    kept = await desk.open(preserve.begin(terms, by, now), by)
    kept = await desk.act(request.id, Approve(), by, version=kept.version)

`run` is the job that acts when time is up. It may be run by several processes: a matter that was
moved meanwhile is not moved twice.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from village_core.clock import Clock
from village_hub.audit import making
from village_hub.cases.carrying import Case, Refused, carry_out, note_refused
from village_hub.cases.effects import Cut, Effect, Move, Spawn
from village_hub.cases.kinds import kind_of, kinds
from village_hub.cases.matter import (
    THE_CLOCK,
    Act,
    Kind,
    Matter,
    Next,
    Person,
    StepRefused,
    TimeIsUp,
)
from village_hub.catalogue import matters
from village_hub.catalogue.matters import MatterRow, StepRow
from village_hub.catalogue.store import Catalogue, Session
from village_hub.errors import Conflict, Forbidden, HubError, NotFound, PreconditionFailed

log = logging.getLogger(__name__)

M = TypeVar("M", bound=Matter)
Check = Callable[[Session], None]
LOOKS_EVERY = 5.0  # seconds
AT_ONCE = 100  # matters whose time is up, of one look
OPENED = "opened"  # the first line of every history


@dataclass(frozen=True, slots=True)
class Kept(Generic[M]):
    """A matter as it stands, and its version (ETag)."""

    matter: M
    version: int


class Desk:
    def __init__(
        self, hub: str, catalogue: Catalogue, clock: Clock, look_soon: Callable[[], None]
    ) -> None:
        self._hub = hub
        self._catalogue = catalogue
        self._clock = clock
        self._look_soon = look_soon  # at every open view: a basis has ended
        self.on_moved: list[Callable[[Matter], None]] = []  # after each step that was kept

    async def find(self, document: type[M], matter_id: str) -> Kept[M]:
        """Raises NotFound, also when it is of another kind."""
        row = await self._catalogue.read(matters.find, matter_id)
        found = kept_of(row) if row else None
        if found is None or not isinstance(found.matter, document):
            raise NotFound("there is no such matter", code="no_such_matter")
        return Kept(found.matter, found.version)

    async def open(self, began: Next[M], by: Person, check: Check | None = None) -> Kept[M]:
        """A new one; what its beginning brings about is carried out with it. `check` raises what
        stands against it: of two at once it lets one through."""
        work = self._work(by)
        await self._catalogue.write(work.open, began, check)
        self._after(work, began.matter)
        return Kept(began.matter, 1)

    async def act(
        self, matter_id: str, act: Act, by: Person, version: int | None = None
    ) -> Kept[Any]:
        """The step, taken and kept. Raises NotFound; what the kind's table refuses with; when it
        was moved meanwhile PreconditionFailed (`version` was given) or Conflict."""
        work = self._work(by)
        try:
            kept = await self._catalogue.write(work.move, matter_id, act, version)
        except StepRefused as refused:
            await self.note_refused(by, act.name, refused, matter_id)
            raise refused.to_caller() from refused
        self._after(work, kept.matter)
        return kept

    async def note_refused(
        self, by: Person, tried: str, refused: StepRefused, matter_id: str = ""
    ) -> None:
        """Into the audit log when it was not theirs to do; out of turn or wrongly filled in is
        nobody's concern (PRM-20: nor that somebody said no twice)."""
        if by == THE_CLOCK or refused.error is not Forbidden:
            return
        said = Refused(refused.code, self._clock.utc_ms(), making.called_from())
        await self._catalogue.write(note_refused, by, tried, matter_id, said)

    async def run(self) -> None:
        """A job."""
        while True:
            await self.look()
            await self._clock.sleep(LOOKS_EVERY)

    async def look(self) -> None:
        """Act for every matter whose time is up now."""
        due = await self._catalogue.read(matters.due, self._clock.utc_ms(), AT_ONCE)
        for matter_id in due:
            try:
                await self.act(matter_id, TimeIsUp(), THE_CLOCK)
            except (Conflict, NotFound) as error:  # somebody was quicker
                log.info("matter %s: %s", matter_id, error)
            except HubError as error:
                log.error("matter %s: %s", matter_id, error)  # noqa: TRY400

    def _work(self, by: Person) -> "_Work":
        return _Work(self._hub, by, self._clock.utc_ms(), making.called_from())

    def _after(self, work: "_Work", matter: Matter) -> None:
        if work.cut:
            self._look_soon()
        for told in self.on_moved:
            told(matter)


class _Work:
    """One transaction's work, in the database's thread."""

    def __init__(self, hub: str, by: Person, now: int, came_from: Mapping[str, str]) -> None:
        self._hub = hub
        self._by = by
        self._now = now
        self._came_from = came_from
        self.cut = False

    def open(self, session: Session, began: Next[Any], check: Check | None) -> None:
        if check is not None:
            check(session)
        self.begin(session, began)

    def begin(self, session: Session, began: Next[Any]) -> None:
        matter: Matter = began.matter
        kind = kind_of(matter)
        row = _row(kind, matter, 1)
        matters.add(session, row)
        self._keep_parts(
            session, kind, matter, StepRow(1, OPENED, self._name, "{}", *self._when(row))
        )
        self._carry(session, kind, matter, began.effects)

    def move(self, session: Session, matter_id: str, act: Act, version: int | None) -> Kept[Any]:
        row = matters.find(session, matter_id)
        if row is None:
            raise NotFound("there is no such matter", code="no_such_matter")
        before = kept_of(row)
        if version is not None and version != before.version:
            raise _moved(before, PreconditionFailed)
        kind = kinds()[row.kind]
        found = kind.step(before.matter, act, self._by, self._now)
        after = _row(kind, found.matter, before.version + 1)
        if not matters.keep(session, after):
            session.expire_all()
            newer = matters.find(session, matter_id) or row
            error = PreconditionFailed if version is not None else Conflict
            raise _moved(kept_of(newer), error)
        said = act.model_dump_json()
        step = StepRow(after.version, act.name, self._name, said, *self._when(after))
        self._keep_parts(session, kind, found.matter, step)
        self._carry(session, kind, found.matter, found.effects)
        return Kept(found.matter, after.version)

    @property
    def _name(self) -> str:
        return self._by.model_dump_json()

    def _when(self, row: MatterRow) -> tuple[str, int]:
        return row.state, self._now

    def _keep_parts(self, session: Session, kind: Kind[Any], matter: Matter, step: StepRow) -> None:
        matters.add_step(session, matter.id, step)
        cameras = ((each.camera, each.begin, each.end, each.state) for each in kind.cameras(matter))
        matters.set_cameras(session, matter.id, cameras)
        matters.set_households(session, matter.id, kind.households(matter))

    def _carry(
        self, session: Session, kind: Kind[Any], matter: Matter, effects: Iterable[Effect]
    ) -> None:
        case = Case(session, self._hub, kind.name, matter, self._by, self._now, self._came_from)
        for effect in effects:
            match effect:
                case Cut():
                    self.cut = True
                case Spawn():
                    self.begin(session, effect.began)
                case Move():
                    self._move_other(session, effect)
                case _:
                    carry_out(case, effect)

    def _move_other(self, session: Session, effect: Move) -> None:
        """By the clock: it follows from this step, whoever took it."""
        work = _Work(self._hub, THE_CLOCK, self._now, {})
        try:
            work.move(session, effect.matter, effect.act, None)
        except StepRefused as refused:
            log.info("matter %s does not follow: %s", effect.matter, refused)
        self.cut = self.cut or work.cut


def _row(kind: Kind[Any], matter: Matter, version: int) -> MatterRow:
    return MatterRow(
        id=matter.id,
        kind=kind.name,
        state=matter.state,
        issuer=matter.asker.issuer,
        asker=matter.asker.id,
        unit=matter.asker.unit,
        household=matter.household,
        place=matter.place,
        incident=matter.incident,
        opened=matter.opened,
        due=kind.due(matter),
        closed=matter.closed,
        version=version,
        document=matter.model_dump_json(),
    )


def kept_of(row: MatterRow) -> Kept[Any]:
    """For lists, which read rows."""
    return Kept(kinds()[row.kind].document.model_validate_json(row.document), row.version)


def _moved(now: Kept[Any], error: type[HubError]) -> HubError:
    """The ETag is that of the version that it has now."""
    return error(
        f"somebody else was quicker: it is {now.matter.state} now",
        code="matter_moved",
        headers={"ETag": f'"{now.version}"'},
    )
