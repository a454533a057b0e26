"""What is still to be told of an offer: batches with numbers, one line of them. Pure.

told ──(differs)──> changes after the number that the hub above took
not taken ────────> everything anew, in pages; then changes again
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from village_core.catalogue_notes import (
    MOST_STATES,
    MOST_TOLD,
    CatalogueAnswer,
    CatalogueBatch,
    Note,
    OfferNote,
    StateBatch,
    StateNote,
)

N = TypeVar("N", bound=Note)
MOST_BYTES = 48 * 1024


@dataclass(slots=True)
class Told:
    """What the hub above took so far. Numbers go by the clock, so that a restart goes on above."""

    offers: dict[str, OfferNote] = field(default_factory=dict)  # without their states
    states: dict[str, StateNote] = field(default_factory=dict)
    number: int = 0
    whole: bool = False  # everything was told once on this line

    def lost(self) -> None:
        """Whether the hub above still has what it was told is not known."""
        self.whole = False

    def batches(
        self, offers: Mapping[str, OfferNote], states: Mapping[str, StateNote], now: int
    ) -> Iterator[CatalogueBatch]:
        """To be told in this order; each when the one before was taken."""
        if not self.whole:
            yield from self._everything(offers, states, max(self.number + 1, now))
            return
        changed = [name for name, note in offers.items() if self.offers.get(name) != note]
        gone = [name for name in self.offers if name not in offers]
        parts = list(_parts([_full(offers[name], states[name]) for name in changed], MOST_TOLD))
        for put in parts or ([()] if gone else []):
            number = max(self.number + 1, now)
            first, gone = gone[:MOST_TOLD], gone[MOST_TOLD:]
            yield CatalogueBatch(number=number, after=self.number, put=put, gone=tuple(first))
        while gone:
            number = max(self.number + 1, now)
            first, gone = gone[:MOST_TOLD], gone[MOST_TOLD:]
            yield CatalogueBatch(number=number, after=self.number, gone=tuple(first))

    def _everything(
        self, offers: Mapping[str, OfferNote], states: Mapping[str, StateNote], number: int
    ) -> Iterator[CatalogueBatch]:
        notes = [_full(note, states[name]) for name, note in offers.items()]
        pages = list(_parts(notes, MOST_TOLD)) or [()]
        for page, put in enumerate(pages):
            last = page == len(pages) - 1
            yield CatalogueBatch(number=number, after=0, page=page, last=last, put=put)

    def took(self, batch: CatalogueBatch, answer: CatalogueAnswer) -> bool:
        """Whether to go on with the next one."""
        if not answer.taken:
            self.whole = False
            self.offers.clear()
            return False
        if batch.after == 0 and batch.page == 0:
            self.offers.clear()
            self.states.clear()
        for note in batch.put:
            self.offers[note.state.id] = bare(note)
            self.states[note.state.id] = note.state
        for name in batch.gone:
            self.offers.pop(name, None)
            self.states.pop(name, None)
        if batch.after or batch.last:
            self.number, self.whole = batch.number, True
        return True

    def newer(self, states: Mapping[str, StateNote]) -> Iterator[StateBatch]:
        """States that changed, of cameras that were told."""
        changed = [
            note
            for name, note in states.items()
            if name in self.offers and self.states.get(name) != note
        ]
        for part in _parts(changed, MOST_STATES):
            yield StateBatch(states=part)

    def took_states(self, batch: StateBatch) -> None:
        self.states.update({note.id: note for note in batch.states})


def bare(note: OfferNote) -> OfferNote:
    """What has a number: all but the state, which goes its own way."""
    nothing = StateNote(id=note.state.id, number=1, online=False, since=0)
    return note.model_copy(update={"state": nothing})


def _full(note: OfferNote, state: StateNote) -> OfferNote:
    return note.model_copy(update={"state": state})


def _parts(notes: Sequence[N], most: int) -> Iterator[tuple[N, ...]]:
    """As many as one batch may have, in notes and in bytes."""
    part: list[N] = []
    size = 0
    for note in notes:
        length = len(note.model_dump_json().encode()) + 1
        if part and (len(part) == most or size + length > MOST_BYTES):
            yield tuple(part)
            part, size = [], 0
        part.append(note)
        size += length
    if part:
        yield tuple(part)
