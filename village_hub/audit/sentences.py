"""A line of the log in plain words, in Chinese and English, for the household it concerns (AUD-4).

Li, Xicun station, watched Gate camera 14:02-14:09, case 2026-123, approved by Zhao
"""

from collections.abc import Callable
from datetime import datetime

from village_core.permits import Action
from village_hub.audit.anomalies import HERE
from village_hub.audit.entry import Entry, EntryKind, Who
from village_hub.audit.home_lines import FROM_HOME
from village_hub.catalogue.audit_reading import Looked
from village_hub.pages.words import LANGUAGES, Words

HubName = Callable[[str], str]
"""What a hub is called, by its id."""
SAME_DAY, OTHER_DAY = "%H:%M", "%Y-%m-%d %H:%M"
LOOKS = frozenset(action.value for action in Action)


def sentence(looked: Looked, words: Words, hub_name: HubName) -> str:
    """What happened, on one line; of a look by staff also which hub signed them in (IDN-6)."""
    entry = looked.entry
    staff = entry.who is not None and bool(entry.who.roles) and entry.action in LOOKS
    parts = [
        _what(entry, words, _when(looked, words)),
        words("log.signed_in_at", hub=hub_name(entry.who.issuer)) if staff and entry.who else "",
        words("log.purpose", purpose=_purpose(entry, words)) if entry.purpose else "",
        words("log.case", case=entry.case) if entry.case else "",
        words("log.second", name=name(entry.second, words)) if entry.second else "",
        words("log.reason", reason=entry.reason) if entry.reason else "",
        words("log.unknown_end") if _cut_off(looked) else "",
        _late(entry, words),
    ]
    between = "，" if words.language == LANGUAGES[0] else ", "
    return between.join(part for part in parts if part)


def name(who: Who | None, words: Words) -> str:
    """The person, and the unit they stood for."""
    if who is None:
        return words("log.hub")
    person = who.name or words("log.somebody")
    for role in who.roles[:1]:
        person = words(f"log.role.{role}", name=person)
    return words("log.of_unit", name=person, unit=who.unit_name) if who.unit_name else person


def _what(entry: Entry, words: Words, when: str) -> str:
    camera = entry.camera_name or words("log.a_camera")
    who = name(entry.who, words)
    if entry.kind is EntryKind.ACT or entry.action not in LOOKS:
        key = f"log.act.{entry.action}"
        known = key if key in words.texts else "log.act.other"
        numbers = {name: str(entry.about.get(name, "")) for name in ("first", "last")}
        return words(known, who=who, when=when, action=entry.action, **numbers)
    if entry.allowed:
        return words(f"log.look.{entry.action}", who=who, camera=camera, when=when)
    return words(f"log.refused.{entry.action}", who=who, camera=camera, when=when)


def _when(looked: Looked, words: Words) -> str:
    begin = looked.entry.utc_ms
    if looked.entry.kind is not EntryKind.VIEW_START:
        return _time(begin, OTHER_DAY)
    if looked.end is None:
        return words("log.since", begin=_time(begin, OTHER_DAY))
    end = looked.end.utc_ms
    form = SAME_DAY if _time(begin, "%Y%m%d") == _time(end, "%Y%m%d") else OTHER_DAY
    return f"{_time(begin, OTHER_DAY)}-{_time(end, form)}"


def _purpose(entry: Entry, words: Words) -> str:
    key = f"log.purpose.{entry.purpose}"
    return words(key) if key in words.texts else entry.purpose


def _cut_off(looked: Looked) -> bool:
    return looked.end is not None and looked.end.about.get("why") == "unknown"


def _late(entry: Entry, words: Words) -> str:
    if FROM_HOME in entry.about:
        return words("log.from_home")
    return words("log.late") if entry.late else ""


def _time(utc_ms: int, form: str) -> str:
    return datetime.fromtimestamp(utc_ms / 1000, HERE).strftime(form)
