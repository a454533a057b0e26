"""The whole log, for the auditor alone, without any picture (AUD-5); the public summary (AUD-6).

Reading it is itself an entry.
"""

from typing import Any

from aiohttp import web
from pydantic import Field

from village_core.messages import LARGEST_WHOLE
from village_hub import keys
from village_hub.access.guard import by_hand
from village_hub.access.matrix import Column
from village_hub.api.contract import Page, Paging, Shape, operation, read_query, reply
from village_hub.api.log import WhoShown, place_of, read_place
from village_hub.audit import anomalies, making
from village_hub.audit.anomalies import Anomaly, Oddity
from village_hub.audit.entry import Entry, EntryKind
from village_hub.audit.publishing import summary_of
from village_hub.audit.summary import Summary
from village_hub.catalogue import audit_counts, audit_keeping, audit_reading
from village_hub.catalogue.audit_reading import Part, Wanted
from village_hub.catalogue.store import Session
from village_hub.errors import BadRequest, NotFound, Refused

routes = web.RouteTableDef()

DAY_MS = 24 * 3600 * 1000
MOST_ANOMALIES = 1000


class Which(Paging):
    """Times in UTC ms; `until` excluded."""

    since: int = Field(default=0, ge=0, le=LARGEST_WHOLE)
    until: int | None = Field(default=None, ge=0, le=LARGEST_WHOLE)
    kind: EntryKind | None = None
    person: str | None = Field(default=None, max_length=100)
    unit: str | None = Field(default=None, max_length=100)
    camera: str | None = Field(default=None, max_length=100)
    household: str | None = Field(default=None, max_length=100)


class EntryShown(Shape):
    """An entry as it is kept (docs/guide/auditor.md)."""

    id: str
    utc_ms: int
    kind: EntryKind
    action: str
    result: str
    who: WhoShown | None
    second: WhoShown | None
    role: str
    device: str
    source: str
    camera: str
    camera_name: str
    household: str
    quality: str
    purpose: str
    case: str
    basis: str
    grant: str
    permit: str
    reason: str
    footage_from: int | None
    footage_to: int | None
    bytes: int | None
    seconds: int | None
    late: bool
    about: dict[str, str | int]


class AnomalyShown(Shape):
    """`refs` are ids of entries, or of the matter or notice it is about."""

    kind: Oddity
    at: int
    refs: tuple[str, ...]
    who: WhoShown | None
    camera: str
    count: int


class Anomalies(Shape):
    items: list[AnomalyShown]


class Days(Shape):
    days: int = Field(default=7, ge=1, le=92)


class CheckpointShown(Shape):
    """A checkpoint+jwt, to be kept elsewhere and compared."""

    checkpoint: str


class SummaryShown(Shape):
    """Counts, or "<5"; nobody is named. `views` are by role and purpose."""

    quarter: str
    cameras: dict[str, str]
    views: dict[str, dict[str, str]]
    figures: dict[str, str]


class WhichQuarter(Shape):
    quarter: str = Field(pattern=r"^20[0-9]{2}-Q[1-4]$")


@routes.get("/api/v1/audit/entries", name="audit_entries")
@operation(query=Which, answer=Page[EntryShown], errors=(Refused, BadRequest))
async def entries(request: web.Request) -> web.Response:
    """All entries, newest first, for the auditor; reading them is one more."""
    query = read_query(request, Which)
    said = query.model_dump(exclude={"limit", "after"}, exclude_none=True, mode="json")
    await _allowed(request, "audit.read", **{name: value for name, value in said.items() if value})
    wanted = Wanted(**query.model_dump(exclude={"limit", "after"}))
    part = Part(query.limit + 1, read_place(query.after))
    found = await request.app[keys.CATALOGUE].read(audit_reading.entries, wanted, part)
    items = [_entry(each) for each in found[: query.limit]]
    last = items[-1] if len(found) > query.limit else None
    after = place_of(last.utc_ms, last.id) if last else None
    return reply(Page[EntryShown](items=items, next=after))


