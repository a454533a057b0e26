"""Who may, and conditions, that several kinds of matter share. Pure."""

from typing import Any

from village_core.permits import Role
from village_hub.access.bases import LONGEST_FOOTAGE
from village_hub.cases.effects import Addressee
from village_hub.cases.matter import DAY, Check, Person, StepRefused, Turn, who
from village_hub.errors import Unprocessable

OLDEST = 31 * DAY  # nothing is kept for longer

POLICE = (Role.STATION_OFFICER, Role.BUREAU_OFFICER)
VILLAGE = (Role.COMMITTEE,)
AUDITORS = (Addressee(role=Role.AUDITOR),)
CUSTODIANS = (Addressee(role=Role.COMMITTEE),)


def same_unit(one: Person, other: Person) -> bool:
    return one.unit is not None and (one.issuer, one.unit) == (other.issuer, other.unit)


def stands_above(one: Person, other: Person) -> bool:
    """Police of a wider place, which the other's is a part of."""
    return one.answers_for(other.place) and not other.answers_for(one.place)


def fits_over(one: Person, other: Person) -> bool:
    """Same unit or above, by verified claims (PRM-8)."""
    return one.holds(*POLICE) and (same_unit(one, other) or stands_above(one, other))


def may_ask(by: Person, place: str) -> bool:
    """Police whose unit answers for the place."""
    return by.holds(*POLICE) and by.unit is not None and by.answers_for(place)


def is_custodian(by: Person, place: str) -> bool:
    """The village that the matter is in (PRM-8)."""
    return by.holds(*VILLAGE) and by.answers_for(place)


ASKER = who("who asked", lambda turn: turn.by.key == turn.matter.asker.key)
ASKING_UNIT = who(
    "an officer of the unit that asked",
    lambda turn: turn.by.holds(*POLICE) and same_unit(turn.by, turn.matter.asker),
)
OVER_ASKER = who(
    "an officer of the same unit or above", lambda turn: fits_over(turn.by, turn.matter.asker)
)
CUSTODIAN = who("the village", lambda turn: is_custodian(turn.by, turn.matter.place))


def _not_asker(turn: Turn[Any, Any]) -> bool:
    return bool(turn.by.key != turn.matter.asker.key)


ANOTHER = Check(
    "another person than who asked",
    _not_asker,
    code="self_approval",
    sentence="nobody confirms what they asked for themselves",
)


def check_window(begin: int, end: int, now: int) -> None:
    """What may be asked for at one time. Raises StepRefused."""
    if not 0 < end - begin <= LONGEST_FOOTAGE or not now - OLDEST < begin < now:
        raise StepRefused(
            "the window is to last 12 hours at most, of the last month",
            code="window",
            error=Unprocessable,
        )
