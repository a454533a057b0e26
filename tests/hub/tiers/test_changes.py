"""What is told of an offer, in numbered batches (docs/design/0004-the-tree.md), against the real
taking in: whatever happens on the way, both ends are equal at last."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from village_core.catalogue_notes import (
    MOST_TOLD,
    CatalogueAnswer,
    CatalogueBatch,
    OfferNote,
    StateNote,
)
from village_core.messages import LARGEST_FRAME
from village_core.permits import CameraClass
from village_hub.tiers.changes import Told, bare

PLACE = "110101001001"


def offer(name: str, said: str = "Lane") -> OfferNote:
    state = StateNote(id=name, number=1, online=True, since=1)
    return bare(OfferNote(place=PLACE, name=said, camera_class=CameraClass.P9, state=state))


def state(name: str, number: int = 1, *, online: bool = True) -> StateNote:
    return StateNote(id=name, number=number, online=online, since=number)


class Above:
    """The hub above as village_hub/catalogue/remote.py keeps it, in a dict."""

    def __init__(self) -> None:
        self.offers: dict[str, OfferNote] = {}
        self.number = 0
        self.syncing: dict[str, OfferNote] | None = None

    def take(self, batch: CatalogueBatch) -> CatalogueAnswer:
        if batch.after == 0:
            self.syncing = {} if batch.page == 0 else self.syncing
            if self.syncing is None:
                return CatalogueAnswer(taken=False, after=0)
            self.syncing.update({note.state.id: bare(note) for note in batch.put})
            if batch.last:
                self.offers, self.syncing, self.number = self.syncing, None, batch.number
            return CatalogueAnswer(taken=True, after=self.number if batch.last else 0)
        if batch.after != self.number or self.syncing is not None:
            return CatalogueAnswer(taken=False, after=0)
        self.offers.update({note.state.id: bare(note) for note in batch.put})
        for name in batch.gone:
            self.offers.pop(name, None)
        self.number = batch.number
        return CatalogueAnswer(taken=True, after=batch.number)


def tell(told: Told, above: Above, offers: dict[str, OfferNote], now: int, cut: int = 99) -> None:
    """One round; the line is cut after `cut` batches, whose answer is lost too."""
    states = {name: state(name) for name in offers}
    for batch in told.batches(offers, states, now):
        answer = above.take(batch)
        if cut == 0:
            told.lost()
            return
        cut -= 1
        if not told.took(batch, answer):
            return


def many(count: int, said: str = "Lane") -> dict[str, OfferNote]:
    return {f"c{number}": offer(f"c{number}", said) for number in range(count)}


def test_everything_first_then_changes_alone() -> None:
    told, above = Told(), Above()
    tell(told, above, many(3), 1000)
    assert above.offers == many(3)
    states = {name: state(name) for name in many(3)}
    assert list(told.batches(many(3), states, 2000)) == []
    changed = {**many(2), "c1": offer("c1", "South lane")}
    (batch,) = told.batches(changed, states, 2000)
    assert (batch.after, [note.name for note in batch.put], batch.gone) == (
        1000,
        ["South lane"],
        ("c2",),
    )


def test_no_batch_is_too_large() -> None:
    told, above = Told(), Above()
    offers = many(2 * MOST_TOLD + 1, "\u9053" * 120)
    states = {name: state(name) for name in offers}
    pages = list(told.batches(offers, states, 1000))
    assert [page.page for page in pages] == list(range(len(pages)))
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
    assert max(len(page.model_dump_json().encode()) for page in pages) < LARGEST_FRAME
    for page in pages:
        assert told.took(page, above.take(page))
    assert above.offers == offers
    batches = list(told.batches({}, {}, 2000))
    assert max(len(batch.gone) for batch in batches) <= MOST_TOLD


def test_a_hub_above_that_was_restored_gets_everything() -> None:
    told, above = Told(), Above()
    tell(told, above, many(3), 1000)
    above.offers, above.number = many(1), 500  # yesterday's backup
    told.lost()
    tell(told, above, many(4), 2000)
    assert above.offers == many(4)


def test_the_clock_that_goes_back_turns_no_number_back() -> None:
    told, above = Told(), Above()
    tell(told, above, many(1), 5000)
    tell(told, above, many(2), 1000)
    assert (above.number, above.offers) == (5001, many(2))


def test_states_that_changed_and_no_others() -> None:
    told, above = Told(), Above()
    tell(told, above, many(3), 1000)
    now = {name: state(name) for name in many(4)}
    assert list(told.newer(now)) == []  # the fourth was not offered
    now["c1"] = state("c1", 2, online=False)
    (batch,) = told.newer(now)
    assert [note.id for note in batch.states] == ["c1"]
    told.took_states(batch)
    assert list(told.newer(now)) == []


@settings(deadline=None)
@given(
    rounds=st.lists(
        st.tuples(
            st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from(["one", "two"])),
            st.integers(0, 3),
            st.booleans(),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_whatever_is_cut_both_ends_are_equal_at_last(
    rounds: list[tuple[dict[str, str], int, bool]],
) -> None:
    told, above, now, last = Told(), Above(), 1000, dict[str, Any]()
    for names, cut, restored in rounds:
        last = {name: offer(name, said) for name, said in names.items()}
        now += 10
        tell(told, above, last, now, cut)
        if restored:  # from a backup: its line went down with it
            above = Above()
            told.lost()
    for _ in range(3):
        now += 10
        tell(told, above, last, now)
    assert above.offers == last


@pytest.mark.parametrize("taken", [True, False])
def test_an_empty_offer_is_told_too(taken: bool) -> None:
    told = Told()
    (batch,) = told.batches({}, {}, 1000)
    assert (batch.last, batch.put) == (True, ())
    assert told.took(batch, CatalogueAnswer(taken=taken, after=0)) is taken
