"""Units of hubs above, as a child asks for them: whom an SOS rings where the child has no station,
and to whom a household may give a grant.

    GET /api/v1/node/units   child to parent   UnitsAbove
"""

from typing import Annotated

from pydantic import Field

from village_core.messages import PRINTABLE, Id, Message

MOST = 200


class UnitNote(Message):
    """`hub`: where its people sign in; `place`: what it answers for, an administrative code."""

    id: Id
    hub: Id
    kind: Annotated[str, Field(pattern="^[a-z_]{2,30}$")]
    name: str = Field(max_length=120, pattern=PRINTABLE)
    place: str = Field(pattern=r"^[0-9]{2,20}$")


class UnitsAbove(Message):
    units: tuple[UnitNote, ...] = Field(max_length=MOST)