@routes.get("/api/v1/audit/anomalies", name="audit_anomalies")
@operation(query=Days, answer=Anomalies, errors=(Refused, BadRequest))
async def odd(request: web.Request) -> web.Response:
    """What is worth a look of the last days: views without case or at night, repeated denials,
    disputes, delayed notices, emergencies, footage that did not come back. The newest 1,000."""
    days = read_query(request, Days).days
    await _allowed(request, "audit.anomalies", days=days)
    now = request.app[keys.CLOCK].utc_ms()
    found = await request.app[keys.CATALOGUE].read(_odd, now - days * DAY_MS, now)
    return reply(Anomalies(items=[_anomaly(each) for each in found[:MOST_ANOMALIES]]))


def _odd(session: Session, since: int, now: int) -> list[Anomaly]:
    found = [
        *anomalies.of_entries(audit_reading.each(session, Wanted(since=since))),
        *anomalies.disputes(audit_counts.opened(session, audit_counts.DISPUTE, 0), now),
        *anomalies.delays(audit_counts.delayed(session, since)),
        *anomalies.emergencies(audit_counts.opened(session, audit_counts.EMERGENCY, since)),
        *anomalies.not_returned(audit_counts.taken(session), now),
    ]
    return sorted(found, key=lambda each: each.utc_ms, reverse=True)


class Numbered(Shape):
    limit: int = Field(default=50, ge=1, le=200)
    after: str | None = Field(default=None, pattern=r"^[0-9]{1,15}$")


@routes.get("/api/v1/audit/checkpoints", name="audit_checkpoints")
@operation(query=Numbered, answer=Page[CheckpointShown], errors=(Refused, BadRequest))
async def checkpoints(request: web.Request) -> web.Response:
    """What the hub signed of its log, oldest first; `after` is a checkpoint's number."""
    query = read_query(request, Numbered)
    await _allowed(request, "audit.checkpoints")
    since = int(query.after) if query.after is not None else -1
    texts = await request.app[keys.CATALOGUE].read(audit_keeping.checkpoints, since)
    items = [CheckpointShown(checkpoint=text) for text in texts[: query.limit]]
    after = str(since + query.limit) if len(texts) > query.limit else None
    return reply(Page[CheckpointShown](items=items, next=after))


@routes.get("/api/v1/audit/summary", name="audit_summary")
@operation(query=WhichQuarter, answer=SummaryShown, errors=(Refused, BadRequest))
async def summary(request: web.Request) -> web.Response:
    """A quarter's summary before it is published, for the auditor."""
    quarter = read_query(request, WhichQuarter).quarter
    await _allowed(request, "audit.summary", quarter=quarter)
    return reply(_summary(await request.app[keys.CATALOGUE].read(summary_of, quarter)))


@routes.get("/api/v1/summary/{quarter}", name="public_summary")
@operation(answer=SummaryShown, errors=(NotFound,))
async def public(request: web.Request) -> web.Response:
    """A quarter that is over, for everybody."""
    quarter = request.match_info["quarter"]
    return reply(_summary(await request.app[keys.SUMMARIES].of(quarter)))


async def _allowed(request: web.Request, action: str, **about: Any) -> None:
    """The auditor, on a device of their own; and that they read is in the log before they do."""
    caller = by_hand(request)
    await request.app[keys.GUARD].allow(caller, Column.AUDIT)
    entry = making.act(request.app[keys.CLOCK], caller.subject, action, about=about)
    await request.app[keys.AUDIT].must(entry)


def _entry(entry: Entry) -> EntryShown:
    said = entry.model_dump(exclude={"who", "second"})
    return EntryShown(**said, who=WhoShown.of(entry.who), second=WhoShown.of(entry.second))


def _anomaly(each: Anomaly) -> AnomalyShown:
    return AnomalyShown(
        kind=each.kind,
        at=each.utc_ms,
        refs=each.refs,
        who=WhoShown.of(each.who),
        camera=each.camera,
        count=each.count,
    )


def _summary(found: Summary) -> SummaryShown:
    return SummaryShown(
        quarter=found.quarter,
        cameras=dict(found.cameras),
        views={role: dict(purposes) for role, purposes in found.views.items()},
        figures=dict(found.figures),
    )
