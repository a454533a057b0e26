"""One entry of the audit log (AUD-1): who, what, why, when, from where, with what result.

An entry is a document: its canonical JSON (RFC 8785 for what we write: sorted names, no spaces,
UTF-8, whole numbers) is what is stored, hashed and exported. What is empty is left out.
"""

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from village_core.messages import LARGEST_WHOLE
from village_hub.access.facts import Subject
from village_hub.audit.cleaning import clean, clean_about

ALLOWED = "allowed"  # the result of what was not refused
ABOUT_LONGEST = 200


class EntryKind(StrEnum):
    DECISION = "decision"  # a look was asked for: allowed or not
    VIEW_START = "view_start"  # a session really opened
    VIEW_END = "view_end"
    ACT = "act"  # consent, roles, settings, asking, exporting, reading this log
    REFUSAL_COUNT = "refusal_count"  # strangers turned away, by network and minute
    SYSTEM = "system"


def _text(longest: int) -> BeforeValidator:
    return BeforeValidator(lambda value: clean(value, longest) if isinstance(value, str) else value)


Id = Annotated[str, _text(100)]
Name = Annotated[str, _text(120)]
Word = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,63}$")]
Number = Annotated[int, Field(ge=0, le=LARGEST_WHOLE, strict=True)]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Who(Part):
    """A person, as their verified claims said."""

    issuer: Id = ""
    id: Id
    name: Name = ""
    unit: Id = ""
    unit_name: Name = ""
    roles: tuple[Word, ...] = ()

    @classmethod
    def of(cls, subject: Subject) -> "Who":
        return cls(
            issuer=subject.issuer,
            id=subject.id,
            name=subject.name,
            unit=subject.unit or "",
            unit_name=subject.unit_name,
            roles=tuple(sorted(role.value for role in subject.roles)),
        )


class Entry(Part):
    """`action` and `result` are words for programs; `result` is "allowed" or a reason's code."""

    id: Id
    utc_ms: Number
    kind: EntryKind
    action: Word
    result: Word
    who: Who | None = None
    second: Who | None = None  # who confirmed or approved
    role: Id = ""  # what they acted as
    device: Annotated[str, _text(200)] = ""
    source: Id = ""  # address
    camera: Id = ""
    camera_name: Name = ""
    household: Id = ""
    quality: Id = ""
    purpose: Id = ""
    case: Id = ""  # case or notice number
    basis: Id = ""  # the code of the matrix
    grant: Id = ""  # the grant, opening, request or shift it stands on
    permit: Id = ""  # the decision that a view or an act followed from
    reason: Annotated[str, _text(400)] = ""  # in their own words
    footage_from: Number | None = None
    footage_to: Number | None = None
    bytes: Number | None = None  # delivered
    seconds: Number | None = None
    late: bool = False  # written after the fact: the log could not be written then (AUD-2)
    about: Mapping[str, str | int] = Field(default_factory=dict)

    @field_validator("about", mode="before")
    @classmethod
    def _clean(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return {name: _about(name, each) for name, each in value.items()}

    @property
    def allowed(self) -> bool:
        return self.result == ALLOWED


def document(entry: Entry, chain: str, seq: int) -> str:
    """What is stored and hashed: the entry and its place."""
    said = entry.model_dump(mode="json", exclude_defaults=True)
    return canonical({**said, "chain": chain, "seq": seq})


def read_document(text: str) -> Entry:
    """The reverse. Raises ValueError (pydantic's is one)."""
    said = _object(text)
    said.pop("chain", None)
    said.pop("seq", None)
    return Entry.model_validate(said)


def place_of(text: str) -> tuple[str, int]:
    """The chain and number that a document was written for. Raises ValueError."""
    said = _object(text)
    chain, seq = said.get("chain"), said.get("seq")
    if not isinstance(chain, str) or type(seq) is not int:
        raise ValueError("an entry has a chain and a number")
    return chain, seq


def _object(text: str) -> dict[str, Any]:
    said = json.loads(text)
    if not isinstance(said, dict):
        raise ValueError("an entry is an object")  # noqa: TRY004 - of the text, not of a type
    return said


def canonical(value: Any) -> str:
    """The one way to write a JSON value. ValueError for what RFC 8785 would write otherwise."""
    _check(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _check(value: Any) -> None:
    match value:
        case float():
            raise ValueError("only whole numbers")
        case int() if abs(value) > LARGEST_WHOLE:
            raise ValueError("a number that not every reader reads alike")
        case dict():
            if not all(isinstance(name, str) and name.isascii() for name in value):
                raise ValueError("names are ASCII")  # Python sorts others unlike RFC 8785
            for each in value.values():
                _check(each)
        case list() | tuple():
            for each in value:
                _check(each)
        case _:
            return


def _about(name: object, value: object) -> object:
    if not isinstance(name, str) or not name.isascii() or not name.isidentifier():
        raise ValueError("names in `about` are plain words")
    if isinstance(value, str):
        return clean_about(name, value, ABOUT_LONGEST)
    if type(value) is not int or abs(value) > LARGEST_WHOLE:
        raise ValueError("`about` holds texts and whole numbers")
    return value
