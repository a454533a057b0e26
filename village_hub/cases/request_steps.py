"""The steps of a police request: its acts, and the table of who may take them when."""

from collections.abc import Iterator
from typing import Any, ClassVar

from pydantic import Field

from village_core.messages import PRINTABLE
from village_core.permits import Role
from village_hub.cases import request_terms as rules
from village_hub.cases.checks import (
    AUDITORS,
    CUSTODIANS,
    POLICE,
    fits_over,
    is_custodian,
    stands_above,
)
from village_hub.cases.effects import (
    Addressee,
    Cut,
    Delay,
    Effect,
    Hold,
    HoldBack,
    HoldKind,
    Note,
    Release,
    Tell,
)
from village_hub.cases.matter import DAY, Act, Check, Next, Turn, day, who
from village_hub.cases.request import Answer, AskedPart, Found, Granted, Request
from village_hub.cases.request_terms import RequestTerms, Scan
from village_hub.errors import Forbidden
from village_hub.notices.kinds import Kind as Told
from village_hub.notices.kinds import Whom

Words = Field(default="", max_length=400, pattern=PRINTABLE)
Ground = Field(min_length=10, max_length=400, pattern=PRINTABLE)
LONGEST_DELAY = 7 * DAY
LONGEST_RENEWED = 30 * DAY


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


class Withdraw(Act):
    name: ClassVar[str] = "withdraw"


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


# who

_R = Turn[Request, Any]


def _is_owner(turn: _R) -> bool:
    """And may know already: nobody answers what they have not been told."""
    return bool(set(turn.by.owns) & set(turn.matter.households))


def _is_using(turn: _R) -> bool:
    officers = {officer.key for officer in turn.matter.terms.officers}
    return turn.by.key in officers | {turn.matter.asker.key}


APPROVER = who(
    "the approver it names, of the same unit or above",
    lambda turn: (
        turn.by.key == turn.matter.terms.approver.key and fits_over(turn.by, turn.matter.asker)
    ),
)
ONE_RANK_UP = who(
    "police of one rank up",
    lambda turn: turn.by.holds(*POLICE) and stands_above(turn.by, turn.matter.asker),
)
LEGAL_AFFAIRS = who(
    "the county's legal affairs",
    lambda turn: turn.by.holds(Role.BUREAU_OFFICER) and stands_above(turn.by, turn.matter.asker),
)
OWNER = who("an owner", _is_owner)
CUSTODIAN = who("the village", lambda turn: is_custodian(turn.by, turn.matter.place))
OFFICERS = who("the officers it names", _is_using)

# conditions

TWO = Check(
    "two officers are named",
    lambda turn: rules.two_officers(turn.matter.terms),
    code="need_two",
    sentence="a request names two officers at least",
)
ANOTHER_APPROVES = Check(
    "the approver is neither who asks nor one of the officers",
    lambda turn: rules.approver_is_another(turn.matter.terms, turn.matter.asker),
    code="self_approval",
    sentence="nobody approves their own request",
)
NOTICED = Check(
    "notice number and scan are there",
    lambda turn: bool(turn.matter.terms.notice.strip()) and turn.matter.scan is not None,
    code="no_notice",
    sentence="give the number of the notice and attach its scan",
)
WINDOWS = Check(
    "at most 12 h of each camera, once",
    lambda turn: rules.windows_fit(turn.matter.terms, turn.now),
    code="window",
    sentence="at most 12 hours of each camera, of what has been recorded",
)
WHAT = Check(
    "cameras or an area",
    lambda turn: rules.names_what(turn.matter.terms),
    code="bad_place",
    sentence="name cameras, or an area in the place",
)
RETURN = Check(
    "return within 30 days",
    lambda turn: rules.returns_in_time(turn.matter.terms, turn.now),
    code="return_by",
    sentence="the return date is to lie within the next 30 days",
)
SAME_PLACE = Check(
    "in the same place",
    lambda turn: turn.act.terms.place == turn.matter.place,
    code="bad_place",
    sentence="a request keeps its place: begin another one",
)
UNUSED = Check(
    "not past its return date",
    lambda turn: turn.now < turn.matter.terms.return_by,
    code="return_by",
    sentence="its return date has passed",
)
NO_PART_OF_IT = Check(
    "no part of the request",
    lambda turn: (
        turn.by.key not in (turn.matter.asker.key, turn.matter.terms.approver.key)
        and turn.by.key not in {officer.key for officer in turn.matter.terms.officers}
    ),
    code="self_approval",
    sentence="who has a part in the request does not allow its delay",
)
DELAY_WANTED = Check(
    "a delay of at most 7 days is asked for",
    lambda turn: (
        turn.matter.terms.delay is not None
        and turn.now < turn.matter.terms.delay.until <= turn.now + LONGEST_DELAY
    ),
    code="delay_too_long",
    sentence="a delay lasts 7 days at most, and gives its ground in writing",
)
DELAYED = Check(
    "the notice is held back",
    lambda turn: turn.matter.delayed(turn.now) and turn.matter.resolved,
    code="not_delayed",
    sentence="the notice is not held back",
)
TO_30_DAYS = Check(
    "to 30 days at most",
    lambda turn: (
        turn.matter.delay.until < turn.act.until <= (turn.matter.approved or 0) + LONGEST_RENEWED
    ),
    code="delay_too_long",
    sentence="a delay may be renewed to 30 days at most",
)
ANOTHER_RENEWS = Check(
    "another than who allowed it",
    lambda turn: turn.by.key != turn.matter.delay.by.key,
    code="self_approval",
    sentence="another person than who allowed the delay renews it",
)
UNRESOLVED = Check(
    "an area whose cameras are not named yet",
    lambda turn: not turn.matter.resolved,
    code="resolved",
    sentence="the cameras are named already",
)


