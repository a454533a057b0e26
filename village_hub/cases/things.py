"""What a villager says when something is lost or in dispute: place, time and thing, never a person
(PRM-22); and what the village says that it looked at."""

from typing import ClassVar, Literal

from pydantic import Field

from village_core.messages import PRINTABLE
from village_hub.cases.effects import Note
from village_hub.cases.matter import Act, Part


class ThingTerms(Part):
    """`no_person` is a declaration: nobody is named or described. Somebody who is missing is an
    emergency (PRM-7), not this."""

    place: str = Field(pattern=r"^[0-9]{6,20}$")  # administrative code
    where: str = Field(min_length=2, max_length=200, pattern=PRINTABLE)
    thing: str = Field(min_length=2, max_length=80, pattern=PRINTABLE)
    what: str = Field(min_length=10, max_length=300, pattern=PRINTABLE)
    begin: int
    end: int
    no_person: Literal[True]


class PublicCamera(Part):
    """One of a public place, as the hub has it on record."""

    id: str = Field(max_length=80)
    name: str = Field(max_length=200)


class Close(Act):
    """It is over, and this is how."""

    name: ClassVar[str] = "close"
    words: str = Field(min_length=2, max_length=600, pattern=PRINTABLE)


def looks(
    what: str, cameras: tuple[PublicCamera, ...], footage: tuple[int, int], why: str
) -> tuple[Note, ...]:
    """For the audit log: one a camera (AUD-1), or one of none."""
    names = [each.id for each in cameras] or [""]
    return tuple(Note(what, camera=name, footage=footage, why=why) for name in names)
