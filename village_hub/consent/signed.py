"""Reading what a home signed: every grant is verified again each time that a decision rests on it.

Whoever edits the database can take grants away, but not make or widen one: all that a decision
believes is in the text, under the household key. Verifying costs about 0.2 ms, so results are kept
by what was verified.
"""

from functools import lru_cache

from village_core.grant_chain import read_chain
from village_core.grant_tokens import Grant, GrantError, House
from village_core.keys import PublicKey
from village_core.tokens import LEEWAY

KEPT = 2048  # verified texts; about 2 KiB each
ANY_TIME = 2**52  # the time of day is looked at when it is used, not when it is verified


@lru_cache(maxsize=KEPT)
def _read(text: str, household: str, key: PublicKey, hub: str) -> Grant | None:
    try:
        return read_chain((text,), House(household, key, hub), ANY_TIME, expired_ok=True)
    except GrantError:
        return None


def read_signed(text: str, household: str, key: PublicKey, hub: str, now: int) -> Grant | None:
    """The grant, over or not; None: this household's key did not sign it, or not before `now`."""
    grant = _read(text, household, key, hub)
    if grant is None or grant.issued * 1000 > now + LEEWAY * 1000:
        return None
    return grant
