"""Cameras of the hubs below: what these tell, and the search for staff here."""

from typing import Annotated, Self

from aiohttp import web
from pydantic import Field, model_validator

from village_core.books import BookLines, BookTaken
from village_core.catalogue_notes import (
    CatalogueAnswer,
    CatalogueBatch,
    StateAnswer,
    StateBatch,
)
from village_core.exchange import PermitEnded
from village_core.messages import PRINTABLE
from village_core.permits import CameraClass
from village_core.troubles import Trouble
from village_core.units_above import UnitsAbove
from village_hub import keys
from village_hub.access.guard import CALLER, person
from village_hub.access.identity import HubCaller, admits
from village_hub.api import bodies
from village_hub.api.contract import Page, Paging, Shape, operation, read_query, reply
from village_hub.catalogue import remote
from village_hub.catalogue.grid import FARTHEST, Near
from village_hub.catalogue.remote_names import LONGEST_PART
from village_hub.catalogue.remote_search import Asked, Key, Now, RemoteRow
from village_hub.catalogue.rows import HubRow
from village_hub.errors import Forbidden, Unauthorized, Unprocessable
from village_hub.tiers import units_above

routes = web.RouteTableDef()

CONFIRM_ABOVE = 1.2  # seconds, of the 2 that the owner node waits
AFTER = r"^[0-9]{6,12}(\.[0-9A-Za-z_-]{1,64}){2}$"  # place, id and hub of a page's last camera


class Search(Paging):
    """What is looked for; all of it has to fit. `place` is a prefix of administrative codes, `name`
    a part of the name; `lat` and `lon` are degrees, `within` metres around them."""

    after: str | None = Field(default=None, max_length=200, pattern=AFTER)
    place: str = Field(default="", pattern=r"^[0-9]{0,12}$")
    name: str = Field(default="", max_length=LONGEST_PART, pattern=PRINTABLE)
    state: Now | None = None
    lat: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)] | None = None
    lon: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)] | None = None
    within: int = Field(default=500, ge=1, le=FARTHEST)

    @model_validator(mode="after")
    def _is_a_point(self) -> Self:
        if (self.lat is None) is not (self.lon is None):
            raise ValueError("a point is lat and lon")
        return self

    def asked(self) -> Asked:
        """One more than fits: whether there is a next page."""
        return Asked(
            place=self.place,
            name=self.name,
            now=self.state,
            near=self._near(),
            after=self._key(),
            limit=self.limit + 1,
        )

    def _key(self) -> Key | None:
        if self.after is None:
            return None
        place, camera, child = self.after.split(".")
        return place, camera, child

    def _near(self) -> Near | None:
        if self.lat is None or self.lon is None:
            return None
        return Near(round(self.lat * 1e6), round(self.lon * 1e6), self.within)


class BelowShown(Shape):
    """One camera as its hub last told it. `state` is `stale` while that hub is not heard, since
    `stale_since`; then nothing is known of the camera but what was told before."""

    id: str
    hub: str
    place: str
    name: str
    camera_class: CameraClass
    lat: float | None
    lon: float | None
    state: Now
    since: int
    trouble: Trouble | None
    picture: int | None
    stale_since: int | None


@routes.get("/api/v1/below/cameras", name="cameras_below")
@operation(query=Search, answer=Page[BelowShown])
async def search(request: web.Request) -> web.Response:
    """Those of the hubs below that the caller may know of, in the order of their places. Public
    ones for who is on duty for the place; a home's only for whom its household let know of it."""
    caller = person(request)
    query = read_query(request, Search)
    rows = await request.app[keys.GUARD].known_below(caller, query.asked())
    page = rows[: query.limit]
    more = ".".join(page[-1].key) if len(rows) > len(page) else None
    return reply(Page[BelowShown](items=[_shown(each) for each in page], next=more))


