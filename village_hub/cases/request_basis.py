"""What approved requests are to a decision about a camera (code R): rows to facts."""

from collections.abc import Collection

from village_hub.access.facts import RequestFacts
from village_hub.cases.request import AskedPart, Request, State
from village_hub.catalogue import matters
from village_hub.catalogue.store import Session

RUNNING = (State.APPROVED, State.ANSWERED)


def requests_about(
    session: Session, cameras: Collection[str]
) -> dict[str, tuple[RequestFacts, ...]]:
    """Those that name one of the cameras and are not over, by camera."""
    found: dict[str, tuple[RequestFacts, ...]] = {}
    for row in matters.about_cameras(session, cameras, "request"):
        request = Request.model_validate_json(row.document)
        for part in request.parts:
            if part.camera in cameras:
                found[part.camera] = (*found.get(part.camera, ()), _of_part(request, part))
    return found


def _of_part(request: Request, part: AskedPart) -> RequestFacts:
    """It opens once approved and answered; whether the approver fits was looked at then."""
    terms, approver = request.terms, request.approved_by
    return RequestFacts(
        id=request.id,
        approved=request.state in RUNNING and part.answered,
        requester=request.asker.key,
        officers=frozenset(officer.key for officer in terms.officers),
        approver=approver.key if approver else None,
        approver_fits=approver is not None,
        noticed=bool(terms.notice) and request.scan is not None,
        cameras=frozenset({part.camera}),
        begin=part.begin,
        end=part.end,
        return_by=terms.return_by,
    )
