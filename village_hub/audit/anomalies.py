"""What an auditor should look at (AUD-5): pure, over entries and over what other parts know.

Times of day are in UTC+8. Nothing here says that something is wrong, only that it is worth a look.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum

from village_core.permits import Purpose, Role
from village_hub.audit.entry import Entry, EntryKind, Who

HERE = timezone(timedelta(hours=8))
NIGHT_FROM, NIGHT_UNTIL = 23, 5  # hours
DENIALS, DENIALS_WITHIN = 5, 10 * 60_000  # ms
DISPUTE_DAYS = 3  # working days
POLICE = frozenset({Role.STATION_OFFICER.value, Role.BUREAU_OFFICER.value})
OF_A_CASE = frozenset({"R", "S"})  # a request and an emergency bring their own number
AT_HOME = frozenset({Purpose.OWN_VIEW.value, Purpose.FAMILY.value, Purpose.CARE.value})


class Oddity(StrEnum):
    NO_CASE = "view_without_case"
    NIGHT = "night_view"
    DENIALS = "repeated_denials"
    DISPUTE = "dispute_unanswered"
    DELAY = "notice_delayed"
    EMERGENCY = "emergency_opened"
    NOT_RETURNED = "export_not_returned"
    HOME_LOG_GAP = "home_log_gap"
    HOME_LOG_BROKEN = "home_log_broken"
    HOME_LOG_REWRITTEN = "home_log_rewritten"
    HOME_LOOK_UNKNOWN = "home_look_unknown"
    LOG_FORKED = "log_forked"
    LINES_LOST = "lines_lost"
    LINE_NOT_USED = "line_not_used"


NOTICED = {  # what the hub writes down itself when it notices it
    each.value: each
    for each in (
        Oddity.HOME_LOG_GAP,
        Oddity.HOME_LOG_BROKEN,
        Oddity.HOME_LOG_REWRITTEN,
        Oddity.HOME_LOOK_UNKNOWN,
        Oddity.LOG_FORKED,
        Oddity.LINES_LOST,
        Oddity.LINE_NOT_USED,
    )
}


@dataclass(frozen=True, slots=True)
class Anomaly:
    """`refs` are ids of entries, or of the matter or notice that it is about."""

    kind: Oddity
    utc_ms: int
    refs: tuple[str, ...]
    who: Who | None = None
    camera: str = ""
    count: int = 1


@dataclass(frozen=True, slots=True)
class Open:
    """A matter or notice that another part knows of: since when, until when; None: not (yet)."""

    id: str
    since: int
    due: int | None = None
    closed: int | None = None


def of_entries(entries: Iterable[Entry]) -> Iterator[Anomaly]:
    """One walk over entries in the order of their times."""
    denials: defaultdict[tuple[str, str], deque[Entry]] = defaultdict(deque)
    for entry in entries:
        if entry.kind is EntryKind.VIEW_START:
            yield from _view(entry)
        elif entry.kind is EntryKind.SYSTEM:
            yield from _noticed(entry)
        elif not entry.allowed and entry.who is not None:
            yield from _denied(entry, denials[entry.who.issuer, entry.who.id])


def disputes(known: Iterable[Open], now: int) -> Iterator[Anomaly]:
    """Unanswered in 3 working days."""
    for each in known:
        if each.closed is None and now >= after_working_days(each.since, DISPUTE_DAYS):
            yield Anomaly(Oddity.DISPUTE, each.since, (each.id,))


def delays(known: Iterable[Open]) -> Iterator[Anomaly]:
    """Every notice that was held back; the auditor sees them at once (PRM-10)."""
    return (Anomaly(Oddity.DELAY, each.since, (each.id,)) for each in known)


def emergencies(known: Iterable[Open]) -> Iterator[Anomaly]:
    """Every one: a camera was opened without its household's consent at the time."""
    return (Anomaly(Oddity.EMERGENCY, each.since, (each.id,)) for each in known)


def not_returned(known: Iterable[Open], now: int) -> Iterator[Anomaly]:
    """What was taken and should be returned or destroyed by now."""
    for each in known:
        if each.closed is None and each.due is not None and each.due <= now:
            yield Anomaly(Oddity.NOT_RETURNED, each.due, (each.id,))


def after_working_days(since: int, days: int, free: frozenset[date] = frozenset()) -> int:
    """The end of the day, so many working days after that of `since`; `free`: public holidays."""
    day = datetime.fromtimestamp(since / 1000, HERE).date()
    while days:
        day += timedelta(days=1)
        days -= day.weekday() < 5 and day not in free
    end = datetime(day.year, day.month, day.day, tzinfo=HERE) + timedelta(days=1)
    return round(end.astimezone(UTC).timestamp() * 1000)


def _view(entry: Entry) -> Iterator[Anomaly]:
    if entry.who is None or entry.purpose in AT_HOME:
        return
    police = POLICE & set(entry.who.roles)
    if police and not entry.case and entry.basis not in OF_A_CASE:
        yield Anomaly(Oddity.NO_CASE, entry.utc_ms, (entry.id,), entry.who, entry.camera)
    hour = datetime.fromtimestamp(entry.utc_ms / 1000, HERE).hour
    if hour >= NIGHT_FROM or hour < NIGHT_UNTIL:
        yield Anomaly(Oddity.NIGHT, entry.utc_ms, (entry.id,), entry.who, entry.camera)


def _noticed(entry: Entry) -> Iterator[Anomaly]:
    oddity, lines = NOTICED.get(entry.action), entry.about.get("lines")
    if oddity is not None:
        count = lines if isinstance(lines, int) else 1
        yield Anomaly(oddity, entry.utc_ms, (entry.id,), entry.who, entry.camera, count)


def _denied(entry: Entry, recent: deque[Entry]) -> Iterator[Anomaly]:
    """Told when the fifth comes, and again after five more."""
    recent.append(entry)
    while recent[0].utc_ms <= entry.utc_ms - DENIALS_WITHIN:
        recent.popleft()
    if len(recent) >= DENIALS:
        refs = tuple(each.id for each in recent)
        yield Anomaly(Oddity.DENIALS, entry.utc_ms, refs, entry.who, count=len(refs))
        recent.clear()
