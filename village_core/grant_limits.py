"""What each kind of grant may hold at most (PRM-5, PRM-6, PRM-13), as data; checked at the home
agent before anything is signed, and at the hub while it is drafted. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from village_core.grants import GrantKind, GrantTerms, Recipient
from village_core.permits import Action, CameraClass, Purpose, Role

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
YEAR = 365 * DAY
UNTIL_STOPPED = 10 * YEAR
STARTS_WITHIN = 30 * DAY  # of being signed: nobody agrees to a remote future
LONGEST_FOOTAGE = 12 * HOUR

PERSON = None  # a recipient's role when it is simply a person


class Unfit(StrEnum):
    """What is wrong with terms."""

    RECIPIENT = "recipient"
    CAMERA = "camera"
    CLASS = "class"
    ACTION = "action"
    PURPOSE = "purpose"
    OVER = "over"
    BEGINS = "begins"
    TOO_LONG = "too_long"
    HOURS = "hours"
    WINDOW = "window"
    SENSITIVE = "sensitive"
    FILMED = "filmed"
    HAND_ON = "hand_on"
    WORDS = "words"
    TOO_SOON = "too_soon"


class TermsError(Exception):
    """These terms cannot be agreed to; the sentence says what to change."""

    def __init__(self, code: Unfit, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    recipients: frozenset[Role | None]  # PERSON, or the role of a unit's people
    inside: frozenset[Role | None] = frozenset()  # of these, who may look inside the home
    actions: frozenset[Action]
    purposes: frozenset[Purpose]
    default: int  # ms, offered first
    longest: int  # ms
    hours: bool = False  # has to say its hours
    footage: bool = False  # has to say which recordings, and nothing else may
    filmed: bool = False  # inside: whoever lives in view agrees too
    handed_on: bool = True
    reminder: int | None = None  # ms: then the household is asked whether it still means it


LIMITS: Mapping[GrantKind, Limits] = MappingProxyType(
    {
        GrantKind.FAMILY: Limits(
            recipients=frozenset({PERSON}),
            inside=frozenset({PERSON}),
            actions=frozenset(
                {
                    *(Action.LIVE, Action.STILL, Action.PLAYBACK, Action.CLIP),
                    *(Action.TALK, Action.PTZ, Action.CARE),
                }
            ),
            purposes=frozenset({Purpose.FAMILY, Purpose.CARE}),
            default=UNTIL_STOPPED,
            longest=UNTIL_STOPPED,
            reminder=YEAR,
        ),
        GrantKind.AWAY_WATCH: Limits(
            recipients=frozenset({Role.COMMITTEE}),
            actions=frozenset({Action.LIVE, Action.STILL}),
            purposes=frozenset({Purpose.GUARD_HOME}),
            default=7 * DAY,
            longest=30 * DAY,
            hours=True,
        ),
        GrantKind.CARER: Limits(
            recipients=frozenset({PERSON, Role.CARER}),
            inside=frozenset({PERSON, Role.CARER}),
            actions=frozenset({Action.LIVE, Action.STILL, Action.TALK, Action.CARE}),
            purposes=frozenset({Purpose.CARE}),
            default=30 * DAY,
            longest=30 * DAY,
            hours=True,
            filmed=True,
        ),
        GrantKind.LIVE: Limits(
            recipients=frozenset({PERSON, Role.COMMITTEE, Role.CARER, Role.STATION_OFFICER}),
            inside=frozenset({Role.CARER}),
            actions=frozenset({Action.LIVE, Action.STILL}),
            purposes=frozenset(
                {
                    *(Purpose.GUARD_HOME, Purpose.LOST, Purpose.DISPUTE),
                    *(Purpose.CASE, Purpose.CARE),
                }
            ),
            default=30 * MINUTE,
            longest=DAY,
            filmed=True,
        ),
        GrantKind.CLIP: Limits(
            recipients=frozenset({PERSON, Role.COMMITTEE, Role.STATION_OFFICER}),
            actions=frozenset({Action.CLIP}),
            purposes=frozenset({Purpose.LOST, Purpose.DISPUTE, Purpose.CASE}),
            default=7 * DAY,
            longest=30 * DAY,
            footage=True,
        ),
        GrantKind.SOS: Limits(
            recipients=frozenset(
                {
                    *(PERSON, Role.COMMITTEE, Role.CARER, Role.TOWNSHIP),
                    *(Role.STATION_OFFICER, Role.BUREAU_OFFICER),
                }
            ),
            inside=frozenset(
                {
                    *(PERSON, Role.COMMITTEE, Role.CARER, Role.TOWNSHIP),
                    *(Role.STATION_OFFICER, Role.BUREAU_OFFICER),
                }
            ),
            actions=frozenset({Action.LIVE, Action.STILL, Action.CLIP}),
            purposes=frozenset({Purpose.SOS}),
            default=UNTIL_STOPPED,
            longest=UNTIL_STOPPED,
            filmed=True,
            handed_on=False,
            reminder=YEAR,
        ),
    }
)


def check_terms(terms: GrantTerms, classes: Mapping[str, CameraClass], now: int) -> None:
    """Whether a household may agree to this. `classes` has the household's own cameras. Raises
    TermsError. How it was confirmed has rules of its own: `grant_tokens.check_confirmation`."""
    limits = LIMITS[terms.kind]
    _check_recipients(terms, limits)
    _check_cameras(terms, limits, classes)
    _check_doings(terms, limits)
    _check_times(terms, limits, now)
    _check_footage(terms, limits)
    _check_words(terms)


def looks_inside(terms: GrantTerms, classes: Mapping[str, CameraClass]) -> bool:
    """A camera that is not known counts as one inside the home."""
    return any(
        classes.get(camera, CameraClass.H_IN) is CameraClass.H_IN for camera in terms.cameras
    )


def _check_recipients(terms: GrantTerms, limits: Limits) -> None:
    if terms.responders and terms.kind is not GrantKind.SOS:
        raise TermsError(Unfit.RECIPIENT, "each recipient is agreed to apart; name one")
    for each in terms.recipients:
        if each.role not in limits.recipients:
            raise TermsError(Unfit.RECIPIENT, f"{_called(each)} cannot be given this kind of leave")


def _check_cameras(terms: GrantTerms, limits: Limits, classes: Mapping[str, CameraClass]) -> None:
    if not terms.cameras <= set(classes):
        raise TermsError(Unfit.CAMERA, "choose among the cameras of this household")
    if any(classes[camera].public for camera in terms.cameras):
        raise TermsError(Unfit.CLASS, "a camera in a public place is not the household's to share")
    if looks_inside(terms, classes):
        _check_inside(terms, limits)


def _check_inside(terms: GrantTerms, limits: Limits) -> None:
    for each in terms.recipients:
        if each.role not in limits.inside:
            raise TermsError(
                Unfit.CLASS, f"{_called(each)} cannot look inside the home; leave that camera out"
            )
    if not terms.sensitive:
        raise TermsError(
            Unfit.SENSITIVE, "a camera inside the home is agreed to apart; say so for it"
        )
    if limits.filmed and not terms.filmed:
        raise TermsError(
            Unfit.FILMED, "whoever lives in view of this camera has to agree; note who did"
        )
    if terms.may_hand_on:
        raise TermsError(Unfit.HAND_ON, "nobody may hand on a look inside the home")


def _check_doings(terms: GrantTerms, limits: Limits) -> None:
    if not terms.actions <= limits.actions:
        wrong = ", ".join(sorted(terms.actions - limits.actions))
        raise TermsError(Unfit.ACTION, f"this kind of leave does not include: {wrong}")
    if terms.purpose not in limits.purposes:
        raise TermsError(Unfit.PURPOSE, f"this kind of leave is not for: {terms.purpose}")
    if terms.may_hand_on and not limits.handed_on:
        raise TermsError(Unfit.HAND_ON, "this kind of leave cannot be handed on")


def _check_times(terms: GrantTerms, limits: Limits, now: int) -> None:
    if terms.until <= max(now, terms.not_before):
        raise TermsError(Unfit.OVER, "the end is over already; choose a later one")
    if terms.not_before > now + STARTS_WITHIN:
        raise TermsError(Unfit.BEGINS, "the beginning is more than 30 days ahead")
    if terms.until - terms.not_before > limits.longest:
        raise TermsError(
            Unfit.TOO_LONG, f"this kind of leave lasts {_long(limits.longest)} at most"
        )
    if limits.hours and not terms.hours:
        raise TermsError(Unfit.HOURS, "say on which days and at what hours")


def _check_footage(terms: GrantTerms, limits: Limits) -> None:
    if (terms.footage is not None) is not limits.footage:
        raise TermsError(Unfit.WINDOW, "say from when to when, for recordings and for nothing else")
    if terms.footage is not None:
        begin, end = terms.footage
        if not begin < end <= begin + LONGEST_FOOTAGE:
            raise TermsError(Unfit.WINDOW, "the recordings cover at most 12 hours")


def _check_words(terms: GrantTerms) -> None:
    """PRM-3: who, how to reach them, why, and how to stop it, in words that were shown."""
    if not all(each.name.strip() and each.contact.strip() for each in terms.recipients):
        raise TermsError(Unfit.WORDS, "name the recipient, and say how to reach them")
    if not terms.why.strip() or not terms.stop.strip():
        raise TermsError(Unfit.WORDS, "say what it is for, and how to stop it")


def _called(recipient: Recipient) -> str:
    return recipient.name or recipient.person or recipient.unit


def _long(ms: int) -> str:
    days = ms // DAY
    return f"{days} days" if days > 1 else "24 hours"
