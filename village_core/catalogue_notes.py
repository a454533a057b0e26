"""What a hub tells its parent of its cameras (docs/design/0004-the-tree.md, Catalogue above).

    PUT /api/v1/node/catalogue        CatalogueBatch  200 CatalogueAnswer
    PUT /api/v1/node/catalogue/state  StateBatch      200 StateAnswer

Batches have numbers, one line of them a child. Each says which number it stands `after`; 0 is a
page of everything. A parent that has another number takes nothing and answers where to go on from.
"""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from village_core.messages import LARGEST_WHOLE, Id, Name
from village_core.permits import CameraClass
from village_core.troubles import Trouble

MOST_TOLD = 200  # cameras of one batch, and as many as fit into 48 KiB
MOST_STATES = 1000  # of one batch, and as many as fit into 48 KiB
MOST_NAMED = 50  # of one camera

Number = Annotated[int, Field(ge=1, le=LARGEST_WHOLE)]
After = Annotated[int, Field(ge=0, le=LARGEST_WHOLE)]
PlaceCode = Annotated[str, Field(pattern=r"^[0-9]{6,12}$")]  # a home's number is no part of it


class Note(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StateNote(Note):
    """One camera's state. Of two the one with the higher `number` holds, whichever came last: the
    child's own count, which its clock cannot turn back."""

    id: Id
    number: Number
    online: bool
    since: After  # UTC ms: of `online`
    trouble: Trouble | None = None  # why not
    picture: After | None = None  # when it last gave one, UTC ms


class NamedNote(Note):
    """Who may know of a home's camera: a unit of the parent's, or one of its people."""

    unit: Id | None = None
    person: Id | None = None

    @model_validator(mode="after")
    def _is_somebody(self) -> Self:
        if self.unit is None and self.person is None:
            raise ValueError("a unit or a person")
        return self


class OfferNote(Note):
    """One camera as the parent may know it; `lat` and `lon` in millionths of a degree."""

    place: PlaceCode
    name: Name
    camera_class: CameraClass
    state: StateNote
    lat: Annotated[int, Field(ge=-90_000_000, le=90_000_000)] | None = None
    lon: Annotated[int, Field(ge=-180_000_000, le=180_000_000)] | None = None
    owner: Id | None = None  # the node that decides about it; None: the one that tells of it
    named: tuple[NamedNote, ...] = Field(default=(), max_length=MOST_NAMED)

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.lat is None) is not (self.lon is None):
            raise ValueError("a point is lat and lon")
        if self.camera_class.public is bool(self.named):
            raise ValueError("a home's camera names who may know of it, and no other one does")
        return self


class CatalogueBatch(Note):
    """`after` a number: changes since then. After 0: page `page` of everything, `last` the last."""

    number: Number
    after: After
    page: Annotated[int, Field(ge=0, le=100_000)] = 0
    last: bool = False
    put: tuple[OfferNote, ...] = Field(default=(), max_length=MOST_TOLD)
    gone: tuple[Id, ...] = Field(default=(), max_length=MOST_TOLD)

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        ids = [*(each.state.id for each in self.put), *self.gone]
        if len(set(ids)) != len(ids):
            raise ValueError("a camera twice")
        if self.after >= self.number:
            raise ValueError("a batch stands after a smaller number")
        if self.after and (self.page or self.last):
            raise ValueError("pages are of everything, after 0")
        if not self.after and self.gone:
            raise ValueError("what is gone is not in everything")
        return self


class CatalogueAnswer(Note):
    """`taken`, and the number that the next batch is to stand after; 0: everything is wanted."""

    taken: bool
    after: int


class StateBatch(Note):
    """Changes of about a second; none at all says that the child is there."""

    states: tuple[StateNote, ...] = Field(default=(), max_length=MOST_STATES)

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len({each.id for each in self.states}) != len(self.states):
            raise ValueError("a camera twice")
        return self


class StateAnswer(Note):
    """How many of them were newer than what was known."""

    changed: int
