"""Who may do what: pure, and default deny (PRM-1). The table is `matrix.py`, what a decision is
made of `facts.py`, the predicates of the table's codes `bases.py`.

`decide` is for cameras, `decide_act` for everything else: consent, asking, logs, people and keys.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from village_core.permits import MEDIA, MEDIALESS, Action, Purpose
from village_hub.access import bases
from village_hub.access.bases import Asked, Stands
from village_hub.access.facts import Basis, CameraFacts, Permit, Reason, Refusal, Subject
from village_hub.access.matrix import Cell, Code, Column, Row, cells, ways

PERMIT_LIFE_MS = 90_000  # unasked, a permit lapses (design.md, Who decides)

PREDICATES: dict[Code, Callable[[Asked, Cell], Stands | Reason]] = {
    Code.O: bases.owner,
    Code.C: bases.consent,
    Code.S: bases.opening,
    Code.R: bases.request,
    Code.D: bases.duty,
    Code.M: bases.metadata,
    Code.A: bases.counts,
    Code.MAY: bases.may,
}

SHOWING = MEDIA | {Action.PTZ, Action.CARE}  # what a camera that is withheld gives nobody outside

# Of several refusals the one that tells most: the later in this list, the nearer it came.
_ORDER = (
    *(Reason.NO_BASIS, Reason.COUNTS_ONLY, Reason.NOT_RESPONDER, Reason.SCOPE, Reason.CLASS),
    *(Reason.SOS_CLOSED, Reason.NO_SHIFT, Reason.ACTION, Reason.STOPPED, Reason.EXPIRED),
    *(Reason.NOT_YET, Reason.TIME, Reason.CHAIN, Reason.STALE, Reason.PATIENT, Reason.NOT_APPROVED),
    *(Reason.NEED_TWO, Reason.SELF_APPROVAL, Reason.NO_NOTICE, Reason.WINDOW, Reason.CLIP_ONLY),
    *(Reason.PURPOSE, Reason.NO_REASON, Reason.SECOND),
    *(Reason.UNRECORDED, Reason.MASK, Reason.OBJECTION),
)
TELLING = {reason: place for place, reason in enumerate(_ORDER)}


def decide(
    subject: Subject,
    camera: CameraFacts,
    action: Action,
    purpose: Purpose | None,
    now: int,
    basis: Basis,
) -> Permit | Refusal:
    """The first way in the table that holds, else why not. `now` is UTC ms of the owner node's
    clock; `purpose` None is a word that is no purpose."""
    if action in MEDIA and not MEDIALESS.isdisjoint(subject.roles):
        return Refusal(Reason.NO_MEDIA)
    if purpose is None:
        return Refusal(Reason.PURPOSE)
    asked = bases.asked_of(subject, camera, action, purpose, now, basis)
    reasons: list[Reason] = []
    for row in bases.rows(asked):
        for cell in ways(row, action, camera.camera_class):
            found = PREDICATES[cell.code](asked, cell)
            if isinstance(found, Reason):
                reasons.append(found)
            elif found.outside and camera.withheld is not None and action in SHOWING:
                return Refusal(camera.withheld)
            elif cell.second and not _seconded(asked):
                reasons.append(Reason.SECOND)
            else:
                return _permit(asked, cell, found)
    return Refusal(max([*reasons, bases.nearest(asked)], key=TELLING.__getitem__))


def may_know(subject: Subject, camera: CameraFacts, now: int, basis: Basis) -> bool:
    """Whether the camera exists for this subject (PRM-2): it may be seen, or its health read, were
    the right purpose and reason given. Nobody knows of a camera by standing higher up."""
    said = replace(basis, reason=basis.reason or "list")
    return any(
        isinstance(decide(subject, camera, action, purpose, now, said), Permit)
        for action, purpose in _KNOWING
    )


@dataclass(frozen=True, slots=True)
class Opens:
    """What a live look may be for at the moment; `reason`: words are to be said as well."""

    purpose: Purpose
    reason: bool


def opens(subject: Subject, camera: CameraFacts, now: int, basis: Basis) -> tuple[Opens, ...]:
    """Every purpose for which the subject may see the camera live now: those that need no words
    first, and what public cameras are for before what else they may serve."""

    silent, said = replace(basis, reason=""), replace(basis, reason="words")

    def seen(purpose: Purpose, on: Basis) -> bool:
        return isinstance(decide(subject, camera, Action.LIVE, purpose, now, on), Permit)

    found = [Opens(each, not seen(each, silent)) for each in Purpose if seen(each, said)]
    usual = Purpose.PUBLIC_SECURITY
    return tuple(sorted(found, key=lambda each: (each.reason, each.purpose is not usual)))


_KNOWING = (
    (Action.HEALTH, Purpose.MAINTENANCE),
    *((Action.LIVE, purpose) for purpose in Purpose),
    (Action.CLIP, Purpose.OWN_VIEW),
)


@dataclass(frozen=True, slots=True)
class Allowance:
    """An act that the table has: `cells` say under which conditions, for the act's own service."""

    cells: tuple[Cell, ...]

    @property
    def second(self) -> bool:
        """A second person has to confirm, whichever way."""
        return all(cell.second for cell in self.cells)


def decide_act(
    subject: Subject, column: Column, relations: frozenset[Row] = frozenset()
) -> Allowance | Refusal:
    """What is no camera: `relations` are those to the household that it concerns."""
    rows = [*relations, *(Row(role.value) for role in sorted(subject.roles))]
    if not subject.roles:
        rows.append(Row.NEIGHBOUR)
    held = tuple(cell for row in rows for cell in cells(row, column) if cell.code is not Code.A)
    return Allowance(held) if held else Refusal(Reason.NO_BASIS)


def _seconded(asked: Asked) -> bool:
    second = asked.basis.second
    return second is not None and second != asked.subject.key


def _permit(asked: Asked, cell: Cell, found: Stands) -> Permit:
    basis = asked.basis
    lapses = asked.now + PERMIT_LIFE_MS
    return Permit(
        id=basis.decision,
        subject=asked.subject,
        via=basis.via,
        camera=asked.camera.id,
        quality=basis.quality,
        action=asked.action,
        purpose=asked.purpose,
        basis=cell.code.value,
        until=lapses if found.ends is None else min(lapses, found.ends),
        outside=found.outside,
        sign_in=basis.sign_in,
        ref=found.ref,
        opened=found.opened,
        reason=basis.reason,
        footage=basis.footage,
        grant=found.grant,
    )
