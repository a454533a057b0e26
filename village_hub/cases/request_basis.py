"""What approved requests are to a decision about a camera (code R): rows to facts."""

from collections.abc import Iterator

from village_hub.access.facts import RequestFacts
from village_hub.cases.request import AskedPart, Request, State
from village_hub.catalogue import matters
from village_hub.catalogue.store import Session

RUNNING = (State.APPROVED, State.ANSWERED)


def requests_about(session: Session, camera: str) -> tuple[RequestFacts, ...]:
    """Those that name the camera and are not over, one for each."""
    rows = matters.about_camera(session, camera, "request")
    requests = (Request.model_validate_json(row.document) for row in rows)
    return tuple(facts for request in requests for facts in _facts(request, camera))


def _facts(request: Request, camera: str) -> Iterator[RequestFacts]:
    for part in request.parts:
        if part.camera == camera:
            yield _of_part(request, part)


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
