"""An SOS rings people in order until one accepts: pure, no clock, no network.

    ringing ──one accepts──> accepted
       └─────nobody did────> nobody ──one accepts late──> accepted

People stand in groups; a group's phones ring together, and when none of them is left (declined,
not reachable, or silent for `seconds`), the next group's ring. After the last group it starts again
with all who did not decline, `ROUNDS` times. A phone that was answered gets more time: somebody
listens.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

ROUNDS = 2  # through the whole list
LISTENS = 30_000  # ms more for who answered, to hear what it is and press a key


class RingState(StrEnum):
    RINGING = "ringing"
    ACCEPTED = "accepted"
    NOBODY = "nobody"
    ENDED = "ended"  # the SOS was closed


class CallState(StrEnum):
    WAITING = "waiting"
    RINGING = "ringing"
    LISTENING = "listening"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    UNREACHABLE = "unreachable"
    SILENT = "silent"
    LET_GO = "let_go"  # another one accepted


LIVE = frozenset({CallState.RINGING, CallState.LISTENING})


@dataclass(frozen=True, slots=True)
class Callee:
    """A person (helper, family, duty person) or a unit (the station). `hub`: where they sign in;
    "" is here."""

    holder: str  # id
    name: str  # what others are told who is coming
    unit: bool = False
    hub: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """One callee; `holder` is a person's or a unit's id."""

    holder: str
    name: str
    unit: bool
    group: int
    state: CallState = CallState.WAITING
    until: int = 0  # UTC ms: rings no longer than that
    notice: str = ""  # the one that calls them; "" when another hub does
    hub: str = ""


@dataclass(frozen=True, slots=True)
class Ring:
    """All calls of one SOS."""

    calls: tuple[Call, ...]
    seconds: int
    group: int = 0
    round: int = 0
    state: RingState = RingState.RINGING

    @property
    def coming(self) -> tuple[str, ...]:
        """The names of those who accepted."""
        return tuple(call.name for call in self.calls if call.state is CallState.ACCEPTED)


class Act(StrEnum):
    DIAL = "dial"
    HANG_UP = "hang_up"
    SAY_COMING = "say_coming"
    SAY_NOBODY = "say_nobody"


@dataclass(frozen=True, slots=True)
class Command:
    act: Act
    holder: str = ""


Step = tuple[Ring, tuple[Command, ...]]


def grouped(callees: Sequence[Callee], at_once: int) -> tuple[Call, ...]:
    """In their order, `at_once` of them ringing together; each only once."""
    once = {each.holder: each for each in callees}.values()
    return tuple(
        Call(each.holder, each.name, each.unit, group=place // at_once, hub=each.hub)
        for place, each in enumerate(once)
    )


def start(calls: tuple[Call, ...], seconds: int, now: int) -> Step:
    """Ring the first group; with nobody to call it is NOBODY at once, and said."""
    return _dial(Ring(calls, seconds), now)


def look(ring: Ring, now: int) -> Step:
    """Time passes: who is silent too long is given up, and the next group rings."""
    if ring.state is not RingState.RINGING:
        return ring, ()
    silent = [call.holder for call in ring.calls if call.state in LIVE and call.until <= now]
    found, hang_ups = _all_to(ring, silent, CallState.SILENT)
    after, commands = _onward(found, now)
    return after, (*hang_ups, *commands)


def answered(ring: Ring, holder: str, now: int) -> Step:
    """They picked up and listen."""
    call = _call(ring, holder)
    if call is None or call.state is not CallState.RINGING:
        return ring, ()
    heard = replace(call, state=CallState.LISTENING, until=max(call.until, now + LISTENS))
    return _with(ring, heard), ()


def accepted(ring: Ring, holder: str) -> Step:
    """They are coming. Late is not too late, and a second one is welcome."""
    call = _call(ring, holder)
    if call is None or ring.state is RingState.ENDED or call.state is CallState.ACCEPTED:
        return ring, ()
    taken = _with(ring, replace(call, state=CallState.ACCEPTED))
    others = [one.holder for one in taken.calls if one.state in LIVE]
    let_go, hang_ups = _all_to(taken, others, CallState.LET_GO)
    coming = Command(Act.SAY_COMING, holder)
    return replace(let_go, state=RingState.ACCEPTED), (*hang_ups, coming)


def declined(ring: Ring, holder: str, now: int) -> Step:
    return _out(ring, holder, CallState.DECLINED, now)


def unreachable(ring: Ring, holder: str, now: int) -> Step:
    """No number, no gateway, or it said that the call failed."""
    return _out(ring, holder, CallState.UNREACHABLE, now)


def ended(ring: Ring) -> Step:
    """The SOS was closed: nobody is rung any more."""
    live = [call.holder for call in ring.calls if call.state in LIVE]
    found, hang_ups = _all_to(ring, live, CallState.LET_GO)
    return replace(found, state=RingState.ENDED), hang_ups


def _out(ring: Ring, holder: str, state: CallState, now: int) -> Step:
    call = _call(ring, holder)
    if call is None or call.state not in LIVE or ring.state is not RingState.RINGING:
        return ring, ()
    return _onward(_with(ring, replace(call, state=state)), now)


def _onward(ring: Ring, now: int) -> Step:
    """The next group, when of this one nobody's phone rings any more."""
    if any(call.state in LIVE for call in ring.calls):
        return ring, ()
    return _dial(replace(ring, group=ring.group + 1), now)


def _dial(ring: Ring, now: int) -> Step:
    """Ring the group at its turn, or the first after it that has somebody to ring."""
    waiting = [call for call in ring.calls if call.state is CallState.WAITING]
    if not waiting:
        return _again(ring, now)
    group = min(call.group for call in waiting)
    until = now + ring.seconds * 1000
    ringing = replace(ring, group=group)
    for call in waiting:
        if call.group == group:
            ringing = _with(ringing, replace(call, state=CallState.RINGING, until=until))
    dialled = (Command(Act.DIAL, call.holder) for call in waiting if call.group == group)
    return ringing, tuple(dialled)


def _again(ring: Ring, now: int) -> Step:
    """Another round with all who may still come, else: nobody."""
    again = (CallState.SILENT, CallState.UNREACHABLE)
    silent = [call for call in ring.calls if call.state in again]
    if ring.round + 1 >= ROUNDS or not silent:
        return replace(ring, state=RingState.NOBODY), (Command(Act.SAY_NOBODY),)
    found = replace(ring, round=ring.round + 1)
    for call in silent:
        found = _with(found, replace(call, state=CallState.WAITING))
    return _dial(found, now)


def _all_to(ring: Ring, holders: Iterable[str], state: CallState) -> Step:
    hang_ups = []
    for holder in holders:
        if call := _call(ring, holder):
            ring = _with(ring, replace(call, state=state))
            hang_ups.append(Command(Act.HANG_UP, holder))
    return ring, tuple(hang_ups)


def _call(ring: Ring, holder: str) -> Call | None:
    return next((call for call in ring.calls if call.holder == holder), None)


def _with(ring: Ring, changed: Call) -> Ring:
    calls = tuple(changed if one.holder == changed.holder else one for one in ring.calls)
    return replace(ring, calls=calls)
