"""What `access/basis.py` is asked, and what it asks of each part that gives somebody a basis."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from village_core.permits import Quality
from village_hub.access.facts import PersonKey, ShiftFacts, Subject
from village_hub.catalogue.rows import CameraRow
from village_hub.catalogue.store import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Who asks about which camera, and what was said with it."""

    decision: str
    subject: Subject
    camera: str
    quality: Quality
    now: int
    sign_in: str | None = None
    reason: str = ""
    footage: tuple[int, int] | None = None
    second: PersonKey | None = None
    via: str = ""  # the hub that serves the viewer, when it is another one than this
    shift: ShiftFacts | None = None  # by that hub's word


Looked = Sequence[tuple[Question, CameraRow]]
Fields = Mapping[str, Any]
Source = Callable[[Session, str, Looked], Iterable[Fields]]
"""(session, this hub's id, questions and their cameras) -> fields of Basis, one for each."""
