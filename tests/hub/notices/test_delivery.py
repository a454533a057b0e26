"""The delivery machine: no clock, no network, every path."""

from hypothesis import given, settings
from hypothesis import strategies as st

from village_hub.notices import delivery
from village_hub.notices.delivery import (
    LEASE,
    MOST_LAPSES,
    PAUSES,
    RANKS,
    RECEIPT_WITHIN,
    ROUNDS,
    Delivery,
    queue,
)
from village_hub.notices.kinds import Channel, State

SMS, VOICE, WEBHOOK = Channel.SMS, Channel.VOICE, Channel.WEBHOOK
PAGE, SLIP = Channel.PAGE, Channel.SLIP
T = 1_000_000


def fresh(
    *channels: Channel, must: frozenset[Channel] = frozenset(), rounds: int = ROUNDS
) -> Delivery:
    return queue(channels, must=must, release_at=T, due=T + 60_000, rounds=rounds)


def begun(progress: Delivery, now: int) -> tuple[Delivery, Channel | None]:
    return delivery.attempt(progress, now)


def test_the_first_channel_is_tried_at_once_and_a_receipt_ends_it() -> None:
    progress, channel = begun(fresh(SMS, VOICE), T)
    assert channel is SMS
    progress = delivery.accepted(progress, T + 10)
    assert begun(progress, T + 20) == (progress, None)
    progress = delivery.arrived(progress, SMS, T + 500)
    assert (progress.state, progress.delivered) == (State.DELIVERED, T + 500)
    assert progress.given_up


def test_what_bounced_goes_by_the_next_channel_at_once() -> None:
    progress, _ = begun(fresh(SMS, VOICE), T)
    progress, channel = begun(delivery.bounced(progress, T + 5), T + 5)
    assert channel is VOICE


def test_a_receipt_that_does_not_come_counts_as_a_bounce() -> None:
    progress, _ = begun(fresh(SMS, VOICE), T)
    progress = delivery.accepted(progress, T)
    late = T + RECEIPT_WITHIN[SMS]
    assert begun(progress, late - 1)[1] is None
    progress, channel = begun(progress, late)
    assert channel is VOICE


def test_after_a_round_there_is_a_pause_and_after_the_last_nothing() -> None:
    progress, now = fresh(SMS), T
    pauses: list[int] = []
    while progress.next_attempt is not None:
        pauses.append(progress.next_attempt - now)
        now = progress.next_attempt
        progress, channel = begun(progress, now)
        assert channel is SMS
        progress = delivery.bounced(progress, now)
    assert pauses == [0, *PAUSES]
    assert progress.attempts == ROUNDS


def test_a_channel_that_cannot_reach_somebody_is_not_tried_again() -> None:
    progress, _ = begun(fresh(SMS, VOICE), T)
    progress = delivery.bounced(progress, T, for_good=True)
    assert progress.left == (VOICE,)
    progress, channel = begun(progress, T)
    assert channel is VOICE
    assert delivery.bounced(progress, T, for_good=True).given_up


def test_nothing_is_tried_or_counted_before_its_release() -> None:
    """PRM-10."""
    progress = fresh(SMS)
    assert begun(progress, T - 1)[1] is None
    assert delivery.arrived(progress, PAGE, T - 1) == progress
    assert delivery.acknowledged(progress, T - 1) == progress


def test_acknowledged_on_the_page_it_is_not_sent_any_more() -> None:
    """Shown alone is not enough: a page left open reads nothing."""
    progress = delivery.arrived(fresh(SMS, VOICE), PAGE, T)
    assert (progress.state, progress.given_up) == (State.DELIVERED, False)
    assert begun(progress, T)[1] is SMS
    progress = delivery.acknowledged(progress, T + 9)
    assert (progress.state, progress.delivered, progress.seen) == (State.SEEN, T, T + 9)
    assert progress.given_up


def test_what_is_withdrawn_is_not_sent_any_more_and_can_still_be_read() -> None:
    progress = delivery.withdrawn(fresh(VOICE))
    assert begun(progress, T)[1] is None
    assert delivery.acknowledged(progress, T).state is State.SEEN


def test_what_must_be_called_is_called_even_when_it_was_read() -> None:
    """PRM-21: announced by call and printed slip."""
    progress = delivery.acknowledged(fresh(VOICE, SMS, must=frozenset({VOICE, SLIP})), T)
    assert progress.missed == {VOICE, SLIP}
    progress, channel = begun(progress, T)
    assert channel is VOICE
    progress = delivery.arrived(delivery.accepted(progress, T), VOICE, T + 1)
    assert progress.given_up
    assert progress.missed == {SLIP}
    assert delivery.arrived(progress, SLIP, T + 2).missed == frozenset()


def test_reading_during_a_call_that_must_work_does_not_cut_the_call_off() -> None:
    progress, _ = begun(fresh(SMS, VOICE, must=frozenset({VOICE})), T)
    progress, channel = begun(delivery.bounced(progress, T), T)
    assert channel is VOICE
    waiting = delivery.accepted(progress, T)
    read = delivery.acknowledged(waiting, T + 1)
    assert (read.left, read.waiting, read.next_attempt) == ((VOICE,), True, waiting.next_attempt)


