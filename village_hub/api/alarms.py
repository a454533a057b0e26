"""SOS and documented emergencies (PRM-6, PRM-7): raised, answered, ended, accounted for."""

from aiohttp import web

from village_core.messages import SosAnswer, SosRaised
from village_hub import keys
from village_hub.access.guard import CALLER, by_hand
from village_hub.access.identity import NodeCaller, admits
from village_hub.api import bodies
from village_hub.api.case_steps import (
    FAULTS,
    PersonShown,
    Resource,
    Shown,
    Sight,
    acting,
    named,
    reading,
)
from village_hub.api.contract import Shape, done, operation, reply
from village_hub.cases import emergency, sos
from village_hub.cases.alarms import EmergencyWish
from village_hub.cases.emergency import Emergency
from village_hub.cases.matter import Person
from village_hub.cases.seeing import Eyes
from village_hub.cases.sos import Sos
from village_hub.catalogue import rings as ring_rows
from village_hub.errors import NotFound, Unauthorized
from village_hub.notices import rings
from village_hub.notices.ringing import CallState, RingState

routes = web.RouteTableDef()
SOS = "/api/v1/sos"
EMERGENCIES = "/api/v1/emergencies"


class SosShown(Shown):
    """`cameras` are what it opened; empty when the household has agreed to none."""

    household: str
    household_name: str
    raised_by: str
    asker: PersonShown | None
    cameras: list[str]
    ends: int
    escalated: bool
    viewed: bool
    reason: str
    false_alarm: bool
    review: str


class EmergencyShown(Shown):
    """`cameras`: how many yards it opened; which, the officers' own list says while it is open."""

    incident: str
    what: str
    words: str
    place: str
    cameras: int
    ends: int
    asked_by: PersonShown | None
    second: PersonShown | None
    approver: PersonShown | None
    refusal: str


class CallShown(Shape):
    name: str
    state: CallState


class CallsShown(Shape):
    """Who is rung, in order; `mine`: the caller, or their unit, is one of them."""

    state: RingState | None
    calls: list[CallShown]
    mine: bool


def _show_sos(sight: Sight[Sos]) -> SosShown:
    matter = sight.kept.matter
    auditor = sight.eyes is Eyes.AUDITOR
    return SosShown(
        **SOSES.common(sight),
        household=matter.household,
        household_name=matter.household_name,
        raised_by=matter.raised_by,
        asker=named(matter.asker),
        cameras=[] if auditor else list(matter.cameras),
        ends=matter.ends,
        escalated=matter.escalated,
        viewed=matter.viewed,
        reason=matter.reason,
        false_alarm=matter.false_alarm,
        review=matter.review,
    )


def _show_emergency(sight: Sight[Emergency]) -> EmergencyShown:
    matter = sight.kept.matter
    return EmergencyShown(
        **OPENED.common(sight),
        incident=matter.incident,
        what=matter.what,
        words=matter.words,
        place=matter.place,
        cameras=len(matter.yards),
        ends=matter.ends,
        asked_by=named(matter.asker),
        second=named(matter.second),
        approver=named(matter.approver),
        refusal=matter.refusal,
    )


SOSES = Resource(sos.KIND, SOS, SosShown, _show_sos)
OPENED = Resource(emergency.KIND, EMERGENCIES, EmergencyShown, _show_emergency)


@routes.post("/api/v1/households/{household}/sos", name="raise_sos")
@operation(answer=SosShown, status=201, errors=FAULTS)
async def raise_sos(request: web.Request) -> web.Response:
    """Call for help, as one of the household or a helper whom it listed. One that is open stays the
    one there is. That it was raised does not say that anybody comes: the household's notices do."""
    by = await acting(request)
    household = request.match_info["household"]
    kept = await request.app[keys.ALARMS].raise_sos(by_hand(request), household)
    now = request.app[keys.CLOCK].utc_ms()
    return SOSES.answered(Sight(kept, Eyes.OWNER, by, now), 201)


@routes.post("/api/v1/node/sos", name="node_sos")
@operation(body=SosRaised, answer=SosAnswer)
@admits(NodeCaller)
async def node_sos(request: web.Request) -> web.Response:
    """From a home's box: its button, page or command. Told again, it is answered again."""
    caller = request[CALLER]
    if not isinstance(caller, NodeCaller):
        raise Unauthorized("an agent's own token is needed here")
    said = await bodies.read(request, SosRaised)
    return reply(await request.app[keys.ALARMS].raise_from_home(caller.node, said))


