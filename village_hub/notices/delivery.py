"""How far one notice got: a pure state machine without clock, disk or network.

A notice has loud channels in its addressee's order. Each round tries them one after another; a
round that reached nobody is followed by a pause and another one. What reached somebody ends it, but
for the channels in `must`, which are tried until they worked or their rounds are used up. Its page
is always there besides: shown there, it counts as delivered, but a page left open on a table is no
reader: only an acknowledgement there ends the loud channels.

    queued ──due, nobody reached──> failed ──reached after all──> delivered ──acknowledged──> seen
       └──────────────reached─────────────────────────────────────^

The state only grows. Nothing is attempted before `release_at` (PRM-10).
"""

from dataclasses import dataclass, replace

from village_hub.notices.kinds import Channel, State

MINUTE = 60_000  # ms
PAUSES = (
    *(30_000, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE),
    *(120 * MINUTE, 360 * MINUTE, 720 * MINUTE),
)  # after each round
ROUNDS = len(PAUSES) + 1
LEASE = MINUTE  # what was begun and not ended by then was cut off by a crash
MOST_LAPSES = 3  # of one attempt, before it counts as failed
RECEIPT_WITHIN = {Channel.SMS: 10 * MINUTE, Channel.VOICE: 3 * MINUTE}  # else the next channel
RANKS = (State.QUEUED, State.FAILED, State.DELIVERED, State.SEEN)
BY_HAND = frozenset({Channel.SLIP})  # no program carries it


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Times are UTC ms. `left` are the loud channels that may still be tried."""

    left: tuple[Channel, ...]
    must: frozenset[Channel]
    release_at: int
    due: int
    next_attempt: int | None
    rounds: int = ROUNDS
    state: State = State.QUEUED
    position: int = 0  # in `left`
    round: int = 0
    lapses: int = 0  # of the attempt at `position`
    waiting: bool = False  # handed over; a receipt is to come
    reached: frozenset[Channel] = frozenset()
    attempts: int = 0
    delivered: int | None = None
    seen: int | None = None

    @property
    def channel(self) -> Channel:
        """The one at its turn; only while there is one."""
        return self.left[self.position]

    @property
    def missed(self) -> frozenset[Channel]:
        """Channels that had to work and have not (yet)."""
        return self.must - self.reached

    @property
    def given_up(self) -> bool:
        """Nothing will be tried any more."""
        return self.next_attempt is None


def queue(
    channels: tuple[Channel, ...],
    *,
    must: frozenset[Channel] = frozenset(),
    release_at: int,
    due: int,
    rounds: int = ROUNDS,
) -> Delivery:
    """A new notice; `channels` in the addressee's order."""
    loud = tuple(dict.fromkeys(c for c in channels if c is not Channel.PAGE and c not in BY_HAND))
    return Delivery(
        left=loud,
        must=must,
        release_at=release_at,
        due=max(due, release_at),
        next_attempt=release_at if loud else None,
        rounds=rounds,
    )


def attempt(delivery: Delivery, now: int) -> tuple[Delivery, Channel | None]:
    """The channel to try now, already begun; None when nothing is to be done yet."""
    if delivery.next_attempt is None or now < max(delivery.next_attempt, delivery.release_at):
        return delivery, None
    if delivery.waiting or delivery.lapses >= MOST_LAPSES:  # no receipt came, or it kills us
        delivery = bounced(delivery, now)
        if delivery.next_attempt is None or now < delivery.next_attempt:
            return delivery, None
    begun = replace(
        delivery,
        attempts=delivery.attempts + 1,
        lapses=delivery.lapses + 1,
        next_attempt=now + LEASE,
    )
    return begun, begun.channel


def accepted(delivery: Delivery, now: int) -> Delivery:
    """The carrier took it; whether it arrived, a receipt says."""
    within = RECEIPT_WITHIN.get(delivery.channel, LEASE)
    return replace(delivery, waiting=True, next_attempt=now + within)


def arrived(delivery: Delivery, channel: Channel, now: int) -> Delivery:
    """It reached somebody by `channel` (PAGE: it was shown, SLIP: it was handed over)."""
    if now < delivery.release_at:
        return delivery
    reached = delivery.reached | {channel}
    found = replace(delivery, reached=reached, delivered=delivery.delivered or now)
    found = _risen(found, State.DELIVERED)
    return found if channel is Channel.PAGE else _only_what_must(found, now)


def bounced(delivery: Delivery, now: int, *, for_good: bool = False) -> Delivery:
    """The attempt failed; `for_good`: this channel cannot reach this addressee at all."""
    if not delivery.left:
        return replace(delivery, next_attempt=None, waiting=False)
    if not for_good:
        return _at(delivery, delivery.position + 1, now)
    left = tuple(one for one in delivery.left if one is not delivery.channel)
    return _at(replace(delivery, left=left), delivery.position, now)


def acknowledged(delivery: Delivery, now: int) -> Delivery:
    """Its addressee says that it was read."""
    if now < delivery.release_at:
        return delivery
    found = _only_what_must(arrived(delivery, Channel.PAGE, now), now)
    return _risen(replace(found, seen=found.seen or now), State.SEEN)


def withdrawn(delivery: Delivery) -> Delivery:
    """Nobody need be called any more; what was told stays readable."""
    return replace(delivery, next_attempt=None, waiting=False)


def overdue(delivery: Delivery, now: int) -> Delivery:
    """FAILED when it was due and nobody was reached."""
    late = now >= delivery.due and delivery.delivered is None
    return _risen(delivery, State.FAILED) if late else delivery


def postponed(delivery: Delivery, release_at: int) -> Delivery:
    """Released later; only what is not out yet can be (the caller knows the clock)."""
    after = release_at - delivery.release_at
    return replace(
        delivery,
        release_at=release_at,
        due=delivery.due + after,
        next_attempt=release_at if delivery.left else None,
    )


def _only_what_must(delivery: Delivery, now: int) -> Delivery:
    """Somebody was reached: of the loud channels only those go on that have to work."""
    left = tuple(one for one in delivery.left if one in delivery.missed)
    if delivery.given_up:
        return replace(delivery, left=left, position=0)
    current = delivery.left[delivery.position]
    if current in left:  # under way, and still needed
        return replace(delivery, left=left, position=left.index(current))
    return _at(replace(delivery, left=left), 0, now)


def _at(delivery: Delivery, position: int, now: int) -> Delivery:
    """On to `position`: now, after a pause when a round is over, or never."""
    found = replace(delivery, position=position, lapses=0, waiting=False, next_attempt=now)
    if position < len(found.left):
        return found
    if not found.left or found.round + 1 >= found.rounds:
        return replace(found, position=0, next_attempt=None)
    pause = PAUSES[min(found.round, len(PAUSES) - 1)]
    return replace(found, position=0, round=found.round + 1, next_attempt=now + pause)


def _risen(delivery: Delivery, state: State) -> Delivery:
    higher = RANKS.index(state) > RANKS.index(delivery.state)
    return replace(delivery, state=state) if higher else delivery