@routes.put("/api/v1/node/catalogue", name="node_catalogue")
@operation(body=CatalogueBatch, answer=CatalogueAnswer)
@admits(HubCaller)
async def take(request: web.Request) -> web.Response:
    """What a hub below offers of its cameras: changes after a number, or a page of everything. A
    batch that does not stand after the last one taken changes nothing: `after` says what next."""
    batch = await bodies.read(request, CatalogueBatch)
    now = request.app[keys.CLOCK].utc_ms()
    try:
        found = await request.app[keys.CATALOGUE].write(remote.take, _node(request), batch, now)
    except remote.NotBelow as error:
        raise Forbidden(str(error), code="not_below") from error
    except remote.NotItsPlace as error:
        raise Unprocessable(str(error), code="not_its_place") from error
    request.app[keys.TELLING].below_changed()
    return reply(found)


@routes.put("/api/v1/node/catalogue/state", name="node_catalogue_state")
@operation(body=StateBatch, answer=StateAnswer)
@admits(HubCaller)
async def take_states(request: web.Request) -> web.Response:
    """What became of cameras that were offered; of each the highest number holds. An empty one says
    that the hub is there: one that says nothing for 75 s is shown as stale."""
    states = (await bodies.read(request, StateBatch)).states
    now, write = request.app[keys.CLOCK].utc_ms(), request.app[keys.CATALOGUE].write
    try:
        changed = await write(remote.take_states, _node(request), states, now)
    except remote.NotBelow as error:
        raise Forbidden(str(error), code="not_below") from error
    if changed:
        request.app[keys.TELLING].below_changed()
    return reply(StateAnswer(changed=changed))


@routes.put("/api/v1/node/permits/ended", name="node_permit_ended")
@operation(body=PermitEnded)
@admits(HubCaller)
async def permit_ended(request: web.Request) -> web.Response:
    """The node that gave a permit took it back (MED-17). 204 when nobody is shown anything by it
    any more, at this hub and above it; also when it is not known here."""
    child, said = _node(request), await bodies.read(request, PermitEnded)
    above, lender = request.app[keys.LIVE].above, request.app[keys.BORROWING]
    if lender.lender(said.permit) == child:
        await request.app[keys.RENEWAL].ended(said.permit, said.why)
    passed = above.find(said.permit)
    if passed is not None and passed.permit is None and passed.camera.node == child:
        await above.withdrawn(said.permit, said.why, CONFIRM_ABOVE)
    return web.Response(status=204)


@routes.get(units_above.PATH, name="node_units", allow_head=False)
@operation(answer=UnitsAbove)
@admits(HubCaller)
async def units(request: web.Request) -> web.Response:
    """Units of this tier and above that answer for the place of the hub below that asks."""
    hub, place = request.app[keys.NODE].id, _hub(request).place
    return reply(await request.app[keys.CATALOGUE].read(units_above.told_to, hub, place))


@routes.put("/api/v1/node/lines", name="node_lines")
@operation(body=BookLines, answer=BookTaken)
@admits(HubCaller)
async def lines(request: web.Request) -> web.Response:
    """What must arrive, in order; told again it is taken once."""
    said = await bodies.read(request, BookLines)
    return reply(await request.app[keys.BOOKS].take(_node(request), said))


def _node(request: web.Request) -> str:
    return _hub(request).id


def _hub(request: web.Request) -> HubRow:
    caller = request[CALLER]
    if not isinstance(caller, HubCaller):
        raise Unauthorized("the own token of a hub below is needed here")
    return caller.hub


def _shown(row: RemoteRow) -> BelowShown:
    return BelowShown(
        id=row.id,
        hub=row.owner,
        place=row.place,
        name=row.name,
        camera_class=row.camera_class,
        lat=None if row.lat is None else row.lat / 1e6,
        lon=None if row.lon is None else row.lon / 1e6,
        state=row.now,
        since=row.since,
        trouble=row.trouble,
        picture=row.picture,
        stale_since=row.stale_since,
    )
