"""What is written down of signing in and out and of people's own keys, and what households are
told of it: in the transaction of what it tells of, so that none of it happens silently.

Coming in by a code is told to the household: whoever hands out codes could otherwise come in as
anybody. Only the very first time of its only owner is not, who would be told of themselves. By a
key it is in the log for the person and the auditor: when somebody uses their own key is no matter
of the rest of the family.
"""

from village_core.clock import Clock
from village_hub.access.credentials import digest
from village_hub.access.facts import Subject
from village_hub.audit.making import act
from village_hub.catalogue import audit, people
from village_hub.catalogue.rows import PersonRow, SignInRow
from village_hub.catalogue.store import Session
from village_hub.notices import port
from village_hub.notices.kinds import Kind, Whom
from village_hub.notices.port import About, Event, To

LONGEST_NAME = 60  # characters of what is filled into a notice


class SignInNotes:
    def __init__(self, hub: str, clock: Clock) -> None:
        self._hub = hub
        self._clock = clock

    def by_code(self, session: Session, who: PersonRow, sign_in: str, *, first: bool) -> None:
        """`first`: they never signed in before."""
        subject = Subject(self._hub, who.id, name=who.name)
        homes = sorted(people.households_of(session, who.id))
        told = [home for home in homes if not (first and self._alone(session, who.id, home))]
        for home in told or [""]:
            self._note(session, subject, "sign_in.code", home, session_id=sign_in)
        for home in told:
            tell_home(session, Kind.CODE_USED, home, (who.id, who.name), self._clock.utc_ms())

    def by_key(self, session: Session, subject: Subject, row: SignInRow) -> None:
        self._note(session, subject, "sign_in.key", "", session_id=row.id, **_key(row.passkey))

    def ended(self, session: Session, subject: Subject, sign_in: str) -> None:
        """By the person, here or from another of their browsers."""
        self._note(session, subject, "sign_out", "", session_id=sign_in)

    def key(self, session: Session, subject: Subject, what: str, key: str, *, duty: bool) -> None:
        """`what` was done with a key of theirs: add, rename, remove."""
        self._note(session, subject, f"passkey.{what}", "", duty=int(duty), **_key(key))

    def _alone(self, session: Session, person: str, home: str) -> bool:
        return people.owners(session, home) == {person}

    def _note(
        self, session: Session, who: Subject, action: str, household: str, **about: str | int
    ) -> None:
        audit.append(session, act(self._clock, who, action, household=household, about=about))


def _key(name: str | None) -> dict[str, str]:
    """A key's id can be long, and what is long and unknown is no part of the log."""
    return {"key_sha256": digest(name)} if name else {}


def tell_home(
    session: Session, kind: Kind, home: str, person: tuple[str, str], at: int, **params: str
) -> None:
    """Its owners hear what became of a way into their home. `person`: whom it is about."""
    name, called = person
    found = people.household(session, home)
    filled = {"who": called, "home": found.name if found else "", **params}
    shown = {param: text[:LONGEST_NAME] for param, text in filled.items()}
    port.announce(
        session, Event(kind, About("person", name), at, shown), {Whom.OWNER: [To.owners(home)]}
    )
