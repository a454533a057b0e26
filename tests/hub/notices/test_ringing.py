"""Ringing people in order until one accepts: the pure half (PRM-23)."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from village_hub.notices import ringing
from village_hub.notices.ringing import (
    LISTENS,
    LIVE,
    ROUNDS,
    Act,
    Callee,
    CallState,
    Command,
    Ring,
    RingState,
    Step,
    grouped,
)

T = 1_000_000
RINGS = 30  # seconds
ORDER = [
    Callee("helper", "李婶"),
    Callee("son", "王强"),
    Callee("duty", "值班员"),
    Callee("station", "派出所", unit=True),
]


def begun(at_once: int = 1, order: Sequence[Callee] = ORDER) -> Step:
    return ringing.start(grouped(order, at_once), RINGS, T)


def states(ring: Ring) -> dict[str, CallState]:
    return {call.holder: call.state for call in ring.calls}


def dialled(commands: tuple[Command, ...]) -> list[str]:
    return [command.holder for command in commands if command.act is Act.DIAL]


def test_one_after_another_in_order_until_nobody_is_left_and_that_is_said() -> None:
    ring, commands = begun()
    order, now = dialled(commands), T
    while ring.state is RingState.RINGING:
        now += RINGS * 1000
        ring, commands = ringing.look(ring, now)
        order += dialled(commands)
    names = [each.holder for each in ORDER]
    assert order == names * ROUNDS
    assert ring.state is RingState.NOBODY
    assert commands[-1] == Command(Act.SAY_NOBODY)
    assert now == T + RINGS * 1000 * len(ORDER) * ROUNDS


def test_a_phone_rings_until_its_time_is_over() -> None:
    ring, _ = begun()
    assert ringing.look(ring, T + RINGS * 1000 - 1) == (ring, ())
    ring, commands = ringing.look(ring, T + RINGS * 1000)
    assert commands == (Command(Act.HANG_UP, "helper"), Command(Act.DIAL, "son"))


def test_whoever_accepts_ends_it_and_the_other_phones_fall_silent() -> None:
    ring, commands = begun(at_once=2)
    assert dialled(commands) == ["helper", "son"]
    ring, commands = ringing.accepted(ring, "son")
    assert commands == (Command(Act.HANG_UP, "helper"), Command(Act.SAY_COMING, "son"))
    assert ring.state is RingState.ACCEPTED
    assert ring.coming == ("王强",)
    assert ringing.look(ring, T + 10**9) == (ring, ())


def test_who_declines_or_cannot_be_reached_is_not_waited_for() -> None:
    ring, _ = begun()
    ring, commands = ringing.declined(ring, "helper", T + 1)
    assert dialled(commands) == ["son"]
    ring, commands = ringing.unreachable(ring, "son", T + 2)
    assert dialled(commands) == ["duty"]


def test_of_a_group_all_have_to_be_out_before_the_next() -> None:
    ring, _ = begun(at_once=2)
    ring, commands = ringing.declined(ring, "helper", T)
    assert commands == ()
    ring, commands = ringing.unreachable(ring, "son", T)
    assert dialled(commands) == ["duty", "station"]


def test_who_declined_is_not_rung_again() -> None:
    ring, _ = begun(order=ORDER[:2])
    ring, _ = ringing.declined(ring, "helper", T)
    ring, commands = ringing.look(ring, T + RINGS * 1000)
    assert dialled(commands) == ["son"], "the second round"
    ring, _ = ringing.declined(ring, "son", T + RINGS * 1000)
    assert ring.state is RingState.NOBODY


def test_who_picked_up_gets_time_to_listen() -> None:
    ring, _ = begun()
    ring, _ = ringing.answered(ring, "helper", T + 29_000)
    assert ringing.look(ring, T + 29_000 + LISTENS - 1) == (ring, ())
    ring, commands = ringing.look(ring, T + 29_000 + LISTENS)
    assert dialled(commands) == ["son"]


def test_late_is_not_too_late_and_two_may_come() -> None:
    ring, _ = begun(order=ORDER[:1])
    for seconds in (RINGS, 2 * RINGS):
        ring, _ = ringing.look(ring, T + seconds * 1000)
    assert ring.state is RingState.NOBODY
    ring, commands = ringing.accepted(ring, "helper")
    assert ring.state is RingState.ACCEPTED
    assert commands == (Command(Act.SAY_COMING, "helper"),)
    assert ringing.accepted(ring, "helper") == (ring, ()), "once"


def test_with_nobody_to_call_that_is_said_at_once() -> None:
    ring, commands = begun(order=[])
    assert (ring.state, commands) == (RingState.NOBODY, (Command(Act.SAY_NOBODY),))


def test_nobody_is_called_twice_in_one_round_for_standing_in_two_parts() -> None:
    assert [call.holder for call in grouped([*ORDER, ORDER[0]], 1)] == [
        each.holder for each in ORDER
    ]


def test_when_the_sos_is_closed_no_phone_rings_on() -> None:
    ring, _ = begun()
    ring, commands = ringing.ended(ring)
    assert commands == (Command(Act.HANG_UP, "helper"),)
    assert ringing.look(ring, T + 10**9) == (ring, ())
    assert ringing.accepted(ring, "helper") == (ring, ())


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["look", "answered", "accepted", "declined", "unreachable"]),
        st.integers(0, 4),
        st.integers(0, 40_000),
    ),
    max_size=60,
)


def after(ring: Ring, act: str, holder: str, now: int) -> Step:
    match act:
        case "look":
            return ringing.look(ring, now)
        case "answered":
            return ringing.answered(ring, holder, now)
        case "accepted":
            return ringing.accepted(ring, holder)
        case "declined":
            return ringing.declined(ring, holder, now)
        case _:
            return ringing.unreachable(ring, holder, now)


@settings(max_examples=200)
@given(people=st.integers(0, 5), at_once=st.integers(1, 3), acts=ACTS)
def test_it_always_ends_and_always_says_so(
    people: int, at_once: int, acts: list[tuple[str, int, int]]
) -> None:
    """Whatever happens: nobody's phone rings after the end, nobody is dialled more often than there
    are rounds, and either somebody is coming or it was said aloud that nobody is."""
    order = [Callee(str(number), f"P{number}") for number in range(people)]
    ring, commands = ringing.start(grouped(order, at_once), RINGS, T)
    said, now = list(commands), T
    for act, whom, later in acts:
        now += later
        ring, commands = after(ring, act, str(whom), now)
        said += commands
    for _ in range(people * ROUNDS + 1):
        now += RINGS * 1000 + LISTENS
        ring, commands = ringing.look(ring, now)
        said += commands
    assert ring.state in (RingState.ACCEPTED, RingState.NOBODY)
    assert not any(call.state in LIVE for call in ring.calls)
    acts_said = [command.act for command in said]
    assert (Act.SAY_COMING in acts_said) == bool(ring.coming)
    assert ring.coming or Act.SAY_NOBODY in acts_said
    for each in order:
        assert said.count(Command(Act.DIAL, each.holder)) <= ROUNDS
