"""Grants as facts: what a decision may believe of consent, verified anew each time."""

from collections.abc import Collection, Iterator, Sequence

from village_core.grant_tokens import Grant
from village_core.grants import GrantKind, GrantStatus
from village_core.status_list import Status
from village_hub.access.facts import GrantFacts, Subject
from village_hub.access.questions import Fields, Looked
from village_hub.catalogue import camera_records, grants, invitations
from village_hub.catalogue.consent_rows import GrantRow
from village_hub.catalogue.rows import CameraRow
from village_hub.catalogue.store import Session
from village_hub.consent.signed import ANY_TIME, read_signed

Standing = tuple[GrantRow, Grant]


def granted(session: Session, hub: str, asked: Looked) -> Iterator[Fields]:
    """A source of access/basis.py: the household's grants that name the subject, stopped and over
    ones too, for they say why not."""
    now = max(question.now for question, _ in asked)
    found = standing_in(session, hub, {camera.household for _, camera in asked}, now)
    its = [
        [each for each in found.get(camera.household, ()) if _names(each[1], question.subject)]
        for question, camera in asked
    ]
    concerned = {camera.id for (_, camera), held in zip(asked, its, strict=True) if held}
    filmed = invitations.filmed(session, frozenset(concerned)) if concerned else []
    objected = {each.camera for each in filmed if each.objects}
    for (_, camera), held in zip(asked, its, strict=True):
        no = camera.id in objected
        yield {"grants": tuple(_facts(row, grant, objected=no) for row, grant in held)}


def granted_of(
    session: Session, hub: str, cameras: Collection[CameraRow], now: int
) -> dict[str, tuple[GrantFacts, ...]]:
    """Whatever each camera's household ever gave, to whomever, by camera."""
    found = standing_in(session, hub, {camera.household for camera in cameras}, now)
    concerned = {camera.id for camera in cameras if camera.household in found}
    filmed = invitations.filmed(session, frozenset(concerned)) if concerned else []
    objected = {each.camera for each in filmed if each.objects}
    return {
        camera.id: tuple(
            _facts(row, grant, objected=camera.id in objected)
            for row, grant in found[camera.household]
            if camera.id in grant.terms.cameras
        )
        for camera in cameras
        if camera.id in concerned
    }


def granted_cameras(session: Session, hub: str, subject: Subject) -> Iterator[str]:
    """Ids of cameras in grants to the subject as a person; what still holds, `decide` says."""
    givers = grants.households_given_to(session, subject.id, subject.unit or "")
    for held in standing_in(session, hub, givers, ANY_TIME).values():
        for _, grant in held:
            if _names(grant, subject):
                yield from grant.terms.cameras


def _names(grant: Grant, subject: Subject) -> bool:
    return grant.terms.names(
        issuer=subject.issuer, person=subject.id, unit=subject.unit, roles=subject.roles
    )


def standing(session: Session, hub: str, household: str, now: int) -> Sequence[Standing]:
    """Every grant of the household whose text its agent's key signed, whatever became of it."""
    return standing_in(session, hub, {household}, now).get(household, ())


def standing_in(
    session: Session, hub: str, households: Collection[str], now: int
) -> dict[str, list[Standing]]:
    """The same of several, by household."""
    found: dict[str, list[Standing]] = {}
    for row, key in grants.standing_in(session, households):
        grant = read_signed(row.text, row.household, key, hub, now)
        if grant is not None and grant.id == row.id:
            found.setdefault(row.household, []).append((row, grant))
    return found


def standing_sos(session: Session, hub: str, household: str, now: int) -> list[Grant]:
    """What the household agreed to for the case of an SOS; those who open one rest on it."""
    return [
        grant
        for row, grant in standing(session, hub, household, now)
        if row.status is GrantStatus.VALID
        and grant.terms.kind is GrantKind.SOS
        and grant.terms.not_before <= now < grant.terms.until
    ]


def statuses(session: Session, hub: str, first: int, end: int) -> dict[int, Status] | None:
    """What the status lists publish: of the places from the first until before the second those
    that are not VALID; None when nobody has such a place. Whatever names a camera whose sharing an
    objection has paused is SUSPENDED as a whole (PRM-19): a list knows no cameras, and whoever has
    only the list is to show less, never more."""
    found = grants.statuses(session, first, end)
    if found is None:
        return None
    for household, cameras in camera_records.paused(session).items():
        for row, grant in standing(session, hub, household, ANY_TIME):
            if first <= row.index < end and cameras & set(grant.terms.cameras):
                found.setdefault(row.index, Status.SUSPENDED)
    return found


def _facts(row: GrantRow, grant: Grant, *, objected: bool) -> GrantFacts:
    """This hub is the owner node: its own list of stops is the newest there is, so always fresh
    (IDN-9). With the home's box out of reach there is no picture either."""
    return GrantFacts(
        id=grant.id,
        terms=grant.terms,
        status=row.status,
        fresh=True,
        chain_holds=True,
        filmed_consented=not objected,
        text=grant.text,
    )
