"""What a police request for footage says (PRM-8), and what it may not. Pure."""

from collections.abc import Iterator

from pydantic import Field

from village_core.messages import PRINTABLE
from village_hub.access.bases import LONGEST_FOOTAGE
from village_hub.cases.effects import Area
from village_hub.cases.matter import DAY, Named, Part, Person

MOST_CAMERAS = 40
LONGEST_USE = 30 * DAY  # from filing to the return of what was taken
OLDEST = 400 * DAY


class Footage(Part):
    """Of a camera that the asker knows of."""

    camera: str = Field(min_length=1, max_length=80)
    begin: int
    end: int


class Sought(Part):
    """Of an area: the village finds the cameras, the asker sees answers only (PRM-18)."""

    area: Area
    begin: int
    end: int


class DelayWish(Part):
    """PRM-10: the household is told later."""

    ground: str = Field(min_length=10, max_length=400, pattern=PRINTABLE)
    until: int


class RequestTerms(Part):
    """`cameras`, or `sought`. `officers` are those who will use it."""

    officers: tuple[Named, ...] = Field(max_length=8)
    approver: Named
    notice: str = Field(
        default="", max_length=60, pattern=PRINTABLE
    )  # number of the 调取证据通知书
    case_type: str = Field(min_length=2, max_length=80, pattern=PRINTABLE)
    case_no: str = Field(min_length=2, max_length=60, pattern=PRINTABLE)
    legal_basis: str = Field(min_length=2, max_length=200, pattern=PRINTABLE)
    place: str = Field(pattern=r"^[0-9]{6,20}$")  # administrative code
    cameras: tuple[Footage, ...] = Field(default=(), max_length=MOST_CAMERAS)
    sought: Sought | None = None
    return_by: int
    delay: DelayWish | None = None


class Scan(Part):
    """The notice as scanned; the file itself is kept beside the database."""

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    size: int = Field(ge=1)
    kind: str = Field(pattern="^(application/pdf|image/jpeg|image/png)$")


def two_officers(terms: RequestTerms) -> bool:
    return len({officer.key for officer in terms.officers}) >= 2


def approver_is_another(terms: RequestTerms, asker: Person) -> bool:
    return terms.approver.key not in {asker.key, *(officer.key for officer in terms.officers)}


def windows_fit(terms: RequestTerms, now: int) -> bool:
    """At most 12 h per camera per request, each camera once, of what lies behind."""
    names = [each.camera for each in terms.cameras]
    return len(set(names)) == len(names) and all(
        0 < end - begin <= LONGEST_FOOTAGE and now - OLDEST < begin and end <= now
        for begin, end in _windows(terms)
    )


def _windows(terms: RequestTerms) -> Iterator[tuple[int, int]]:
    yield from ((each.begin, each.end) for each in terms.cameras)
    if terms.sought is not None:
        yield terms.sought.begin, terms.sought.end


def names_what(terms: RequestTerms) -> bool:
    """Cameras or an area, not both and not neither; the area in the place."""
    if terms.sought is None:
        return bool(terms.cameras)
    return not terms.cameras and terms.sought.area.place.startswith(terms.place)


def returns_in_time(terms: RequestTerms, now: int) -> bool:
    return now < terms.return_by <= now + LONGEST_USE
