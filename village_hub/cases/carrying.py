"""Carrying out what a step brings about, inside the step's own transaction."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from village_core.ids import new_id
from village_hub.audit.entry import ALLOWED, Entry, EntryKind, Who
from village_hub.cases.effects import (
    Addressee,
    Effect,
    HangUp,
    Hold,
    HoldBack,
    Note,
    Pause,
    Prolong,
    Receipt,
    Release,
    Resume,
    Ring,
    Tell,
)
from village_hub.cases.matter import BY_RECEIPT, THE_CLOCK, Matter, Person, hour
from village_hub.catalogue import audit, camera_records, matters, notices, people, signs
from village_hub.catalogue.matters import HoldRow
from village_hub.catalogue.store import Session
from village_hub.errors import Conflict
from village_hub.notices import port, rings
from village_hub.notices.port import About, Event, To
from village_hub.notices.ringing import Callee


@dataclass(frozen=True, slots=True)
class Case:
    """In whose transaction, and about what."""

    session: Session
    hub: str
    kind: str
    matter: Matter
    by: Person
    now: int
    came_from: Mapping[str, str] = field(default_factory=dict)  # address and device (AUD-1)


@dataclass(frozen=True, slots=True)
class Refused:
    code: str
    at: int
    came_from: Mapping[str, str]


def carry_out(case: Case, effect: Effect) -> None:
    """All but those that begin or move other matters, which are the desk's, and Cut, which comes
    after the transaction."""
    match effect:
        case Tell():
            _tell(case, effect)
        case HoldBack():
            _hold_back(case, effect)
        case Note():
            _note(case, effect)
        case Hold():
            _hold(case, effect)
        case Prolong():
            matters.prolong_holds(case.session, case.matter.id, effect.until)
        case Release():
            matters.end_holds(case.session, case.matter.id, case.now)
        case Ring() | HangUp():
            _ring(case, effect)
        case _:
            _carry_out_for_objectors(case, effect)


def _carry_out_for_objectors(case: Case, effect: Effect) -> None:
    match effect:
        case Pause():
            camera_records.pause(case.session, effect.camera, case.matter.id)
        case Resume():
            _resume(case, effect)
        case Receipt():
            _receipt(case, effect)
        case _:
            raise TypeError(f"{effect} is not carried out here")


def _ring(case: Case, ring: Ring | HangUp) -> None:
    if isinstance(ring, HangUp):
        rings.end(case.session, case.matter.id, case.now)
        return
    callees = [
        Callee(each.holder, each.name, each.unit, each.hub if each.hub != case.hub else "")
        for each in ring.callees
    ]
    at = hour(case.now)
    sos = rings.Sos(case.matter.id, case.matter.household or "", ring.home, at, callees)
    rings.begin(case.session, sos, ring.settings, case.now)


def _tell(case: Case, tell: Tell) -> None:
    delay = tell.delay
    held = port.Delay(delay.until, delay.ground, delay.approver) if delay else None
    about = About(case.kind, case.matter.id)
    event = Event(tell.kind, about, case.now, tell.params, held)
    told = {whom: list(_reach(case, addressees)) for whom, addressees in tell.told.items()}
    port.announce(case.session, event, told)


def _reach(case: Case, addressees: Iterable[Addressee]) -> Iterable[To]:
    for each in addressees:
        hub = each.person[0] if each.person is not None else each.hub
        if hub not in ("", case.hub, BY_RECEIPT):
            person = each.person[1] if each.person is not None else None
            yield To.abroad(hub, person=person, unit=each.unit)
        elif each.person is not None and _is_known(case, *each.person):
            yield To.one(each.person[1], each.household)
        elif each.person is None and each.household is not None:
            yield To.owners(each.household)
        elif each.unit is not None:
            yield To.duty(each.unit)
        elif each.role is not None:
            yield To.all_with(each.role)


def _is_known(case: Case, issuer: str, person: str) -> bool:
    return issuer == case.hub and people.person(case.session, person) is not None


def _hold_back(case: Case, effect: HoldBack) -> None:
    for row in notices.about(case.session, case.kind, case.matter.id):
        if row.household != effect.household or row.progress.release_at <= case.now:
            continue
        if effect.until is None:
            port.release(case.session, row.id, case.now)
        else:
            delay = port.Delay(effect.until, effect.ground, effect.approver)
            port.hold_back(case.session, row.id, delay, case.now)


def _note(case: Case, note: Note) -> None:
    """AUD-1: in the log with the step itself, or neither is."""
    matter, asker = case.matter, case.matter.asker
    begin, end = note.footage or (None, None)
    entry = Entry.model_validate(
        {
            "id": new_id(),
            "utc_ms": case.now,
            "kind": EntryKind.SYSTEM if case.by == THE_CLOCK else EntryKind.ACT,
            "action": note.what,
            "result": ALLOWED,
            "who": None if case.by == THE_CLOCK else _who(case.by),
            "second": _who(asker) if case.by.key != asker.key else None,
            "camera": note.camera,
            "household": note.household or matter.household or "",
            "case": note.case or matter.incident,
            "grant": matter.id,
            "reason": note.why,
            "footage_from": begin,
            "footage_to": end,
            "about": {"matter": case.kind, "state": matter.state, **note.about},
            **({} if case.by.issuer == BY_RECEIPT else case.came_from),  # anonymous stays so
        }
    )
    audit.append(case.session, entry)


def note_refused(session: Session, by: Person, tried: str, tried_on: str, refused: Refused) -> None:
    """AUD-1: attempts that were denied, too."""
    entry = Entry.model_validate(
        {
            "id": new_id(),
            "utc_ms": refused.at,
            "kind": EntryKind.ACT,
            "action": f"try.{tried}",
            "result": refused.code,
            "who": _who(by),
            "grant": tried_on,
            **refused.came_from,
        }
    )
    audit.append(session, entry)


def _who(person: Person) -> Who:
    return Who(
        issuer=person.issuer,
        id=person.id,
        name=person.name,
        unit=person.unit or "",
        unit_name=person.unit_name,
        roles=tuple(role.value for role in person.roles),
    )


def _resume(case: Case, effect: Resume) -> None:
    """Another open objection pauses it from now on."""
    camera_records.resume(case.session, effect.camera, case.matter.id)
    others = matters.about_camera(case.session, effect.camera, case.kind)
    for other in others[:1]:
        camera_records.pause(case.session, effect.camera, other.id)


def _receipt(case: Case, effect: Receipt) -> None:
    if not signs.add_receipt(case.session, effect.digest, case.matter.id, effect.source):
        raise Conflict("yours is open already: use its receipt", code="already_open")


def _hold(case: Case, hold: Hold) -> None:
    row = HoldRow(
        id=new_id(),
        matter=case.matter.id,
        kind=hold.kind,
        camera=hold.camera,
        place=hold.area.place if hold.area else None,
        area=hold.area.model_dump_json() if hold.area else None,
        begin=hold.begin,
        end=hold.end,
        until=hold.until,
    )
    matters.add_hold(case.session, row)
