"""Requests for the tests."""

from typing import Any

from tests.hub.cases.cast import (
    AREA,
    CHEN,
    LI,
    NOW,
    SUN,
    VILLAGE,
    WANG,
    ZHAO,
    ZHOU,
    named,
    police,
)
from village_core.permits import Role
from village_hub.cases import request_acts as acts
from village_hub.cases.matter import DAY, HOUR, Act, Person
from village_hub.cases.request import Found, Request, begin
from village_hub.cases.request_table import KIND
from village_hub.cases.request_terms import DelayWish, Footage, RequestTerms, Scan, Sought

SCAN = Scan(sha256="a" * 64, size=20_000, kind="application/pdf")
BEGIN, END = NOW - 14 * HOUR, NOW - 2 * HOUR
TERMS = RequestTerms(
    officers=(named(LI), named(CHEN)),
    approver=named(ZHAO),
    notice="2026-0007",
    case_type="theft",
    case_no="A2026-0042",
    legal_basis="CRP 62",
    place=VILLAGE,
    cameras=(Footage(camera="gate", begin=BEGIN, end=END),),
    return_by=NOW + 20 * DAY,
)
GROUND = "notice would impede duty: the household is related to the suspect"
LATER = TERMS.model_copy(update={"delay": DelayWish(ground=GROUND, until=NOW + 6 * DAY)})
AMENDED = TERMS.model_copy(
    update={"cameras": (), "sought": Sought(area=AREA, begin=BEGIN, end=END)}
)
FOUND = (
    Found(camera="gate", name="Gate", household="wang", begin=BEGIN, end=END),
    Found(camera="yard", name="Yard", household="zhou", begin=BEGIN, end=END),
)
LEGAL = police("gu", Role.BUREAU_OFFICER)


def taken(request: Request, act: Act, by: Person, now: int = NOW) -> Request:
    return KIND.step(request, act, by, now).matter


def drafted(terms: RequestTerms = TERMS, **more: Any) -> Request:
    return begin(terms.model_copy(update=more), LI, NOW).matter


def scanned(terms: RequestTerms = TERMS, **more: Any) -> Request:
    return taken(drafted(terms, **more), acts.Attach(scan=SCAN), LI)


def filed(terms: RequestTerms = TERMS) -> Request:
    parts = () if terms.sought else FOUND
    return taken(scanned(terms), acts.File(parts=parts), LI)


def approved(terms: RequestTerms = TERMS) -> Request:
    return taken(filed(terms), acts.Approve(), ZHAO)


def delayed() -> Request:
    """One whose notice waits, on the word of one rank up."""
    return taken(taken(filed(LATER), acts.GrantDelay(), SUN), acts.Approve(), ZHAO)


def answered() -> Request:
    first = taken(approved(), acts.Countersign(household="wang"), WANG)
    return taken(first, acts.NoteRefusal(household="zhou", words="not without my son"), ZHOU)
