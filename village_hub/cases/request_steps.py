"""What comes of each step of a police request: its new values and effects."""

from collections.abc import Iterator
from typing import Any

from village_hub.cases.checks import AUDITORS, CUSTODIANS
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
from village_hub.cases.matter import Next, Turn, day
from village_hub.cases.request import Answer, AskedPart, Granted, Request
from village_hub.cases.request_acts import (
    Amend,
    Approve,
    Attach,
    EndDelay,
    File,
    GrantDelay,
    Refuse,
    RenewDelay,
    Resolve,
)
from village_hub.cases.request_checks import its
from village_hub.notices.kinds import Kind as Told
from village_hub.notices.kinds import Whom

_R = Turn[Request, Any]


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
    asker = request.asker
    head = Addressee(person=request.terms.approver.key, unit=asker.unit, hub=asker.issuer)
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
    request = turn.matter.now_with(found=True, parts=parts, told_from=until, waited=False)
    asked = list(_asked(request, turn.now))
    if not parts:
        asked.append(_answered_to(request))
    return Next(request, (*asked, note(request, "request_resolved")))


def answered(turn: Turn[Request, Any]) -> Next[Request]:
    """By the owner or by the village: both answers open the footage to the officers."""
    answer = Answer.COUNTERSIGNED if turn.act.name == "countersign" else Answer.REFUSAL_NOTED
    mine = its(turn)
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
    request = turn.matter.now_with(parts=parts, waited=True)
    if parts == turn.matter.parts:
        return Next(request)
    tell = Tell(Told.OWNER_UNREACHED, {Whom.CUSTODIAN: CUSTODIANS}, _params(request))
    return Next(request, (tell, note(request, "owner_unreached")))


def over(turn: _R) -> Next[Request]:
    """Withdrawn, returned or expired: what it opened is shut and what it held is free."""
    words = getattr(turn.act, "words", "")
    what = "request_expired" if turn.by.id == "" else f"request_{turn.act.name}"
    return Next(turn.matter, (Release(), Cut(), note(turn.matter, what, words)))
