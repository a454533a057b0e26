"""Queries about invitations, and about who lives in view of a camera: sync, no HTTP."""

from sqlmodel import Session, col, select

from village_hub.catalogue.consent_models import FilmedPerson, Invitation
from village_hub.catalogue.consent_rows import FilmedRow, InvitationRow
from village_hub.catalogue.models import Camera, Person


def add(session: Session, invitation: Invitation) -> InvitationRow:
    session.add(invitation)
    session.flush()
    return row_of(invitation)


def find(session: Session, invitation_id: str) -> InvitationRow | None:
    row = session.get(Invitation, invitation_id)
    return row_of(row) if row else None


def of_household(session: Session, household_id: str, now: int) -> list[InvitationRow]:
    """Those that may still be used."""
    query = select(Invitation).where(
        Invitation.household_id == household_id,
        col(Invitation.ended).is_(None),
        Invitation.expires > now,
    )
    return [row_of(row) for row in session.exec(query.order_by(col(Invitation.id)))]


def spend(session: Session, digest: str, voice: str, now: int) -> InvitationRow | None:
    """The invitation whose link and told code these are, once. A wrong code costs it one of its
    tries; the last of them ends it. None: it is not, or no more."""
    query = select(Invitation).where(
        Invitation.digest == digest, col(Invitation.ended).is_(None), Invitation.expires > now
    )
    row = session.exec(query).first()
    if row is None:
        return None
    if row.voice != voice:
        row.tries -= 1
        if row.tries <= 0:
            row.ended = now
        return None
    row.ended = now
    session.flush()
    return row_of(row)


def used_by(session: Session, invitation_id: str, person_id: str, draft_id: str) -> None:
    row = session.get_one(Invitation, invitation_id)
    row.person_id, row.draft_id = person_id, draft_id


def end(session: Session, invitation_id: str, now: int) -> bool:
    row = session.get(Invitation, invitation_id)
    if row is None or row.ended is not None:
        return False
    row.ended = now
    return True


def row_of(row: Invitation) -> InvitationRow:
    return InvitationRow(
        id=row.id,
        household=row.household_id,
        made_by=row.made_by,
        name=row.name,
        wish=row.wish,
        tries=row.tries,
        created=row.created,
        expires=row.expires,
        ended=row.ended,
        person=row.person_id,
        draft=row.draft_id,
    )


# Who lives in view (PRM-13)


def add_filmed(session: Session, filmed: FilmedPerson) -> None:
    if session.get(FilmedPerson, (filmed.camera_id, filmed.person_id)) is None:
        session.add(filmed)


def filmed(session: Session, camera_ids: frozenset[str]) -> list[FilmedRow]:
    query = select(FilmedPerson, Person).where(
        col(FilmedPerson.camera_id).in_(camera_ids), col(Person.id) == col(FilmedPerson.person_id)
    )
    return [
        FilmedRow(row.camera_id, who.id, who.name, row.guardian, row.since, row.objects)
        for row, who in session.exec(query)
    ]


def households_filming(session: Session, person_id: str) -> frozenset[str]:
    query = select(Camera.household_id).where(
        col(Camera.id) == col(FilmedPerson.camera_id), FilmedPerson.person_id == person_id
    )
    return frozenset(session.exec(query))


def set_objection(session: Session, camera_id: str, person_id: str, at: int | None) -> bool:
    """Their no to anybody but the owners seeing this camera, or its end."""
    row = session.get(FilmedPerson, (camera_id, person_id))
    if row is None:
        return False
    row.objects = at
    return True
