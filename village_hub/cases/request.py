"""A police request for stored footage (PRM-8), and the delay of its notice (PRM-10).

An officer drafts it and attaches the scanned notice; the approver whom it names, another person of
the same unit or above, decides; the owner of each camera countersigns or notes a refusal, which
stops nothing but is on record. Where no owner answers in time, or is told later, the village does.
Delivery of the clips is not built yet.
"""

from enum import StrEnum

from pydantic import Field

from village_core.ids import new_id
from village_hub.cases.checks import may_ask
from village_hub.cases.matter import (
    DAY,
    CameraPart,
    Matter,
    Next,
    Part,
    Person,
    StepRefused,
)
from village_hub.cases.request_terms import RequestTerms, Scan
from village_hub.errors import Forbidden

ANSWERED_WITHIN = 3 * DAY  # of being told; then the village answers
DECIDED_WITHIN = 14 * DAY
DRAFT_KEPT = 30 * DAY


class State(StrEnum):
    DRAFT = "draft"
    FILED = "filed"
    APPROVED = "approved"
    ANSWERED = "answered"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    RETURNED = "returned"  # what was taken is returned or destroyed
    EXPIRED = "expired"


class Answer(StrEnum):
    COUNTERSIGNED = "countersigned"
    REFUSAL_NOTED = "refusal_noted"
    UNREACHED = "unreached"  # no answer in time: the village answers


GIVEN = (Answer.COUNTERSIGNED, Answer.REFUSAL_NOTED)


class Found(Part):
    """A camera that the request is about, as the hub's books say whose it is."""

    camera: str
    name: str
    household: str
    begin: int
    end: int


class AskedPart(Found):
    """That, and what came of it."""

    answer: Answer | None = None
    by: Person | None = None
    at: int | None = None
    words: str = ""

    @property
    def answered(self) -> bool:
        return self.answer in GIVEN


class Granted(Part):
    """The delay of the notice, as one rank up allowed it, or county legal affairs renewed it."""

    until: int
    ground: str
    by: Person


class Request(Matter):
    state: State
    terms: RequestTerms
    scan: Scan | None = None
    filed: int | None = None
    parts: tuple[AskedPart, ...] = ()
    found: bool = False  # the cameras of an area have been named
    delay: Granted | None = None
    approved_by: Person | None = None
    approved: int | None = None
    waited: bool = False  # for owners, as long as they have
    told_from: int | None = None  # from when households may know
    reason: str = Field(default="", max_length=400)  # of a refusal

    @property
    def open_parts(self) -> tuple[AskedPart, ...]:
        return tuple(part for part in self.parts if not part.answered)

    @property
    def resolved(self) -> bool:
        return self.found or self.terms.sought is None

    @property
    def households(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(part.household for part in self.parts))

    def delayed(self, now: int) -> bool:
        return self.delay is not None and self.delay.until > now

    @property
    def answers_end(self) -> int | None:
        """When owners who have not answered count as not reached. Also where there are none: how
        long it takes must not tell officers which cameras exist."""
        if self.waited or self.told_from is None:
            return None
        return self.told_from + ANSWERED_WITHIN


def begin(terms: RequestTerms, by: Person, now: int) -> Next[Request]:
    """A draft. Raises StepRefused."""
    if not may_ask(by, terms.place):
        raise StepRefused("this place is not your unit's", code="scope", error=Forbidden)
    return Next(
        Request(
            id=new_id(),
            state=State.DRAFT,
            opened=now,
            asker=by,
            place=terms.place,
            incident=terms.case_no,
            terms=terms,
        )
    )


def cameras(request: Request) -> tuple[CameraPart, ...]:
    return tuple(
        CameraPart(part.camera, part.begin, part.end, part.answer or "asked")
        for part in request.parts
    )


def knowing(request: Request) -> dict[str, int]:
    """Households, and from when they may know: from the approval, or the end of a delay."""
    return dict.fromkeys(request.households, request.told_from) if request.told_from else {}
