"""Lines of a home's own log in the words of the audit log (AUD-2). Pure.

A look that the hub decided on has entries of its own already. What a home tells of besides becomes
entries that say they come from there: the household's own view while the hub could not write, an
SOS that was pressed at home. A look from outside that the hub knows nothing of, or knows as another
one, is for the auditor as well: nobody decided on it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from village_core.clock import Clock
from village_core.ids import new_id
from village_core.messages import LogLine
from village_core.permits import PermitNote
from village_hub.audit import making
from village_hub.audit.cleaning import clean
from village_hub.audit.entry import ALLOWED, Entry, EntryKind, Who
from village_hub.audit.home_chain import Found

FROM_HOME = "home_line"  # in `about`: the line's number at home
UNKNOWN_LOOK = "home_look_unknown"
SOS_AT_HOME = "sos_at_home"
OLDEST = 100 * 24 * 3600 * 1000  # ms: a home keeps its log for three months
AHEAD = 60_000  # ms that a box's clock may be fast
LOOKS = {"push": EntryKind.VIEW_START, "still": EntryKind.DECISION}
ENDED = {  # what the home says -> the word in the log
    "its time is over": "expired",
    "revoked by the hub": "revoked",
    "the household stopped what it stood on": "revoked",
}

Known = Mapping[str, Sequence[Entry]]
"""Entries by the permit that they name, in the order of their times."""


@dataclass(frozen=True, slots=True)
class Home:
    node: str
    household: str
    cameras: Mapping[str, str]  # names by id


def permits_of(lines: Sequence[LogLine]) -> frozenset[str]:
    """Those that lines name, as entries write them."""
    named = {line.permit.id if line.permit else line.ref for line in lines}
    return frozenset(_id(each) for each in named if each)


def entries_of(line: LogLine, home: Home, known: Known, clock: Clock) -> list[Entry]:
    """What the hub's log lacks of it; mostly nothing."""
    if line.event == "ended":
        return _end(line, known, clock)
    if line.event == "sos":
        about = {FROM_HOME: line.number, "home_hash": line.hash, "how": line.why}
        return [_entry(line, home, clock, kind=EntryKind.ACT, action=SOS_AT_HOME, about=about)]
    if line.event in LOOKS and line.permit is not None:
        return _look(line, line.permit, home, known, clock)
    return []


def entry_of_fault(found: Found, home: Home, clock: Clock) -> Entry:
    about = {"node": home.node, "first": found.first, "last": found.last, "lines": found.count}
    return making.system(clock, found.fault.value, household=home.household, about=about)


def _look(line: LogLine, note: PermitNote, home: Home, known: Known, clock: Clock) -> list[Entry]:
    kind, about = LOOKS[line.event], {FROM_HOME: line.number, "home_hash": line.hash}
    said = _said(note, home)
    look = _entry(line, home, clock, kind=kind, action=note.action.value, about=about, **said)
    there = known.get(look.permit, ())
    if there and not any(_is_of_hub(each) for each in there):
        return []  # told before: one view at two qualities
    if any(_allowed(each, note) for each in there):
        return []
    if not note.outside:
        return [look]
    told = {**about, "why": "differs" if there else "unknown"}
    shared = {name: said[name] for name in ("who", "camera", "camera_name")}
    odd = _entry(
        line, home, clock, kind=EntryKind.SYSTEM, action=UNKNOWN_LOOK, about=told, **shared
    )
    return [look, odd]


def _end(line: LogLine, known: Known, clock: Clock) -> list[Entry]:
    """Of a view that only the home told of."""
    there = known.get(_id(line.ref), ())
    begun = [each for each in there if each.kind is EntryKind.VIEW_START and not _is_of_hub(each)]
    if not begun or any(each.kind is EntryKind.VIEW_END for each in there):
        return []
    start, at = begun[0], _time(line, clock)
    about = {
        FROM_HOME: line.number,
        "home_hash": line.hash,
        "why": ENDED.get(line.why, "left"),
        "start": start.id,
        "start_ms": start.utc_ms,
    }
    changed = {
        "id": new_id(clock),
        "utc_ms": at,
        "kind": EntryKind.VIEW_END,
        "seconds": max(0, at - start.utc_ms) // 1000,
        "about": about,
    }
    return [start.model_copy(update=changed)]


def _said(note: PermitNote, home: Home) -> dict[str, Any]:
    """Of a camera of another home nothing is taken over."""
    here = note.camera in home.cameras
    return {
        "who": Who(
            issuer=note.issuer or note.via,
            id=note.subject,
            name=note.name,
            unit=note.unit,
            unit_name=note.unit_name,
            roles=tuple(role.value for role in note.roles),
        ),
        "camera": note.camera if here else "",
        "camera_name": home.cameras.get(note.camera, ""),
        "quality": note.quality.value,
        "purpose": note.purpose.value,
        "basis": note.basis,
        "grant": note.opening,
        "permit": note.id,
        "reason": note.reason,
    }


def _entry(line: LogLine, home: Home, clock: Clock, **more: Any) -> Entry:
    return Entry.model_validate(
        {
            "id": new_id(clock),
            "utc_ms": _time(line, clock),
            "result": ALLOWED,
            "household": home.household,
            "late": True,
            **more,
        }
    )


def _time(line: LogLine, clock: Clock) -> int:
    """By the box's clock, unless that cannot be."""
    now = clock.utc_ms()
    return line.at if now - OLDEST <= line.at <= now + AHEAD else now


def _is_of_hub(entry: Entry) -> bool:
    return FROM_HOME not in entry.about


def _allowed(entry: Entry, note: PermitNote) -> bool:
    """What the home let out is what the hub decided on."""
    if entry.who is None or not entry.allowed or not _is_of_hub(entry):
        return False
    return (entry.camera, entry.who.id) == (_id(note.camera), _id(note.subject))


def _id(text: str) -> str:
    return clean(text, 100)