def _its(turn: _R) -> list[AskedPart]:
    return [part for part in turn.matter.open_parts if part.household == turn.act.household]


TOLD = Check(
    "told already",
    lambda turn: not turn.matter.delayed(turn.now),
    code="not_yours",
    sentence="this step is not yours to take",
    error=Forbidden,
)
THEIRS = Check(
    "of their own household, not answered yet",
    lambda turn: bool(_its(turn)) and turn.act.household in turn.by.owns,
    code="no_such_part",
    sentence="there is nothing of this household to answer",
)
UNREACHED = Check(
    "whose owner was not reached in time, or is told later",
    lambda turn: (
        bool(_its(turn))
        and (
            turn.matter.delayed(turn.now)
            or all(part.answer is Answer.UNREACHED for part in _its(turn))
        )
    ),
    code="owner_first",
    sentence="the owner still has time to answer",
)
LAST = Check(
    "the last one",
    lambda turn: turn.matter.resolved and len(_its(turn)) == len(turn.matter.open_parts),
    code="not_last",
    sentence="others have not answered yet",
)
NONE_FOUND = Check(
    "there are none", lambda turn: not turn.act.parts, code="not_last", sentence="there are some"
)
PAST_RETURN = Check(
    "the return date has passed",
    lambda turn: turn.matter.terms.return_by <= turn.now,
    code="too_early",
    sentence="its time is not up yet",
)

# what comes of it


def _params(request: Request, **more: str) -> dict[str, str]:
    return {
        "who": request.asker.unit_name or request.asker.name,
        "case": request.terms.notice,
        **more,
    }


def note(request: Request, what: str, why: str = "") -> Note:
    about = {"notice": request.terms.notice, "case_type": request.terms.case_type}
    return Note(what, why=why, case=request.terms.case_no, about=about)


def amended(turn: Turn[Request, Amend]) -> Next[Request]:
    return Next(turn.matter.now_with(terms=turn.act.terms))


def attached(turn: Turn[Request, Attach]) -> Next[Request]:
    return Next(turn.matter.now_with(scan=turn.act.scan))


def filed(turn: Turn[Request, File]) -> Next[Request]:
    """Cameras that are none, or none of this hub's, get no answer: asking tells nobody which
    exist."""
    parts = tuple(AskedPart(**part.model_dump()) for part in turn.act.parts)
    request = turn.matter.now_with(filed=turn.now, parts=parts)
    head = Addressee(person=request.terms.approver.key, unit=request.asker.unit)
    tell = Tell(Told.REQUEST_TO_APPROVE, {Whom.UNIT_HEAD: (head,)}, _params(request))
    return Next(request, (tell, note(request, "request_filed")))


def delay_granted(turn: Turn[Request, GrantDelay]) -> Next[Request]:
    wish = turn.matter.terms.delay
    assert wish is not None  # noqa: S101 - DELAY_WANTED
    request = turn.matter.now_with(delay=Granted(until=wish.until, ground=wish.ground, by=turn.by))
    return Next(
        request,
        (*_auditors_told(request, Told.DELAY_GRANTED), note(request, "delay_granted", wish.ground)),
    )


def _auditors_told(request: Request, kind: Told) -> tuple[Effect, ...]:
    delay = request.delay
    if delay is None:
        return ()
    params = {"who": delay.by.unit_name or delay.by.name, "until": day(delay.until)}
    return (Tell(kind, {Whom.AUDITOR: AUDITORS}, params),)


