"""A walk for every kind of matter. What a state must not be reached without, `sound` says: it is
asked after every step."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.hub.cases import walks_of_asks, walks_of_villagers
from tests.hub.cases.cast import AREA, CLERK, FANG, LI, NOW, VILLAGE, Walk
from village_hub.cases import emergency, preserve, sos
from village_hub.cases.matter import HOUR, MINUTE, Withdraw

PRESERVE = preserve.PreserveTerms(
    incident="110-2026-0042", area=AREA, begin=NOW - 3 * HOUR, end=NOW - HOUR
)

SOS = sos.new(
    "sos-1",
    FANG,
    NOW,
    household="wang",
    household_name="王家",
    own=("fang",),
    raised_by="page",
    cameras=("gate",),
    called=(
        sos.Called(kind="person", id="wang", issuer="the village", name="Wang"),
        sos.Called(kind="unit", id=CLERK.unit or "", name="The committee"),
        sos.Called(kind="unit", id=LI.unit or "", name="Xicun station"),
    ),
)
EMERGENCY = {
    "incident": "110-2026-0042",
    "what": "missing_elder",
    "words": "went out at noon, slow on the feet",
    "place": VILLAGE,
    "yards": (emergency.Yard(camera="gate", household="wang"),),
}

WALKS: Mapping[str, Walk] = {
    **walks_of_asks.WALKS,
    **walks_of_villagers.WALKS,
    "preserve": Walk(
        lambda: preserve.begin(PRESERVE, LI, NOW, ("wang", "zhou")),
        [preserve.Confirm(), Withdraw()],
    ),
    "sos": Walk(
        lambda: sos.begin(SOS),
        [
            *(sos.Renew(), sos.Looked(), sos.Stop()),
            sos.Escalate(unit="the bureau", unit_name="The bureau"),
            sos.GiveReason(reason="fell down the stairs"),
            sos.GiveReason(reason="pressed by a child", false_alarm=True),
            sos.Review(words="talked with the family"),
        ],
        jumps=(0, 5 * MINUTE, 16 * MINUTE, 25 * HOUR),
    ),
    "emergency": Walk(
        lambda: emergency.begin("emergency-1", LI, NOW, **EMERGENCY),
        [
            *(emergency.Confirm(), emergency.Close(), emergency.Approve()),
            emergency.Disapprove(words="the call was about another village"),
        ],
        jumps=(0, 5 * MINUTE, 31 * MINUTE, 25 * HOUR),
    ),
}


def _confirmed_by_another(matter: Any) -> bool:
    needed = matter.state in ("confirmed", "ended")
    second = matter.confirmed_by
    return not needed or (second is not None and second.key != matter.asker.key)


def _is_open_for_half_an_hour_at_most(matter: Any) -> bool:
    """PRM-6: 15 min, and once 15 more; over, nothing is open."""
    longest = sos.OPEN_FOR * (2 if matter.renewed else 1)
    if matter.state == "closed":
        return matter.ends <= matter.opened + longest and bool(matter.reason)
    if matter.state == "reviewed":
        return bool(matter.review)
    return bool(matter.ends <= matter.opened + longest)


def _has_three_people(matter: Any) -> bool:
    """PRM-7: who opened, who confirmed and who approved are three; 15 min whatever comes."""
    short = matter.ends <= matter.opened + emergency.OPEN_FOR
    if matter.state != "approved":
        return bool(short)
    keys = {each.key for each in (matter.asker, matter.second, matter.approver) if each}
    return bool(short) and len(keys) == 3


SOUND: Mapping[str, Callable[[Any], bool]] = {
    **walks_of_asks.SOUND,
    **walks_of_villagers.SOUND,
    "preserve": _confirmed_by_another,
    "sos": _is_open_for_half_an_hour_at_most,
    "emergency": _has_three_people,
}
