"""People, places and walks for the tests of matters."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from village_core.permits import Role
from village_hub.cases.effects import Area
from village_hub.cases.matter import HOUR, Act, Named, Next, Person

NOW = 1_795_000_000_000
VILLAGE = "430121102203"
TOWNSHIP = VILLAGE[:9]
COUNTY = VILLAGE[:6]
AREA = Area(
    place=VILLAGE, words="the lane by the old well", latitude=28.3, longitude=113.1, radius=200
)


def police(name: str, role: Role = Role.STATION_OFFICER, **more: Any) -> Person:
    bureau = role is Role.BUREAU_OFFICER
    return Person(
        **{
            "issuer": "the township",
            "id": name,
            "name": name.title(),
            "unit": "the bureau" if bureau else "the station",
            "unit_name": "Xicun station",
            "place": COUNTY if bureau else TOWNSHIP,
            "roles": (role,),
            **more,
        }
    )


def villager(name: str, role: Role | None = None, **more: Any) -> Person:
    at = {"unit": "the committee", "place": VILLAGE, "roles": (role,)} if role else {}
    return Person(**{"issuer": "the village", "id": name, "name": name.title(), **at, **more})


LI, CHEN, ZHAO = police("li"), police("chen"), police("zhao")
SUN = police("sun", Role.BUREAU_OFFICER)
ELSEWHERE = police("qian", unit="another station", place="430121105")
CLERK = villager("clerk", Role.COMMITTEE)
AUDITOR = villager("auditor", Role.AUDITOR)
FANG = villager("fang")
WANG, ZHOU = villager("wang", owns=("wang",)), villager("zhou", owns=("zhou",))
EVERYBODY = (LI, CHEN, ZHAO, SUN, ELSEWHERE, CLERK, AUDITOR, FANG, WANG, ZHOU)


@dataclass(frozen=True)
class Walk:
    """How to begin a matter of a kind, and what anybody may try with it."""

    begin: Callable[[], Next[Any]]
    acts: Sequence[Act]
    people: Sequence[Person] = EVERYBODY
    jumps: Sequence[int] = (0, HOUR, 30 * HOUR, 8 * 24 * HOUR)
    lengths: tuple[int, int] = (1, 12)


def area(**more: Any) -> Area:
    return AREA.model_copy(update=more)


def named(person: Person) -> Named:
    return Named(issuer=person.issuer, id=person.id, name=person.name)
