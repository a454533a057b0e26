"""The person filmed inside a home has the last word on who else sees it, even against the owner
(PRM-13)."""

from village_core.grants import GrantTerms
from village_hub.catalogue import invitations
from village_hub.catalogue.store import Session
from village_hub.errors import Forbidden


def must_not_object(session: Session, terms: GrantTerms) -> None:
    """Raises Forbidden while somebody who lives in view of one of the cameras says no."""
    if any(each.objects for each in invitations.filmed(session, terms.cameras)):
        raise Forbidden("the person in the picture does not agree", code="patient")
