"""In which part somebody may read a matter, if at all. Pure: by the matter, and who asks as the
hub has verified them."""

from enum import StrEnum
from typing import Any

from village_core.permits import Role
from village_hub.cases.checks import POLICE, fits_over, is_custodian, same_unit, stands_above
from village_hub.cases.concerned import Concerned
from village_hub.cases.dispute import Dispute
from village_hub.cases.emergency import Emergency
from village_hub.cases.help import Help
from village_hub.cases.matter import Kind, Matter, Person
from village_hub.cases.objection import Objection, mediates, runs_it
from village_hub.cases.preserve import Preserve
from village_hub.cases.public_answer import PublicAnswer
from village_hub.cases.public_ask import PublicAsk, is_staff
from village_hub.cases.request import Request, State
from village_hub.cases.sos import Sos


class Eyes(StrEnum):
    """As whom: what is shown depends on it."""

    UNIT = "unit"  # that asked
    NAMED = "named"  # approver, officer, or one whose word it needs
    CUSTODIAN = "custodian"
    MEDIATOR = "mediator"
    AUDITOR = "auditor"
    OWNER = "owner"
    ASKER = "asker"  # a villager who asked


UNDECIDED = frozenset({State.DRAFT, State.FILED, State.WITHDRAWN, State.REFUSED})


def eyes(kind: Kind[Any], matter: Matter, by: Person, now: int) -> Eyes | None:
    """None: there is no such matter for them."""
    if isinstance(matter, PublicAnswer | Objection):
        return _of_its_own(matter, by)
    if by.holds(Role.AUDITOR):
        return Eyes.AUDITOR
    if by.roles:
        return _on_duty(matter, by)
    if by.key == matter.asker.key:
        return Eyes.ASKER
    if isinstance(matter, Sos):
        return _of_sos(matter, by)
    known = {name for name, since in kind.households(matter).items() if since <= now}
    return Eyes.OWNER if known & set(by.owns) else None


def _on_duty(matter: Matter, by: Person) -> Eyes | None:
    if same_unit(by, matter.asker) and is_staff(by):
        return Eyes.UNIT
    match matter:
        case Sos():
            return _of_sos(matter, by)
        case Request():
            return _of_request(matter, by)
        case Preserve() | Emergency():
            return Eyes.NAMED if fits_over(by, matter.asker) else None
        case PublicAsk():
            return Eyes.NAMED if is_staff(by) and stands_above(by, matter.asker) else None
    theirs = isinstance(matter, Concerned | Help | Dispute)
    custodian = theirs and is_custodian(by, matter.place)
    return Eyes.CUSTODIAN if custodian else None


def _of_sos(matter: Sos, by: Person) -> Eyes | None:
    """The household's own, a helper whom it listed, and the units that are called or told."""
    if by.issuer == matter.asker.issuer and by.id in matter.own:
        return Eyes.OWNER
    units = {each.id for each in (*matter.called, *matter.told) if each.kind == "unit"}
    return Eyes.NAMED if by.key in matter.people or by.unit in units else None


def _of_its_own(matter: PublicAnswer | Objection, by: Person) -> Eyes | None:
    """An answer is its household's alone (PRM-20). Whoever objected has a receipt; an objection to
    a sign that is no camera's is nobody's to see."""
    if isinstance(matter, PublicAnswer):
        return Eyes.OWNER if matter.household in by.owns else None
    if matter.camera is None:
        return None
    if mediates(by, matter):
        return Eyes.MEDIATOR
    if runs_it(by, matter):
        return Eyes.OWNER
    return Eyes.AUDITOR if by.holds(Role.AUDITOR) else None


def _of_request(request: Request, by: Person) -> Eyes | None:
    """The village sees it once it is approved; one rank up where its word on a delay is asked."""
    named = {request.terms.approver.key, *(each.key for each in request.terms.officers)}
    filed = request.state != State.DRAFT
    rank_up = by.holds(*POLICE) and stands_above(by, request.asker)
    if filed and (by.key in named or (rank_up and request.terms.delay is not None)):
        return Eyes.NAMED
    approved = request.state not in UNDECIDED and request.approved is not None
    return Eyes.CUSTODIAN if approved and is_custodian(by, request.place) else None
