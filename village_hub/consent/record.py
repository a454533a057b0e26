"""Every act of consent is told: in the audit log and to those it concerns, in its transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from village_core.clock import Clock
from village_core.grants import GrantTerms
from village_hub.access.facts import Subject
from village_hub.audit.making import act, system
from village_hub.catalogue import audit, far, people, units
from village_hub.catalogue.store import Session
from village_hub.consent import words
from village_hub.consent.homes import camera_names
from village_hub.notices import due, port
from village_hub.notices.kinds import Kind, Whom
from village_hub.notices.port import About, Event, To

NOTHING: Mapping[str, str | int] = MappingProxyType({})
LONGEST_NAME = 60  # characters of what is filled into a notice


@dataclass(frozen=True, slots=True)
class Acted:
    """Who did something with a household's consent. `by` None: its own box told of it."""

    household: str
    by: Subject | None = None


def note(
    session: Session,
    clock: Clock,
    action: str,
    acted: Acted,
    *,
    grant: str = "",
    about: Mapping[str, str | int] = NOTHING,
) -> None:
    """One entry of the audit log (AUD-1)."""
    more: dict[str, Any] = {"household": acted.household, "grant": grant, "about": dict(about)}
    if acted.by is None:
        audit.append(session, system(clock, action, **more))
        return
    role = ",".join(sorted(acted.by.roles))
    audit.append(session, act(clock, acted.by, action, role=role, **more))


def tell(
    session: Session,
    kind: Kind,
    home: tuple[str, str],
    grant: tuple[str, GrantTerms],
    at: int,
    *,
    others: dict[Whom, Sequence[To]] | None = None,
) -> None:
    """A notice about a grant. `home`: its id and name, `grant`: its id and terms."""
    household, name = home
    grant_id, terms = grant
    cameras = camera_names(session, household)
    on_paper = kind is Kind.WINDOW_GRANT  # that sentence says from when
    params = {
        "who": terms.recipient.name[:LONGEST_NAME],
        "home": name[:LONGEST_NAME],
        "camera": "/".join(sorted(cameras.get(each, "?") for each in terms.cameras)),
        "until": words.day_time(terms.not_before if on_paper else terms.until),
    }
    told = {**_told(session, household, terms), **(others or {})}
    wanted = {duty.whom for duty in due.RULES[kind].duties}
    event = Event(kind, About("grant", grant_id), at, params)
    port.announce(session, event, {whom: told[whom] for whom in wanted})


def _told(session: Session, household: str, terms: GrantTerms) -> dict[Whom, Sequence[To]]:
    return {
        Whom.OWNER: [To.owners(household)],
        Whom.RECIPIENT: recipients(session, terms),
        Whom.AUDITOR: [port.AUDITORS],
    }


def recipients(session: Session, terms: GrantTerms) -> list[To]:
    """People and units of this hub, and of hubs above."""
    found = []
    for each in terms.recipients:
        if each.person and people.person(session, each.person):
            found.append(To.one(each.person))
        elif each.unit and units.find(session, each.unit):
            found.append(To.duty(each.unit))
        elif each.unit and far.unit(session, each.unit):
            found.append(To.abroad(each.issuer, unit=each.unit))
    return found