def test_due_and_nobody_reached_is_failed_and_can_still_be_delivered() -> None:
    progress = fresh(SMS)
    assert delivery.overdue(progress, T + 59_999).state is State.QUEUED
    failed = delivery.overdue(progress, T + 60_000)
    assert failed.state is State.FAILED
    assert begun(failed, T + 60_000)[1] is SMS, "it is tried on"
    assert delivery.arrived(failed, SMS, T + 70_000).state is State.DELIVERED
    reached = delivery.arrived(progress, SMS, T)
    assert delivery.overdue(reached, T + 60_000).state is State.DELIVERED


def test_an_attempt_that_a_crash_cut_off_is_made_again_after_its_lease() -> None:
    progress, _ = begun(fresh(SMS, VOICE), T)
    assert begun(progress, T + LEASE - 1)[1] is None
    again, channel = begun(progress, T + LEASE)
    assert channel is SMS
    assert (again.round, again.position) == (progress.round, progress.position), "the same key"


def test_what_crashes_us_each_time_gives_way_to_the_next_channel() -> None:
    progress, now = fresh(SMS, VOICE), T
    tried: list[Channel | None] = []
    for _ in range(MOST_LAPSES + 1):
        progress, channel = begun(progress, now)
        tried.append(channel)
        now += LEASE
    assert tried == [*[SMS] * MOST_LAPSES, VOICE]


def test_a_late_receipt_starts_nothing_again() -> None:
    progress = fresh(SMS, VOICE, must=frozenset({VOICE}), rounds=1)
    for _ in range(2):
        progress, _ = begun(progress, T)
        progress = delivery.bounced(progress, T)
    assert progress.given_up
    late = delivery.arrived(progress, SMS, T + 5)
    assert late.given_up
    assert late.state is State.DELIVERED
    assert late.missed == {VOICE}


def test_a_delay_renewed_moves_release_and_due() -> None:
    progress = delivery.postponed(fresh(SMS), T + 100)
    assert (progress.release_at, progress.due) == (T + 100, T + 60_100)
    assert begun(progress, T + 99)[1] is None
    assert begun(progress, T + 100)[1] is SMS


LOUD = st.lists(st.sampled_from([SMS, VOICE, WEBHOOK]), max_size=3, unique=True).map(tuple)
HAPPENS = ["attempt", "accept", "bounce", "drop", "receipt", "page", "seen", "overdue", "slip"]
EVENTS = st.lists(st.tuples(st.sampled_from(HAPPENS), st.integers(0, 20 * 60_000)), max_size=80)


def after(progress: Delivery, event: str, now: int, channel: Channel) -> Delivery:
    under_way = bool(progress.left) and not progress.given_up
    steps = {
        "accept": lambda: delivery.accepted(progress, now) if under_way else progress,
        "bounce": lambda: delivery.bounced(progress, now) if under_way else progress,
        "drop": lambda: delivery.bounced(progress, now, for_good=True) if under_way else progress,
        "receipt": lambda: delivery.arrived(progress, channel, now),
        "page": lambda: delivery.arrived(progress, PAGE, now),
        "slip": lambda: delivery.arrived(progress, SLIP, now),
        "seen": lambda: delivery.acknowledged(progress, now),
        "overdue": lambda: delivery.overdue(progress, now),
    }
    return steps[event]()


@settings(max_examples=300)
@given(
    channels=LOUD,
    must=st.sets(st.sampled_from([SMS, VOICE, SLIP])),
    delay=st.integers(0, 3_600_000),
    rounds=st.integers(1, ROUNDS),
    events=EVENTS,
)
def test_whatever_happens_the_promises_hold(
    channels: tuple[Channel, ...],
    must: set[Channel],
    delay: int,
    rounds: int,
    events: list[tuple[str, int]],
) -> None:
    """Never before its release; states only grow; a bounded number of attempts; what was reached
    stays reached; what was delivered is sent again only by a channel that must work."""
    progress = queue(
        channels, must=frozenset(must), release_at=T + delay, due=T + 60_000, rounds=rounds
    )
    now, last = T, channels[0] if channels else PAGE
    for event, later in events:
        now, before = now + later, progress
        if event == "attempt":
            progress, channel = delivery.attempt(progress, now)
            if channel is not None:
                assert now >= T + delay
                assert channel in channels
                assert not (before.seen or before.reached - {PAGE}) or channel in must
                last = channel
        else:
            progress = after(progress, event, now, last)
        assert RANKS.index(progress.state) >= RANKS.index(before.state)
        assert before.reached <= progress.reached
        assert progress.delivered is None or progress.delivered >= T + delay
        assert before.delivered is None or progress.delivered == before.delivered
        assert progress.next_attempt is None or 0 <= progress.position < len(progress.left)
        assert progress.attempts <= (rounds + 3) * max(1, len(channels)) * MOST_LAPSES


@settings(max_examples=100)
@given(channels=LOUD.filter(bool), lost=st.integers(0, 30), rounds=st.integers(1, ROUNDS))
def test_a_notice_is_never_lost_while_a_carrier_may_work(
    channels: tuple[Channel, ...], lost: int, rounds: int
) -> None:
    """Until its rounds are used up there is a next attempt; the first that works delivers it."""
    progress, now, tries = fresh(*channels, rounds=rounds), T, 0
    while progress.next_attempt is not None:
        now = max(now, progress.next_attempt)
        progress, channel = delivery.attempt(progress, now)
        assert channel is not None
        tries += 1
        if tries > lost:
            progress = delivery.arrived(delivery.accepted(progress, now), channel, now)
        else:
            progress = delivery.bounced(progress, now)
    assert (progress.delivered is not None) == (lost < rounds * len(channels))
    assert tries <= rounds * len(channels)
