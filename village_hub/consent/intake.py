"""How a grant comes to stand at the hub: only by a text that the home's own key signed, in one
transaction with the audit entry and the notices. No other way in."""

import logging
from dataclasses import dataclass
from typing import Any

from village_core.clock import Clock
from village_core.grant_limits import TermsError, check_terms
from village_core.grant_tokens import AtWindow, Grant, check_confirmation
from village_core.grants import GrantStatus, digest
from village_core.messages import GrantList, GrantListAnswer, GrantNote, StoppedNote
from village_hub.access.status_lists import number_of
from village_hub.catalogue import drafts, grants
from village_hub.catalogue.consent_rows import GrantRow, HomeRow
from village_hub.catalogue.grants import Given
from village_hub.catalogue.store import Session
from village_hub.consent import record
from village_hub.consent.homes import classes
from village_hub.consent.record import Acted
from village_hub.consent.signed import read_signed
from village_hub.consent.states import Act
from village_hub.notices.kinds import Kind

log = logging.getLogger(__name__)

MOST_STOPPED = 500  # of one answer
BY_HOME = "home"
WAITS_AT_HOME = 7 * 24 * 3600 * 1000  # ms; the home forgets a draft then


class NotTaken(Exception):  # noqa: N818 - an answer
    """The text makes no grant here; the code is for the log."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of a home's list."""

    answer: GrantListAnswer
    ended: bool  # something that may be watched right now


def take_in(
    session: Session, hub: str, home: HomeRow, text: str, clock: Clock, draft: str = ""
) -> GrantRow:
    """Store what the home signed, once. Raises NotTaken."""
    now = clock.utc_ms()
    grant = _verified(session, hub, home, text, now)
    before = grants.find(session, grant.id)
    if before is not None:
        return before
    made_from = _draft_of(session, home, grant, draft)
    place = _place(session, grant, made_from)
    came = Given(home.node or "", made_from, _route(grant), _giver(grant), place)
    row = grants.add(session, grant, came, now)
    given = drafts.move(session, made_from, Act.GIVE, grant_id=grant.id) if made_from else None
    about = {"kind": grant.terms.kind.value, "route": row.route}
    record.note(session, clock, "grant_given", Acted(home.household), grant=grant.id, about=about)
    if made_from is not None and given is None:  # the owner thought better of it meanwhile
        grants.stop(session, grant.id, row.given_by, "withdrawn", now, told_home=False)
        return grants.find(session, grant.id) or row
    kind = Kind.WINDOW_GRANT if isinstance(grant.confirmed, AtWindow) else Kind.GRANT_GIVEN
    record.tell(session, kind, (home.household, home.name), (grant.id, grant.terms), now)
    return row


def hear(session: Session, hub: str, node: str, said: GrantList, clock: Clock) -> Heard:
    """A home's own list: what it gave is taken in, what either side stopped is stopped."""
    home = grants.home_of_node(session, node)
    if home is None:
        return Heard(GrantListAnswer(), ended=False)
    ended = bool(grants.stop_of_nodes_gone(session, home.household, node, clock.utc_ms()))
    for each in said.grants:
        _take_note(session, hub, home, each, clock)
    stops = {each.id: each.at for each in said.stopped}
    stops |= {each.id: each.stopped for each in said.grants if each.stopped is not None}
    for name, at in stops.items():
        ended = _stopped_at_home(session, hub, home, name, at, clock) or ended
    _drafts_at_home(session, home, said, clock.utc_ms())
    here = grants.stopped_of_node(session, node, MOST_STOPPED)
    notes = tuple(StoppedNote(id=name, at=at) for name, at in here)
    grants.told(session, [name for name, _ in here])
    return Heard(GrantListAnswer(stopped=notes), ended=ended)


def _verified(session: Session, hub: str, home: HomeRow, text: str, now: int) -> Grant:
    if home.key is None:
        raise NotTaken("no_home")
    grant = read_signed(text, home.household, home.key, hub, now)
    if grant is None:
        raise NotTaken("not_signed")
    if grants.find(session, grant.id) is not None:
        return grant
    known, issued = classes(session, home.household), grant.issued * 1000
    try:
        check_terms(grant.terms, known, issued)
        if grant.confirmed is not None:
            check_confirmation(grant.terms, grant.confirmed, known, issued)
    except TermsError as error:
        raise NotTaken(f"unfit_{error.code}") from error
    return grant


def _draft_of(session: Session, home: HomeRow, grant: Grant, draft: str) -> str | None:
    """The draft that it was made from: this household's, with the very terms that were signed."""
    row = drafts.find(session, draft) if draft else None
    if row is None or row.household != home.household:
        return None
    return row.id if digest(row.terms) == digest(grant.terms) else None


def _place(session: Session, grant: Grant, draft: str | None) -> int:
    """In the status list: the one that the home signed, when it was kept for this very grant. A
    grant that names none has one that only this hub knows. Raises NotTaken."""
    if grant.status is None:
        return grants.next_place(session)
    place = number_of(grant.status)
    if place is None or grants.has_place(session, place):
        raise NotTaken("bad_place")
    kept_for = drafts.whose_place(session, place)
    if kept_for is None or kept_for != draft:
        raise NotTaken("bad_place")
    return place


def _route(grant: Grant) -> str:
    return grant.confirmed.how if grant.confirmed else "home"


def _giver(grant: Grant) -> str:
    confirmed = grant.confirmed
    if confirmed is None:
        return ""
    return confirmed.clerks[1].person if isinstance(confirmed, AtWindow) else confirmed.person


def _take_note(session: Session, hub: str, home: HomeRow, note: GrantNote, clock: Clock) -> None:
    try:
        take_in(session, hub, home, note.grant, clock, note.draft)
    except NotTaken as error:
        log.warning("a grant of household %s is not taken in: %s", home.household, error)


def _stopped_at_home(
    session: Session, hub: str, home: HomeRow, name: str, at: int, clock: Clock
) -> bool:
    row = grants.find(session, name)
    if row is None or row.node != home.node:
        return False
    if not grants.stop(session, name, BY_HOME, "stopped at home", at, told_home=True):
        return False
    tell_stopped(session, hub, home, row, clock)
    return True


def tell_stopped(session: Session, hub: str, home: HomeRow, row: GrantRow, clock: Clock) -> None:
    """Audit and notices of a stop that was not known here before."""
    now = clock.utc_ms()
    record.note(
        session,
        clock,
        "grant_stopped",
        Acted(home.household),
        grant=row.id,
        about={"where": "home"},
    )
    grant = read_signed(row.text, home.household, home.key, hub, now) if home.key else None
    if grant is not None and row.status is not GrantStatus.STOPPED:
        about = (home.household, home.name)
        record.tell(session, Kind.GRANT_STOPPED, about, (row.id, grant.terms), now)


def _drafts_at_home(session: Session, home: HomeRow, said: GrantList, now: int) -> None:
    """What waits there for somebody's yes, and what got a no."""
    held: dict[str, Any] = {"expires": now + WAITS_AT_HOME}
    steps = [(name, Act.HELD, held) for name in said.waiting]
    steps += [(name, Act.REFUSE, {"refused": "no_at_home"}) for name in said.refused]
    for name, act, changes in steps:
        row = drafts.find(session, name)
        if row is not None and row.household == home.household:
            drafts.move(session, name, act, **changes)
