"""What is on record of a camera: class, place, purpose, sign, mask, the view that was approved
(CAM-9, CAM-10). Somebody proposes; the owner, or for a unit's camera a second person, approves."""

from aiohttp import web
from pydantic import Field

from village_core.messages import PRINTABLE
from village_core.permits import Action, CameraClass, Purpose, Quality
from village_hub import keys
from village_hub.access import classes
from village_hub.access.classes import SENTENCES, Place, Polygon
from village_hub.access.facts import PersonKey, Reason, Said
from village_hub.access.guard import by_hand, person
from village_hub.access.identity import PersonCaller
from village_hub.api import bodies
from village_hub.api.cameras import known
from village_hub.api.contract import Shape, operation, reply
from village_hub.catalogue import camera_records
from village_hub.catalogue.camera_records import RecordRow
from village_hub.catalogue.rows import CameraRow
from village_hub.catalogue.versions import Stale
from village_hub.errors import Conflict, NotFound, Refused, Unprocessable

routes = web.RouteTableDef()

MOST_POLYGONS = 8


class RecordWish(Shape):
    """`version` is the record's that was read; 0 when there is none. `reason` is for those on duty.
    Mask corners are shares of width and height."""

    version: int = Field(ge=0)
    camera_class: CameraClass
    place: Place
    purpose: str = Field(max_length=300, pattern=PRINTABLE)
    installer: str = Field(min_length=1, max_length=120, pattern=PRINTABLE)
    duty: str = Field(default="", max_length=300, pattern=PRINTABLE)
    sign_placed: bool
    mask_needed: bool
    mask: tuple[Polygon, ...] = Field(default=(), max_length=MOST_POLYGONS)
    reason: str = Field(default="", max_length=400, pattern=PRINTABLE)


class Approval(Shape):
    """Of the record of this version, with the view whose still has this SHA-256."""

    version: int = Field(ge=1)
    picture_sha256: str = Field(pattern="^[0-9a-f]{64}$")
    reason: str = Field(default="", max_length=400, pattern=PRINTABLE)


class RecordShown(Shape):
    """Times in UTC ms; `shared` says why it is not shared outside its household, if so."""

    camera: str
    version: int
    camera_class: CameraClass
    place: Place
    purpose: str
    installer: str
    duty: str
    sign_placed: bool
    mask_needed: bool
    mask: tuple[Polygon, ...]
    proposed_by: str
    proposed: int
    picture_sha256: str | None
    approved_by: str | None
    approved: int | None
    withheld: Reason | None


@routes.get("/api/v1/cameras/{camera}/record", name="camera_record")
@operation(answer=RecordShown)
async def show(request: web.Request) -> web.Response:
    """What is on record. 404 no_record when nothing is yet."""
    row = await known(request, person(request), request.match_info["camera"])
    record = await request.app[keys.CATALOGUE].read(camera_records.find, row.id)
    if record is None:
        raise NotFound("nothing is on record of this camera", code="no_record")
    return await _shown(request, record)


@routes.put("/api/v1/cameras/{camera}/record", name="put_camera_record")
@operation(body=RecordWish, answer=RecordShown, errors=(Conflict,))
async def propose(request: web.Request) -> web.Response:
    """Write the record; it counts once it is approved. 409 stale when somebody was faster, 422 with
    the article of the law when a camera may not be there."""
    caller = by_hand(request)
    row = await known(request, caller, request.match_info["camera"])
    wish = await bodies.read(request, RecordWish)
    await _may_propose(request, caller, row, wish.reason)
    standing = await request.app[keys.CATALOGUE].read(camera_records.standing, row.id)
    said = classes.Said(wish.camera_class, wish.place, wish.purpose, wish.duty, wish.mask)
    if (fault := classes.fault(said, of_unit=standing.unit is not None)) is not None:
        raise Unprocessable(SENTENCES[fault], code=fault.value)
    now = request.app[keys.CLOCK].utc_ms()
    record = RecordRow(
        camera=row.id,
        **wish.model_dump(exclude={"reason"}),
        proposed_by=caller.subject.id,
        proposed=now,
        picture_sha256=None,
        approved_by=None,
        approved=None,
        objection=None,
    )
    written = await request.app[keys.CATALOGUE].write(camera_records.put, record)
    request.app[keys.RENEWAL].look_soon()
    return await _shown(request, written)


@routes.post("/api/v1/cameras/{camera}/record/approval", name="approve_camera_record")
@operation(body=Approval, answer=RecordShown, errors=(Conflict,))
async def approve(request: web.Request) -> web.Response:
    """The owner says that this view and this record are right; for a unit's camera a second person
    on duty does. 409 stale when the record changed since it was read."""
    caller = by_hand(request)
    row = await known(request, caller, request.match_info["camera"])
    wish = await bodies.read(request, Approval)
    catalogue = request.app[keys.CATALOGUE]
    record = await catalogue.read(camera_records.find, row.id)
    if record is None:
        raise NotFound("nothing is on record of this camera", code="no_record")
    if record.version != wish.version:  # else a later one's proposer might be its second person
        raise Stale(record.version)
    await _decide(request, caller, row, wish.reason, (caller.subject.issuer, record.proposed_by))
    now, who = request.app[keys.CLOCK].utc_ms(), caller.subject.id
    written = await catalogue.write(
        camera_records.approve, row.id, wish.version, wish.picture_sha256, who, now
    )
    return await _shown(request, written)


async def _may_propose(
    request: web.Request, caller: PersonCaller, row: CameraRow, reason: str
) -> None:
    """Whoever may change settings at all: the second person's turn is the approval."""
    try:
        await _decide(request, caller, row, reason, None)
    except Refused as refused:
        if refused.code != Reason.SECOND.value:
            raise


async def _decide(
    request: web.Request,
    caller: PersonCaller,
    row: CameraRow,
    reason: str,
    second: PersonKey | None,
) -> None:
    said = Said(Purpose.MAINTENANCE, reason, second=second)
    await request.app[keys.GUARD].permit(caller, row, Quality.MAIN, Action.CONFIG, said)


async def _shown(request: web.Request, record: RecordRow) -> web.Response:
    standing = await request.app[keys.CATALOGUE].read(camera_records.standing, record.camera)
    return reply(
        RecordShown(
            **{name: getattr(record, name) for name in RecordShown.model_fields if name in FIELDS},
            withheld=classes.withheld(standing.record),
        )
    )


FIELDS = frozenset(RecordRow.__slots__)
