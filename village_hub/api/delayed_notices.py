"""Notices that were held back, for the auditor: every one, at once (PRM-10, AUD-5)."""

from aiohttp import web

from village_hub import keys
from village_hub.access.guard import person
from village_hub.access.matrix import Column
from village_hub.api.contract import Page, Paging, Shape, operation, read_query, reply
from village_hub.api.notices import AboutShown
from village_hub.catalogue import notices
from village_hub.catalogue.notices import NoticeRow
from village_hub.errors import BadRequest, Refused
from village_hub.notices.kinds import Kind, State, Whom

routes = web.RouteTableDef()


class DelayedNotice(Shape):
    """`at` is when it happened, `release_at` when the household can read it; times in UTC ms."""

    id: str
    kind: Kind
    whom: Whom
    household: str | None
    about: AboutShown
    ground: str
    approver: str  # person id
    at: int
    release_at: int
    state: State


class DelayedPage(Page[DelayedNotice]):
    """The newest first."""


@routes.get("/api/v1/audit/delayed-notices", name="delayed_notices")
@operation(query=Paging, answer=DelayedPage, errors=(BadRequest, Refused))
async def delayed(request: web.Request) -> web.Response:
    """Every notice to a household that was held back, why, on whose word and until when."""
    await request.app[keys.GUARD].allow(person(request), Column.AUDIT)
    asked = read_query(request, Paging)
    rows = await request.app[keys.CATALOGUE].read(notices.delayed, asked.after, asked.limit)
    more = rows[-1].id if len(rows) == asked.limit else None
    return reply(DelayedPage(items=[_shown(row) for row in rows], next=more))


def _shown(row: NoticeRow) -> DelayedNotice:
    return DelayedNotice(
        id=row.id,
        kind=row.kind,
        whom=row.whom,
        household=row.household,
        about=AboutShown(kind=row.about_kind, id=row.about_id),
        ground=row.ground or "",
        approver=row.approver or "",
        at=row.created,
        release_at=row.progress.release_at,
        state=row.progress.state,
    )
