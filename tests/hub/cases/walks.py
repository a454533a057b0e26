"""A walk for every kind of matter. What a state must not be reached without, `sound` says: it is
asked after every step."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.hub.cases.cast import AREA, LI, NOW, Walk
from village_hub.cases import preserve
from village_hub.cases.matter import HOUR

PRESERVE = preserve.PreserveTerms(
    incident="110-2026-0042", area=AREA, begin=NOW - 3 * HOUR, end=NOW - HOUR
)

WALKS: Mapping[str, Walk] = {
    "preserve": Walk(
        lambda: preserve.begin(PRESERVE, LI, NOW, ("wang", "zhou")),
        [preserve.Confirm(), preserve.Withdraw()],
    ),
}


def _confirmed_by_another(matter: Any) -> bool:
    needed = matter.state in ("confirmed", "ended")
    second = matter.confirmed_by
    return not needed or (second is not None and second.key != matter.asker.key)


SOUND: Mapping[str, Callable[[Any], bool]] = {"preserve": _confirmed_by_another}
