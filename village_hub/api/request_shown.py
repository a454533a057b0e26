"""What of a request each reader is shown. Officers see answers, not which cameras there are
(PRM-18); a household sees its own part; auditors see all of it, without any picture."""

from collections.abc import Iterator
from typing import Any

from village_hub.api.case_steps import PersonShown, Shown, Sight, named
from village_hub.api.contract import Shape
from village_hub.cases.effects import Area
from village_hub.cases.matter import Named
from village_hub.cases.request import AskedPart, Request
from village_hub.cases.seeing import Eyes


class PartShown(Shape):
    """One camera; `answer` null: none yet."""

    camera: str
    name: str
    household: str
    begin: int
    end: int
    answer: str | None
    by: PersonShown | None
    at: int | None
    words: str


class DelayShown(Shape):
    """`granted` null: asked for only."""

    ground: str
    until: int
    granted: PersonShown | None


class ScanShown(Shape):
    sha256: str
    size: int
    kind: str


class SoughtShown(Shape):
    area: Area
    begin: int
    end: int


class RequestShown(Shown):
    """`delay` is never shown to a household."""

    asked_by: PersonShown | None
    officers: list[Named]
    approver: Named
    approved_by: PersonShown | None
    approved: int | None
    notice: str
    case_type: str
    case_no: str
    legal_basis: str
    place: str
    return_by: int
    sought: SoughtShown | None
    scan: ScanShown | None
    reason: str
    delay: DelayShown | None
    parts: list[PartShown]


def may_read_scan(eyes: Eyes) -> bool:
    """An auditor's documents hold no pictures, and a scan may be one."""
    return eyes is not Eyes.AUDITOR


def shown(sight: Sight[Request]) -> dict[str, Any]:
    """All but the fields that every matter has."""
    matter, terms = sight.kept.matter, sight.kept.matter.terms
    same = ("notice", "case_type", "case_no", "legal_basis", "place", "return_by", "approver")
    sought, scan = terms.sought, matter.scan
    return {
        **{name: getattr(terms, name) for name in same},
        "officers": list(terms.officers),
        "asked_by": named(matter.asker),
        "approved_by": named(matter.approved_by),
        "approved": matter.approved,
        "sought": SoughtShown(**dict(sought)) if sought else None,
        "scan": ScanShown(**scan.model_dump()) if scan else None,
        "reason": matter.reason,
        "delay": None if sight.eyes is Eyes.OWNER else _delay(matter),
        "parts": [_part(part) for part in _parts(sight)],
    }


def _parts(sight: Sight[Request]) -> Iterator[AskedPart]:
    for part in sight.kept.matter.parts:
        match sight.eyes:
            case Eyes.OWNER:
                mine = part.household in sight.by.owns
            case Eyes.UNIT | Eyes.NAMED:
                mine = part.answered
            case _:
                mine = True
        if mine:
            yield part


def _part(part: AskedPart) -> PartShown:
    return PartShown(
        camera=part.camera,
        name=part.name,
        household=part.household,
        begin=part.begin,
        end=part.end,
        answer=part.answer,
        by=named(part.by),
        at=part.at,
        words=part.words,
    )


def _delay(matter: Request) -> DelayShown | None:
    if matter.delay is not None:
        delay = matter.delay
        return DelayShown(ground=delay.ground, until=delay.until, granted=named(delay.by))
    wish = matter.terms.delay
    return DelayShown(ground=wish.ground, until=wish.until, granted=None) if wish else None
