"""What anybody can do with a police request for footage."""

from typing import ClassVar

from pydantic import Field

from village_core.messages import PRINTABLE
from village_hub.cases.matter import Act
from village_hub.cases.request import Found
from village_hub.cases.request_terms import RequestTerms, Scan

Words = Field(default="", max_length=400, pattern=PRINTABLE)
Ground = Field(min_length=10, max_length=400, pattern=PRINTABLE)


class Amend(Act):
    name: ClassVar[str] = "amend"
    terms: RequestTerms


class Attach(Act):
    name: ClassVar[str] = "attach"
    scan: Scan


class File(Act):
    """`parts`: the cameras that the terms name, as the hub knows them."""

    name: ClassVar[str] = "file"
    parts: tuple[Found, ...] = ()


class GrantDelay(Act):
    name: ClassVar[str] = "grant_delay"


class RenewDelay(Act):
    name: ClassVar[str] = "renew_delay"
    until: int
    ground: str = Ground


class EndDelay(Act):
    name: ClassVar[str] = "end_delay"


class Approve(Act):
    name: ClassVar[str] = "approve"


class Refuse(Act):
    name: ClassVar[str] = "refuse"
    words: str = Field(min_length=2, max_length=400, pattern=PRINTABLE)


class Resolve(Act):
    """The village names the cameras of the area that was asked for; there may be none."""

    name: ClassVar[str] = "resolve"
    parts: tuple[Found, ...] = ()


class Countersign(Act):
    name: ClassVar[str] = "countersign"
    household: str = Field(min_length=1, max_length=80)
    words: str = Words


class NoteRefusal(Act):
    """The holder does not sign (CRP 62). It stops nothing; it is on record."""

    name: ClassVar[str] = "note_refusal"
    household: str = Field(min_length=1, max_length=80)
    words: str = Words


class Returned(Act):
    name: ClassVar[str] = "returned"
    words: str = Words
