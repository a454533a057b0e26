"""What an act of two named persons is made of; the acts themselves stand in `staff_acts.py` and
`household_acts.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints

from village_core.clock import Clock
from village_core.messages import NAMING
from village_hub.access.appointments import SENTENCES, Fault
from village_hub.access.facts import Subject
from village_hub.catalogue import people
from village_hub.catalogue.rows import PersonRow
from village_hub.catalogue.store import Session
from village_hub.errors import HubError, NotFound, Refused, Unprocessable

Id = Annotated[str, StringConstraints(min_length=1, max_length=80)]
Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80, pattern=NAMING)
]


class Act(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was made; `code` is shown once."""

    made: str = ""
    code: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Scene:
    """Who does it, and when; `second` is missing while it is only asked for."""

    asker: Subject
    clock: Clock
    second: Subject | None = None

    @property
    def now(self) -> int:
        return self.clock.utc_ms()


Check = Callable[[Session, Any, Scene], None]


@dataclass(frozen=True, slots=True)
class Kind:
    check: Check
    do: Callable[[Session, Any, Scene], Outcome]


def find_person(session: Session, name: str) -> PersonRow:
    """Raises NotFound."""
    row = people.person(session, name)
    if row is None:
        raise NotFound("there is no such person", code="no_such_person")
    return row


def wrong(fault: Fault) -> HubError:
    kind = Refused if fault in (Fault.ITSELF, Fault.SECOND) else Unprocessable
    return kind(SENTENCES[fault], code=fault.value)
