"""The table of requirements.md section 5, cell by cell, as data. What is not here is denied.

Rows `owner`, `member` and `neighbour` are relations to the camera's household; the others are roles
of an appointment. `rules.py` asks each code's predicate; nothing else reads this table but tests.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import MappingProxyType

from village_core.permits import Action, CameraClass, Role


class Row(StrEnum):
    OWNER = "owner"
    MEMBER = "member"  # of the household, or named in a family grant
    NEIGHBOUR = "neighbour"  # any other person
    COMMITTEE = "committee"
    CARER = "carer"
    TOWNSHIP = "township"
    STATION_OFFICER = "station_officer"
    BUREAU_OFFICER = "bureau_officer"
    ENGINEER = "engineer"
    AUDITOR = "auditor"
    ADMIN = "admin"


class Column(StrEnum):
    H_IN_LIVE = "H-IN live"
    H_OUT_LIVE = "H-OUT live"
    H_RECORDINGS = "H recordings"
    SOS_MEDIA = "SOS clip/live"
    P_LIVE = "P9/P7 live"
    P_RECORDINGS = "P recordings"
    HEALTH = "camera health"
    CONFIG = "device config, mask"
    CONSENT = "grant/revoke consent"
    ASK = "ask for footage"
    EXPORT = "export evidence"
    OWN_LOG = "own-camera access log"
    AUDIT = "whole audit log"
    PEOPLE = "users, roles, keys"
    CARE = "care events"  # not a column of the table: an action of its own (PRM-13)
    LOST = "a villager's lost phone"  # nor this: any adult of the home, or the window with two
    STAFF_KEYS = "staff re-enrolment"  # nor this: two persons of the tier above


class Code(StrEnum):
    O = "O"  # noqa: E741 - the table's own letter; owner, always
    C = "C"  # a consent grant
    S = "S"  # an SOS or a documented emergency
    R = "R"  # a legal request
    D = "D"  # on duty, class P only
    M = "M"  # metadata only
    A = "A"  # aggregate counts
    MAY = "may"  # an act: asking, reading one's log, giving consent


class Only(StrEnum):
    """What a cell says besides its code."""

    CLIP = "clip only"
    FOR_CARE = "with the patient's consent"
    DAY = "24 h at most"
    HELPER = "if listed as helper"
    DISPATCH = "dispatch"
    ESCALATED = "if escalated"
    P_CAMERAS = "P cameras only"
    OWNER_PRESENT = "with the owner present, no image"
    NODE = "the node, not the mask"
    SR_CAMERAS = "for S and R cameras"
    OWNER_GRANT = "by the owner's grant"
    OWN = "one's own"
    OWN_ACTIONS = "own actions"
    OWN_UNIT = "own unit"
    OWN_MEMBERS = "own members"
    VIA_OWNER = "ask the owner"
    VERIFY = "verify the hash only"
    REVIEW = "review"
    CONCERNED = "as a person concerned"
    APPEND = "append only"


@dataclass(frozen=True, slots=True)
class Cell:
    """One way in a cell of the table; `second`: another person confirms within 30 min."""

    code: Code
    only: Only | None = None
    second: bool = False


_O, _C, _S, _R, _D = Cell(Code.O), Cell(Code.C), Cell(Code.S), Cell(Code.R), Cell(Code.D)
_M, _A, _MAY = Cell(Code.M), Cell(Code.A), Cell(Code.MAY)
_SECONDED = Cell(Code.MAY, second=True)
_OWN_ACTIONS = Cell(Code.MAY, Only.OWN_ACTIONS)
_CLIP = Cell(Code.C, Only.CLIP)
_R_EXPORT = Cell(Code.R, second=True)

Cells = tuple[Cell, ...]

TABLE: Mapping[Row, Mapping[Column, Cells]] = MappingProxyType(
    {
        Row.OWNER: {
            Column.H_IN_LIVE: (_O,),
            Column.H_OUT_LIVE: (_O,),
            Column.H_RECORDINGS: (_O,),
            Column.SOS_MEDIA: (_O,),
            Column.P_RECORDINGS: (Cell(Code.MAY, Only.CONCERNED),),
            Column.HEALTH: (_O,),
            Column.CONFIG: (_O,),
            Column.CONSENT: (_MAY,),
            Column.EXPORT: (Cell(Code.O, Only.OWN),),
            Column.OWN_LOG: (_MAY,),
            Column.PEOPLE: (Cell(Code.MAY, Only.OWN_MEMBERS),),
            Column.CARE: (_O,),
            Column.LOST: (_MAY,),
        },
        Row.MEMBER: {
            Column.H_IN_LIVE: (Cell(Code.C, Only.OWNER_GRANT),),
            Column.H_OUT_LIVE: (_C,),
            Column.H_RECORDINGS: (_C,),
            Column.SOS_MEDIA: (_O,),
            Column.P_RECORDINGS: (Cell(Code.MAY, Only.CONCERNED),),
            Column.HEALTH: (_M,),
            Column.OWN_LOG: (_MAY,),
            Column.CARE: (_C,),
            Column.LOST: (_MAY,),
        },
        Row.NEIGHBOUR: {
            Column.H_OUT_LIVE: (_C,),
            Column.SOS_MEDIA: (Cell(Code.S, Only.HELPER),),
            Column.P_RECORDINGS: (Cell(Code.MAY, Only.CONCERNED),),
            Column.ASK: (Cell(Code.MAY, Only.VIA_OWNER),),
        },
        Row.COMMITTEE: {
            Column.H_OUT_LIVE: (_C, _S),
            Column.H_RECORDINGS: (_CLIP,),
            Column.SOS_MEDIA: (_S,),
            Column.P_LIVE: (_D,),
            Column.P_RECORDINGS: (_D,),
            Column.HEALTH: (_M,),
            Column.CONFIG: (Cell(Code.D, Only.P_CAMERAS, second=True),),
            Column.ASK: (Cell(Code.MAY, Only.VIA_OWNER),),
            Column.EXPORT: (Cell(Code.D, Only.P_CAMERAS, second=True),),
            Column.OWN_LOG: (_OWN_ACTIONS,),
            Column.LOST: (_SECONDED,),
            Column.STAFF_KEYS: (_SECONDED,),
        },
        Row.CARER: {
            Column.H_IN_LIVE: (Cell(Code.C, Only.FOR_CARE),),
            Column.H_OUT_LIVE: (_C,),
            Column.SOS_MEDIA: (Cell(Code.S, Only.HELPER),),
            Column.ASK: (_MAY,),
            Column.OWN_LOG: (_OWN_ACTIONS,),
            Column.CARE: (Cell(Code.C, Only.FOR_CARE),),
        },
        Row.TOWNSHIP: {
            Column.SOS_MEDIA: (Cell(Code.S, Only.DISPATCH),),
            Column.P_LIVE: (_D,),
            Column.P_RECORDINGS: (_D,),
            Column.HEALTH: (_A,),
            Column.ASK: (_MAY,),
            Column.OWN_LOG: (_OWN_ACTIONS,),
            Column.STAFF_KEYS: (_SECONDED,),
        },
        Row.STATION_OFFICER: {
            Column.H_OUT_LIVE: (Cell(Code.C, Only.DAY), _S),
            Column.H_RECORDINGS: (_CLIP, _R),
            Column.SOS_MEDIA: (_S,),
            Column.P_LIVE: (_D,),
            Column.P_RECORDINGS: (_D, _R),
            Column.HEALTH: (Cell(Code.M, Only.SR_CAMERAS),),
            Column.ASK: (_MAY,),
            Column.EXPORT: (_R_EXPORT,),
            Column.OWN_LOG: (_OWN_ACTIONS,),
            Column.STAFF_KEYS: (_SECONDED,),
        },
        Row.BUREAU_OFFICER: {
            Column.H_OUT_LIVE: (_S,),
            Column.H_RECORDINGS: (_R,),
            Column.SOS_MEDIA: (Cell(Code.S, Only.ESCALATED),),
            Column.P_LIVE: (_D,),
            Column.P_RECORDINGS: (_R,),
            Column.HEALTH: (_A,),
            Column.ASK: (_MAY,),
            Column.EXPORT: (_R_EXPORT,),
            Column.OWN_LOG: (Cell(Code.MAY, Only.OWN_UNIT),),
            Column.STAFF_KEYS: (_SECONDED,),
        },
        Row.ENGINEER: {
            Column.HEALTH: (_M,),
            Column.CONFIG: (Cell(Code.MAY, Only.OWNER_PRESENT, second=True),),
            Column.OWN_LOG: (_OWN_ACTIONS,),
        },
        Row.AUDITOR: {
            Column.HEALTH: (_A,),
            Column.EXPORT: (Cell(Code.MAY, Only.VERIFY),),
            Column.OWN_LOG: (_MAY,),
            Column.AUDIT: (_MAY,),
            Column.PEOPLE: (Cell(Code.MAY, Only.REVIEW),),
        },
        Row.ADMIN: {
            Column.HEALTH: (_M,),
            Column.CONFIG: (Cell(Code.MAY, Only.NODE),),
            Column.OWN_LOG: (_OWN_ACTIONS,),
            Column.PEOPLE: (Cell(Code.MAY, second=True),),
            Column.STAFF_KEYS: (_SECONDED,),
        },
    }
)

_SEEN_NOW = frozenset({Action.LIVE, Action.STILL, Action.TALK, Action.PTZ})
_STORED = frozenset({Action.PLAYBACK, Action.CLIP})


def columns_of(action: Action, camera_class: CameraClass) -> tuple[Column, ...]:
    """Where to look in the table for an action on a camera of this class. An SOS has a column of
    its own, beside that of the household's class."""
    single = {
        Action.HEALTH: Column.HEALTH,
        Action.CARE: Column.CARE,
        Action.CONFIG: Column.CONFIG,
        Action.EXPORT: Column.EXPORT,
    }
    if action in single:
        return (single[action],)
    if camera_class.public:
        if action in _SEEN_NOW:
            return (Column.P_LIVE,)
        return (Column.P_RECORDINGS,) if action in _STORED else ()
    if action in _SEEN_NOW:
        inside = camera_class is CameraClass.H_IN
        return (Column.H_IN_LIVE if inside else Column.H_OUT_LIVE, Column.SOS_MEDIA)
    return (Column.H_RECORDINGS, Column.SOS_MEDIA) if action in _STORED else ()


def cells(row: Row, column: Column) -> Cells:
    return TABLE.get(row, {}).get(column, ())


_WAYS = {
    row: {
        (action, camera_class): tuple(
            cell for column in columns_of(action, camera_class) for cell in cells(row, column)
        )
        for action in Action
        for camera_class in CameraClass
    }
    for row in Row
}


@cache
def rows_of(roles: frozenset[Role]) -> tuple[Row, ...]:
    """The rows of these roles, in one order."""
    return tuple(Row(role.value) for role in sorted(roles))


def ways(row: Row, action: Action, camera_class: CameraClass) -> Cells:
    """Every cell that may allow it, in the order of the columns; made once, for speed."""
    return _WAYS[row][action, camera_class]
