"""Lines that must arrive (docs/design/0004-the-tree.md): numbered by who writes them, taken in
their order, each once. Both ways between a hub and the one above it.

    PUT /api/v1/node/lines   child to parent   BookLines -> BookTaken
    PUT /lines               parent to child, over the uplink; the same

The answer names the last line taken: a writer whose own line of that number has another name was
restored from an older copy, and gives new numbers to what it does not know to be taken. Names stay,
so that a line which was taken after all is not taken again.
"""

from typing import Any, Self

from pydantic import Field, model_validator

from village_core.messages import LARGEST_WHOLE, Id, Message

MOST_LINES = 50  # of one batch
LARGEST_BATCH = 40 * 1024  # bytes of bodies; one larger line goes alone
LARGEST_LINE = 32 * 1024


class BookLine(Message):
    number: int = Field(ge=1, le=LARGEST_WHOLE)
    id: Id
    kind: str = Field(pattern="^[a-z_]{2,30}$")
    body: dict[str, Any]


class BookLines(Message):
    """`first`: the lowest number that the writer still has; what is before it is lost to a reader
    who has not taken it."""

    first: int = Field(ge=1, le=LARGEST_WHOLE)
    lines: tuple[BookLine, ...] = Field(min_length=1, max_length=MOST_LINES)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        numbers = [line.number for line in self.lines]
        if numbers != list(range(numbers[0], numbers[0] + len(numbers))):
            raise ValueError("lines are to follow each other")
        if numbers[0] < self.first:
            raise ValueError("a line before the first")
        return self


class BookTaken(Message):
    """Up to which number the reader has taken; 0: none."""

    last: int = Field(ge=0, le=LARGEST_WHOLE)
    id: Id | None = None  # of that line; None: it is not known any more
