"""Grants as facts: what a decision may believe of consent, verified anew each time."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sqlmodel import Session

from village_core.grant_tokens import Grant
from village_core.grants import GrantKind, GrantStatus
from village_core.status_list import Status
from village_hub.access.facts import GrantFacts, Subject
from village_hub.catalogue import camera_records, grants, invitations
from village_hub.catalogue.consent_rows import GrantRow
from village_hub.catalogue.rows import CameraRow
from village_hub.consent.signed import ANY_TIME, read_signed

if TYPE_CHECKING:
    from village_hub.catalogue.basis import Question


def granted(
    session: Session, hub: str, question: "Question", camera: CameraRow
) -> Mapping[str, Any]:
    """A source of basis.py: the household's grants that name the subject, stopped and over ones
    too, for they say why not."""
    found = standing(session, hub, camera.household, question.now)
    its = [(row, grant) for row, grant in found if _names(grant, question.subject)]
    if not its:
        return {}
    objected = any(each.objects for each in invitations.filmed(session, frozenset({camera.id})))
    return {"grants": tuple(_facts(row, grant, objected=objected) for row, grant in its)}


def granted_cameras(session: Session, hub: str, subject: Subject) -> Iterator[str]:
    """Ids of cameras in grants to the subject as a person; what still holds, `decide` says."""
    for household in grants.households_given_to(session, subject.id, subject.unit or ""):
        for _, grant in standing(session, hub, household, ANY_TIME):
            if _names(grant, subject):
                yield from grant.terms.cameras


def _names(grant: Grant, subject: Subject) -> bool:
    return grant.terms.names(
        issuer=subject.issuer, person=subject.id, unit=subject.unit, roles=subject.roles
    )


def standing(session: Session, hub: str, household: str, now: int) -> list[tuple[GrantRow, Grant]]:
    """Every grant of the household whose text its agent's key signed, whatever became of it."""
    home = grants.home(session, household)
    if home is None or home.node is None or home.key is None:
        return []
    read = [
        (row, read_signed(row.text, household, home.key, hub, now))
        for row in grants.standing_of_household(session, household, home.node)
    ]
    return [(row, grant) for row, grant in read if grant is not None and grant.id == row.id]


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
