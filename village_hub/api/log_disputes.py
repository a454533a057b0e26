"""Disputes of lines of a household's own log (AUD-4): filed beside the log, answered by an
auditor."""

from functools import partial

from aiohttp import web

from village_hub import keys
from village_hub.api import bodies
from village_hub.api.case_steps import (
    FAULTS,
    PersonShown,
    Resource,
    Shown,
    Sight,
    at_home,
    named,
    not_too_many,
)
from village_hub.api.contract import Shape, operation
from village_hub.api.hub_names import hub_name
from village_hub.audit.sentences import sentence
from village_hub.cases import log_dispute
from village_hub.cases.desk import kept_of
from village_hub.cases.log_dispute import (
    AnswerDispute,
    Finding,
    Line,
    LogDispute,
    LogDisputeTerms,
)
from village_hub.cases.matter import Person, Withdraw
from village_hub.cases.seeing import Eyes
from village_hub.catalogue import audit_reading, matters, people
from village_hub.catalogue.audit_reading import Looked
from village_hub.catalogue.matters import Wanted
from village_hub.catalogue.store import Session
from village_hub.errors import Conflict, NotFound
from village_hub.notices.sentences import words

routes = web.RouteTableDef()
PATH = "/api/v1/log-disputes"
ALL_OPEN = 200  # of a household: each of its people has MOST_OPEN at most


class LineShown(Shape):
    """The line: the id that the log gives it, when (UTC ms), and the same in plain words."""

    entry: str
    at: int
    text: dict[str, str]


class LogDisputeShown(Shown):
    """`asked_by`: for auditors and whoever filed it."""

    line: LineShown
    words: str
    finding: Finding | None
    answer: str
    asked_by: PersonShown | None
    answered_by: PersonShown | None


def _show(sight: Sight[LogDispute]) -> LogDisputeShown:
    matter = sight.kept.matter
    line = matter.line
    return LogDisputeShown(
        **DISPUTES.common(sight),
        line=LineShown(entry=line.entry, at=line.at, text={"zh": line.zh, "en": line.en}),
        words=matter.words,
        finding=matter.finding,
        answer=matter.answer,
        asked_by=None if sight.eyes is Eyes.OWNER else named(matter.asker),
        answered_by=named(matter.answered_by),
    )


DISPUTES = Resource(log_dispute.KIND, PATH, LogDisputeShown, _show)


@routes.post("/api/v1/me/log/{entry}/dispute", name="dispute_log_line")
@operation(body=LogDisputeTerms, answer=LogDisputeShown, status=201, errors=FAULTS, creates=True)
async def add(request: web.Request) -> web.Response:
    """This line of my household's log should not be: an auditor answers within 3 working days.
    409 already_disputed: the line is disputed and not answered yet."""
    by = await at_home(request)
    terms = await bodies.read(request, LogDisputeTerms)
    line, household = await _line(request, by)
    few = not_too_many(request, by, log_dispute.KIND)

    def check(session: Session) -> None:
        _not_yet(session, household, line, request.app[keys.CLOCK].utc_ms())
        few(session)

    return await DISPUTES.open(
        request, by, lambda now: log_dispute.begin(terms, line, household, by, now), check
    )


async def _line(request: web.Request, by: Person) -> tuple[Line, str]:
    """As the caller's own log has it. Raises NotFound."""
    read, now = request.app[keys.CATALOGUE].read, request.app[keys.CLOCK].utc_ms()
    entry = request.match_info["entry"]
    at_this_hub = by.issuer == request.app[keys.NODE].id
    looked = await read(_looked, by.id, entry, now) if at_this_hub else None
    if looked is None:
        raise NotFound("there is no such line in your log", code="no_such_line")
    return _as_read(request.app, looked), looked.entry.household


def _looked(session: Session, person: str, entry: str, now: int) -> Looked | None:
    households = people.households_of(session, person)
    return audit_reading.line(session, households, now, entry)


def _not_yet(session: Session, household: str, line: Line, now: int) -> None:
    """Raises Conflict."""
    wanted = Wanted((log_dispute.KIND.name,), ALL_OPEN, open_only=True)
    rows = matters.of_households(session, (household,), now, wanted)
    if any(kept_of(row).matter.line.entry == line.entry for row in rows):
        raise Conflict("this line is disputed already", code="already_disputed")


def _as_read(app: web.Application, looked: Looked) -> Line:
    entry, both, hubs = looked.entry, words(), partial(hub_name, app)
    return Line(
        entry=entry.id,
        at=entry.utc_ms,
        zh=sentence(looked, both["zh"], hubs),
        en=sentence(looked, both["en"], hubs),
        by=(entry.who.issuer, entry.who.id) if entry.who else None,
    )


routes.get(PATH, name="log_disputes")(
    DISPUTES.listing("My own and my household's, or for auditors all; newest first.")
)
routes.get(f"{PATH}/{{matter}}", name="log_dispute", allow_head=False)(DISPUTES.one("One of them."))
routes.post(f"{PATH}/{{matter}}/answer", name="answer_log_dispute")(
    DISPUTES.handler(AnswerDispute, "By an auditor: whether the look was in order, and why.")
)
routes.post(f"{PATH}/{{matter}}/withdraw", name="withdraw_log_dispute")(
    DISPUTES.handler(Withdraw, "I take it back.")
)
