"""One-time codes of people who are known: made inside the transaction that they belong to."""

from village_core.clock import Clock
from village_core.enrolment import SELECTOR, TYPED_TRIES, TYPED_VALID, new_typed_code
from village_core.ids import new_id, new_secret
from village_hub.access.credentials import digest
from village_hub.catalogue import people
from village_hub.catalogue.models import OneTimeCode
from village_hub.catalogue.store import Session
from village_hub.errors import TooMany

LINK_VALID = 72 * 3600 * 1000  # ms
SELECTORS = 20  # tries to find one that no other open code has


def link(session: Session, clock: Clock, person: str, capacity: str = people.HOUSEHOLD) -> str:
    """A new code of 256 bits for a link's fragment: single use, 72 h."""
    code, now = new_secret(), clock.utc_ms()
    people.add_code(session, _row(clock, person, code, now + LINK_VALID, capacity), now)
    return code


def typed(session: Session, clock: Clock, person: str) -> str:
    """A new code of eight letters to sign in at home: single use, 5 tries, 10 minutes. Raises
    TooMany."""
    now = clock.utc_ms()
    for _ in range(SELECTORS):
        code = new_typed_code()
        letters = code.replace("-", "")
        row = _row(clock, person, letters, now + TYPED_VALID * 1000, people.HOUSEHOLD)
        row.selector = letters[:SELECTOR]
        if people.add_code(session, row, now):
            return code
    raise TooMany("too many typed codes are open; wait a little", retry_after=TYPED_VALID)


def _row(clock: Clock, person: str, secret: str, expires: int, capacity: str) -> OneTimeCode:
    return OneTimeCode(
        id=new_id(clock),
        person_id=person,
        digest=digest(secret),
        tries=TYPED_TRIES,
        expires=expires,
        capacity=capacity,
    )
