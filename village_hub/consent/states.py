"""What may become of a draft: pure.

    open ──confirmed──> sending ──at home──> waiting ──given──> given
      │                    └──given──────────────────────────────^
      ├──refused (by the home, or nobody confirmed in time)
      └──withdrawn, expired

`half` is a draft at the window that one clerk has signed. Silence becomes `expired`.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class DraftState(StrEnum):
    OPEN = "open"  # nobody has confirmed it
    HALF = "half"  # the first of two clerks has
    SENDING = "sending"  # confirmed; on its way to the home, which may be offline
    WAITING = "waiting"  # at the home, where the household says yes or no
    GIVEN = "given"
    REFUSED = "refused"  # by the home's box; its code is kept
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Act(StrEnum):
    SIGN = "sign"  # one of two clerks
    CONFIRM = "confirm"  # the owner's passkey, or the second clerk's
    TO_HOME = "to_home"  # to be confirmed there
    HELD = "held"  # the home keeps it until somebody there answers
    GIVE = "give"  # the signed grant is here
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    EXPIRE = "expire"


_S, _A = DraftState, Act
STEPS: Mapping[tuple[DraftState, Act], DraftState] = MappingProxyType(
    {
        (_S.OPEN, _A.SIGN): _S.HALF,
        (_S.OPEN, _A.CONFIRM): _S.SENDING,
        (_S.HALF, _A.CONFIRM): _S.SENDING,
        (_S.OPEN, _A.TO_HOME): _S.SENDING,
        (_S.SENDING, _A.HELD): _S.WAITING,
        (_S.WAITING, _A.HELD): _S.WAITING,
        (_S.SENDING, _A.GIVE): _S.GIVEN,
        (_S.WAITING, _A.GIVE): _S.GIVEN,
        (_S.EXPIRED, _A.GIVE): _S.GIVEN,  # somebody at home was later than the hub waited
        (_S.SENDING, _A.REFUSE): _S.REFUSED,
        (_S.WAITING, _A.REFUSE): _S.REFUSED,
        **{(state, _A.WITHDRAW): _S.WITHDRAWN for state in (_S.OPEN, _S.HALF, _S.SENDING)},
        **{(state, _A.EXPIRE): _S.EXPIRED for state in (_S.OPEN, _S.HALF, _S.SENDING, _S.WAITING)},
    }
)
ENDED = frozenset({_S.GIVEN, _S.REFUSED, _S.WITHDRAWN, _S.EXPIRED})


def step(state: DraftState, act: Act) -> DraftState | None:
    """None: that cannot be now."""
    return STEPS.get((state, act))
