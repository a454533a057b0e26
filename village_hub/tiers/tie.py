"""What a hub keeps of the hub above it: parent.json in the state folder. Blocks on the disk."""

import os
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from village_core.enrolling import Joined
from village_core.enrolment import KeyText, PlaceCode
from village_core.keys import PublicKey, write_new

FILE = "parent.json"


class TieError(Exception):
    """parent.json cannot be used; the sentence says why."""


class Tie(BaseModel):
    """Where the hub above is, who it is, and as what this one joined it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str
    hub: str
    hub_name: str
    hub_key: KeyText  # pinned
    above: Literal["township", "bureau"]
    above_place: PlaceCode
    place: PlaceCode
    root: KeyText | None = None  # pinned too

    @classmethod
    def of(cls, joined: Joined) -> "Tie":
        """Raises TieError."""
        said = joined.enrolled
        if said.joins is None:
            raise TieError("this code is for a home's box, not for a hub")
        return cls(
            url=joined.url,
            hub=said.hub,
            hub_name=said.hub_name,
            hub_key=joined.hub_key.text,
            above=said.joins.above,
            above_place=said.joins.above_place,
            place=said.joins.place,
            root=said.joins.root,
        )

    @property
    def fingerprint(self) -> str:
        return PublicKey.from_text(self.hub_key).fingerprint


def read(state: Path) -> Tie | None:
    """None: this hub has joined none. Raises TieError."""
    try:
        return Tie.model_validate_json((state / FILE).read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not well-formed"
        raise TieError(f"{state / FILE} cannot be used: {why}") from error


def write(state: Path, tie: Tie) -> None:
    """At once or not at all. Raises TieError."""
    new = state / f"{FILE}.new"
    try:
        new.unlink(missing_ok=True)
        write_new(new, tie.model_dump_json(indent=1).encode())
        os.replace(new, state / FILE)
    except OSError as error:
        raise TieError(f"{state / FILE} cannot be written: {error.strerror}") from error


def forget(state: Path) -> None:
    """Raises TieError."""
    try:
        (state / FILE).unlink(missing_ok=True)
    except OSError as error:
        raise TieError(f"{state / FILE} cannot be removed: {error.strerror}") from error
