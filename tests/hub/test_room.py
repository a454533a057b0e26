"""The line to the hub above: who gives way when it is full (issue 4, admission), pure."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from village_core.permits import Purpose, Quality
from village_hub.media.room import LOOKS, LOSS, OPEN, Leg, Rank, Room, rank_of

MBIT = 1_000_000.0


def leg(name: str, rank: Rank = Rank.DUTY, **more: Any) -> Leg:
    said = {"quality": Quality.MAIN, "began": 0.0, "rate": 2 * MBIT, "loss": 0.0, **more}
    return Leg(id=name, rank=rank, **said)


def full(*legs: Leg) -> tuple[Room, list[str]]:
    """The line was full for as long as it takes to be believed."""
    room = Room()
    for _ in range(LOOKS - 1):
        assert room.look(legs) == []
    return room, room.look(legs)


def test_until_it_was_full_everybody_is_let_in() -> None:
    room = Room()
    room.look([leg("a"), leg("b")])
    assert room.carries == OPEN
    assert room.admits([leg("a")] * 99, Rank.OTHER, MBIT)


def test_when_it_is_full_the_last_main_picture_gives_way_and_what_arrived_is_what_it_carries() -> (
    None
):
    first = leg("first", began=1.0, loss=0.3)
    last = leg("last", began=2.0, loss=0.3)
    small = leg("small", began=3.0, loss=0.3, quality=Quality.SUB, rate=0.4 * MBIT)
    room, gone = full(first, last, small)
    assert gone == ["last"]
    assert 2.4 * MBIT < room.carries < 4.4 * 0.7 * MBIT
    assert not room.admits([first, small], Rank.DUTY, 0.5 * MBIT)
    assert room.admits([small], Rank.DUTY, 0.5 * MBIT)


def test_a_loss_that_passes_is_no_full_line() -> None:
    room = Room()
    for loss in (LOSS, 0.0) * LOOKS:
        assert room.look([leg("a", loss=loss), leg("b")]) == []
    assert room.carries == OPEN


def test_an_sos_comes_in_and_others_make_way_for_it() -> None:
    one, two = leg("one", began=1.0), leg("two", Rank.OTHER, began=0.0)
    room = Room()
    room.carries = 4.5 * MBIT
    assert room.admits([one, two], Rank.URGENT, 2 * MBIT)
    assert room.make_way([one, two], Rank.URGENT, 2 * MBIT) == ["two"]
    assert room.make_way([leg("sos", Rank.URGENT)], Rank.URGENT, 9 * MBIT) == []
    assert not room.admits([one, leg("sos", Rank.URGENT)], Rank.DUTY, 2 * MBIT)


def test_the_only_picture_stays_however_little_of_it_arrives() -> None:
    _, gone = full(leg("alone", loss=0.9))
    assert gone == []


def test_it_is_tried_again_a_little_more_at_a_time() -> None:
    room, _ = full(leg("a", loss=0.5), leg("b", loss=0.5))
    before = room.carries
    for _ in range(30):
        room.look([leg("a")])
    assert 1.2 < room.carries / before < 1.5


def test_whom_a_picture_serves_says_how_urgent_it_is() -> None:
    assert rank_of([Purpose.FAMILY]) is Rank.OTHER
    assert rank_of([Purpose.FAMILY, Purpose.PUBLIC_SECURITY]) is Rank.DUTY
    assert rank_of([Purpose.PUBLIC_SECURITY, Purpose.SOS]) is Rank.URGENT
    assert rank_of([]) is Rank.OTHER


LEGS = st.lists(
    st.tuples(
        st.sampled_from(Rank),
        st.sampled_from(Quality),
        st.floats(0, 100),
        st.floats(1e4, 1e7),
        st.floats(0, 1),
    ),
    max_size=12,
)


@given(LEGS)
def test_nobody_gives_way_to_somebody_less_urgent(found: list[tuple[Any, ...]]) -> None:
    names = ("rank", "quality", "began", "rate", "loss")
    legs = [leg(str(at), **dict(zip(names, each, strict=True))) for at, each in enumerate(found)]
    room = Room()
    gone: list[str] = []
    for _ in range(LOOKS):
        gone = room.look(legs)
    left = [each for each in legs if each.id not in gone]
    assert left or not legs
    cut = [each for each in legs if each.id in gone]
    assert all(a.rank <= b.rank for a in cut for b in left)
    if len(left) > 1 and gone:
        assert sum(each.rate for each in left) <= room.carries
