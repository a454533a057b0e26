"""Which class a camera may have, and what must be on record before it is shared: pure rules
(CAM-9, CAM-10, PRM-19; requirements.md section 1).

The Regulation on public-security video systems (State Council Order 799) says who may put a camera
where: article 7 its reserved places, article 8 where none may be, article 9 other public places.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from village_core.permits import CameraClass
from village_hub.access.facts import Reason


class Place(StrEnum):
    """What kind of place the camera looks at."""

    ROOM = "room"
    YARD = "yard"
    GATE = "gate"
    FIELD_HUT = "field_hut"
    LANE = "lane"
    CORNER = "corner"
    PATH = "path"
    MAIN_ROAD = "main_road"
    BRIDGE = "bridge"
    SQUARE = "square"
    SCHOOL = "school"
    CLINIC = "clinic"
    MARKET = "market"
    STATION = "station"
    GUEST_ROOM = "guest_room"
    DORMITORY = "dormitory"
    BATH = "bath"
    TOILET = "toilet"
    CHANGING_ROOM = "changing_room"
    NURSING_ROOM = "nursing_room"


CLASS_OF: Mapping[Place, CameraClass | None] = MappingProxyType(
    {
        Place.ROOM: CameraClass.H_IN,
        **dict.fromkeys((Place.YARD, Place.GATE, Place.FIELD_HUT), CameraClass.H_OUT),
        **dict.fromkeys((Place.LANE, Place.CORNER, Place.PATH), CameraClass.P9),
        **dict.fromkeys(
            (
                *(Place.MAIN_ROAD, Place.BRIDGE, Place.SQUARE, Place.SCHOOL),
                *(Place.CLINIC, Place.MARKET, Place.STATION),
            ),
            CameraClass.P7,
        ),
        **dict.fromkeys(
            (
                *(Place.GUEST_ROOM, Place.DORMITORY, Place.BATH, Place.TOILET),
                *(Place.CHANGING_ROOM, Place.NURSING_ROOM),
            ),
            None,  # article 8
        ),
    }
)


class Fault(StrEnum):
    """Why a record cannot be; the code that the API gives."""

    FORBIDDEN = "place_forbidden"
    CLASS = "class_place"
    RESERVED = "class_reserved"
    DUTY = "no_duty"
    VAGUE = "vague_purpose"
    MASK = "bad_mask"


SENTENCES: Mapping[Fault, str] = MappingProxyType(
    {
        Fault.FORBIDDEN: "no camera may be in such a place (Order 799, article 8)",
        Fault.CLASS: "a camera that looks at such a place has another class",
        Fault.RESERVED: (
            "in such a place only the department that the government names, the managing unit or "
            "whoever has the security duty may put a camera (Order 799, articles 7(3) and 9(1))"
        ),
        Fault.DUTY: "say which security duty of the unit this camera serves",
        Fault.VAGUE: "say in words what this camera is for; “for safety” is not enough",
        Fault.MASK: "a mask is of polygons of 3 to 32 corners, each between 0 and 1",
    }
)

VAGUE = re.compile(
    r"\W*(为了|为|用于|for|the|reasons?|of|our|my|\s)*(安全|保安|安防|safety|security)\W*"
)
SHORTEST_PURPOSE = 4  # characters: 看鱼塘水位 has five

Corner = tuple[float, float]
Polygon = tuple[Corner, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody wants to have on record of a camera."""

    camera_class: CameraClass
    place: Place
    purpose: str
    duty: str = ""  # of a public camera: the unit's security duty in words
    mask: tuple[Polygon, ...] = ()


def fault(said: Said, *, of_unit: bool) -> Fault | None:
    """Why it cannot stand, or None. `of_unit`: the camera is a unit's, not a household's."""
    fitting = CLASS_OF[said.place]
    public = said.camera_class.public
    checks = (
        (fitting is not None, Fault.FORBIDDEN),
        (of_unit or not (public or (fitting is not None and fitting.public)), Fault.RESERVED),
        (fitting is said.camera_class, Fault.CLASS),
        (not public or len(said.duty.strip()) >= SHORTEST_PURPOSE, Fault.DUTY),
        (not _vague(said.purpose), Fault.VAGUE),
        (all(_is_polygon(each) for each in said.mask), Fault.MASK),
    )
    return next((why for holds, why in checks if not holds), None)


def _vague(purpose: str) -> bool:
    words = purpose.strip()
    return len(words) < SHORTEST_PURPOSE or VAGUE.fullmatch(words.lower()) is not None


def _is_polygon(corners: Polygon) -> bool:
    inside = all(0 <= x <= 1 and 0 <= y <= 1 for x, y in corners)
    return inside and 3 <= len(corners) <= 32 and len(set(corners)) == len(corners)


@dataclass(frozen=True, slots=True)
class OnRecord:
    """A camera's record as far as sharing goes. `told`: the class in its agent's own settings, None
    for a camera that pushes by itself."""

    camera_class: CameraClass
    told: CameraClass | None
    approved: bool  # the picture and the record, by who may
    mask_needed: bool
    masked: bool
    objection: bool


def withheld(record: OnRecord | None) -> Reason | None:
    """Why the camera is shared with nobody outside its household, if so."""
    if record is None or not record.approved:
        return Reason.UNRECORDED
    if record.told is not None and record.told is not record.camera_class:
        return Reason.UNRECORDED
    if record.objection:
        return Reason.OBJECTION
    return Reason.MASK if record.mask_needed and not record.masked else None


def class_of(record: OnRecord | None, *, of_unit: bool) -> CameraClass:
    """What decisions go by. While record and agent do not agree it is the most protective one of
    whose camera it is; it is then withheld in any case."""
    if record is None or (record.told is not None and record.told is not record.camera_class):
        return CameraClass.P9 if of_unit else CameraClass.H_IN
    return record.camera_class