@routes.post(f"{SOS}/{{matter}}/coming", name="coming_to_sos")
@operation(errors=(NotFound,))
async def coming(request: web.Request) -> web.Response:
    """I am coming: nobody further is rung."""
    return await _answer(request, accepts=True)


@routes.post(f"{SOS}/{{matter}}/not-coming", name="not_coming_to_sos")
@operation(errors=(NotFound,))
async def not_coming(request: web.Request) -> web.Response:
    """I cannot come: the next ones are rung."""
    return await _answer(request, accepts=False)


@routes.get(f"{SOS}/{{matter}}/calls", name="sos_calls", allow_head=False)
@operation(answer=CallsShown, errors=(NotFound,))
async def calls(request: web.Request) -> web.Response:
    """Whom it rings, and what became of each call."""
    by = await reading(request)
    sight = await SOSES.look(request, by)
    row = await request.app[keys.CATALOGUE].read(ring_rows.find, sight.kept.matter.id)
    rung = row.ring.calls if row else ()
    shown = CallsShown(
        state=row.ring.state if row else None,
        calls=[CallShown(name=each.name, state=each.state) for each in rung],
        mine=_holder(by) in {each.holder for each in rung},
    )
    return reply(shown)


def _holder(by: Person) -> str:
    """Those on duty are rung as their unit."""
    return (by.unit or "") if by.roles else by.id


async def _answer(request: web.Request, *, accepts: bool) -> web.Response:
    by = await acting(request)
    sight = await SOSES.look(request, by)
    here = by.issuer == request.app[keys.NODE].id
    said = rings.Answer(
        sos=sight.kept.matter.id,
        holder=_holder(by),
        coming=accepts,
        hub="" if here else by.issuer,
    )
    now = request.app[keys.CLOCK].utc_ms()
    await request.app[keys.CATALOGUE].write(rings.answer, said, now)
    return done()


routes.get(SOS, name="sos_list")(
    SOSES.listing("Those of my household, those I was called to, or for auditors all.")
)
routes.get(f"{SOS}/{{matter}}", name="sos", allow_head=False)(SOSES.one("One of them."))
for act, sentence in (
    (sos.Renew, "Fifteen minutes more, once."),
    (sos.Escalate, "Call the bureau's unit as well."),
    (sos.Stop, "Nobody needs to look any more: what is open ends."),
    (sos.GiveReason, "What it was; within 24 h."),
    (sos.Review, "What came of looking into a false alarm, or one nobody looked at."),
):
    routes.post(f"{SOS}/{{matter}}/{act.name}", name=f"sos_{act.name}")(
        SOSES.handler(act, sentence)
    )


@routes.post(EMERGENCIES, name="open_emergency")
@operation(body=EmergencyWish, answer=EmergencyShown, status=201, errors=FAULTS, creates=True)
async def open_emergency(request: web.Request) -> web.Response:
    """Open the yards of one place for 15 min, with the number of the 110 call. The owners are told
    at once; a second officer confirms within 30 min, a third person approves within 24 h."""
    by, wish = await acting(request), await bodies.read(request, EmergencyWish)
    kept = await request.app[keys.ALARMS].open_emergency(by_hand(request), wish)
    now = request.app[keys.CLOCK].utc_ms()
    return OPENED.answered(Sight(kept, Eyes.UNIT, by, now), 201)


routes.get(EMERGENCIES, name="emergencies")(
    OPENED.listing("My unit's, those about my household, or for auditors all.")
)
routes.get(f"{EMERGENCIES}/{{matter}}", name="emergency", allow_head=False)(
    OPENED.one("One of them.")
)
for step, words in (
    (emergency.Confirm, "As the second officer, within 30 min."),
    (emergency.Close, "By who opened it: nobody needs to look any more."),
    (emergency.Approve, "As neither who opened nor who confirmed it, within 24 h."),
    (emergency.Disapprove, "It ends now, and the auditor sees why."),
):
    routes.post(f"{EMERGENCIES}/{{matter}}/{step.name}", name=f"emergency_{step.name}")(
        OPENED.handler(step, words)
    )