def delay_renewed(turn: Turn[Request, RenewDelay]) -> Next[Request]:
    delay = Granted(until=turn.act.until, ground=turn.act.ground, by=turn.by)
    request = turn.matter.now_with(delay=delay, told_from=delay.until)
    held = [
        HoldBack(household, delay.until, delay.ground, turn.by.id)
        for household in request.households
    ]
    told = _auditors_told(request, Told.DELAY_RENEWED)
    return Next(request, (*held, *told, note(request, "delay_renewed", delay.ground)))


def delay_ended(turn: Turn[Request, EndDelay]) -> Next[Request]:
    request = turn.matter.now_with(delay=None, told_from=turn.now)
    held = [HoldBack(household, None) for household in request.households]
    return Next(request, (*held, note(request, "delay_ended")))


def approved(turn: Turn[Request, Approve]) -> Next[Request]:
    request = turn.matter
    told_from = max(turn.now, request.delay.until) if request.delay else turn.now
    request = request.now_with(approved_by=turn.by, approved=turn.now, told_from=told_from)
    others = {Whom.CUSTODIAN: CUSTODIANS, Whom.ASKER: (request.asker.address,)}
    tell = Tell(Told.REQUEST_APPROVED, {Whom.OWNER: (), **others}, _params(request, camera=""))
    return Next(
        request,
        (tell, *_asked(request, turn.now), note(request, "request_approved")),
    )


def _asked(request: Request, now: int) -> Iterator[Effect]:
    """Its cameras' footage stays, and their owners are told (PRM-10: at once unless delayed)."""
    delay = None
    if request.delay is not None and request.delayed(now):
        delay = Delay(request.delay.until, request.delay.ground, request.delay.by.id)
    for part in request.parts:
        until = request.terms.return_by
        yield Hold(HoldKind.REQUEST, part.begin, part.end, until, camera=part.camera)
        yield Note(
            "footage_requested",
            household=part.household,
            camera=part.camera,
            footage=(part.begin, part.end),
            case=request.terms.case_no,
        )
    for household in request.households:
        names = [part.name for part in request.parts if part.household == household]
        told = {Whom.OWNER: (Addressee(household=household),), Whom.CUSTODIAN: (), Whom.ASKER: ()}
        params = _params(request, camera=", ".join(names))
        yield Tell(Told.REQUEST_APPROVED, told, params, delay)


def refused(turn: Turn[Request, Refuse]) -> Next[Request]:
    request = turn.matter.now_with(reason=turn.act.words)
    tell = Tell(Told.REQUEST_REFUSED, {Whom.ASKER: (request.asker.address,)}, _params(request))
    return Next(request, (tell, note(request, "request_refused", turn.act.words)))


def resolved(turn: Turn[Request, Resolve]) -> Next[Request]:
    parts = tuple(AskedPart(**part.model_dump()) for part in turn.act.parts)
    until = max(turn.now, turn.matter.told_from or 0)
    request = turn.matter.now_with(found=True, parts=parts, told_from=until)
    asked = list(_asked(request, turn.now))
    if not parts:
        asked.append(_answered_to(request))
    return Next(request, (*asked, note(request, "request_resolved")))


def answered(turn: Turn[Request, Any]) -> Next[Request]:
    """By the owner or by the village: both answers open the footage to the officers."""
    answer = Answer.COUNTERSIGNED if turn.act.name == "countersign" else Answer.REFUSAL_NOTED
    mine = _its(turn)
    said = {"answer": answer, "by": turn.by, "at": turn.now, "words": turn.act.words}
    parts = tuple(
        part.model_copy(update=said) if part in mine else part for part in turn.matter.parts
    )
    request = turn.matter.now_with(parts=parts)
    effects = [
        Note(
            f"request_{answer}",
            household=part.household,
            camera=part.camera,
            footage=(part.begin, part.end),
            case=request.terms.case_no,
            why=turn.act.words,
        )
        for part in mine
    ]
    return Next(request, (*effects, _answered_to(request)))


def _answered_to(request: Request) -> Tell:
    told = {Whom.ASKER: (request.asker.address,)}
    return Tell(Told.REQUEST_ANSWERED, told, _params(request))


def unreached(turn: _R) -> Next[Request]:
    """Who has not answered by now is answered for by the village."""
    parts = tuple(
        part.model_copy(update={"answer": Answer.UNREACHED}) if part.answer is None else part
        for part in turn.matter.parts
    )
    request = turn.matter.now_with(parts=parts)
    tell = Tell(Told.OWNER_UNREACHED, {Whom.CUSTODIAN: CUSTODIANS}, _params(request))
    return Next(request, (tell, note(request, "owner_unreached")))


def over(turn: _R) -> Next[Request]:
    """Withdrawn, returned or expired: what it opened is shut and what it held is free."""
    words = getattr(turn.act, "words", "")
    what = "request_expired" if turn.by.id == "" else f"request_{turn.act.name}"
    return Next(turn.matter, (Release(), Cut(), note(turn.matter, what, words)))
