"""Failures to answers: the one renderer (RFC 9457; a page when a browser asks for a page)."""

import logging
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler

from village_hub.access.guard import SOURCE
from village_hub.catalogue.store import CatalogueError, DoesNotFit
from village_hub.catalogue.versions import Stale
from village_hub.errors import BadRequest, Conflict, HubError, PreconditionFailed, Unauthorized
from village_hub.pages import views

log = logging.getLogger(__name__)

CHALLENGE = 'Bearer realm="security-village"'  # RFC 6750 section 3


@web.middleware
async def render(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Outermost: whatever is raised below becomes an answer here, and nowhere else."""
    try:
        return await handler(request)
    except (HubError, Stale, DoesNotFit) as error:
        return _refuse(request, _refusal(request, error))
    except web.HTTPException as error:
        if error.status < 400:  # redirects are not failures
            raise
        return problem(request, error.status, _slug(error.status), error.reason, _kept(error))
    except CatalogueError as error:
        log.error("%s %s: %s", request.method, _route(request), error)  # noqa: TRY400
        later = {"Retry-After": "10"}
        return problem(request, 503, "database", "the hub's books cannot be used now", later)
    except (web.RequestPayloadError, ConnectionError) as error:
        log.info("%s %s: the body did not arrive: %s", request.method, _route(request), error)
        return problem(request, 400, "bad_request", "the request's body did not arrive whole")
    except Exception:
        log.exception("unhandled: %s %s", request.method, _route(request))
        return problem(request, 500, "internal", "the hub failed; its log has the cause")


def problem(
    request: web.Request,
    status: int,
    code: str,
    detail: str,
    headers: dict[str, str] | None = None,
) -> web.Response:
    """One failure, for a person or for a program."""
    if views.wants_page(request):
        return _page(request, status, code, headers or {})
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
    }
    always = {"Cache-Control": "no-store"}
    return web.json_response(
        body,
        status=status,
        headers={**always, **(headers or {})},
        content_type="application/problem+json",
    )


def _refusal(request: web.Request, error: HubError | Stale | DoesNotFit) -> HubError:
    """412 where a version came as If-Match (RFC 9110 section 13.1.1), 409 where in the body."""
    if isinstance(error, HubError):
        return error
    if isinstance(error, DoesNotFit):
        return BadRequest("a text has a character, or a number a size, that cannot be kept")
    kind = PreconditionFailed if "If-Match" in request.headers else Conflict
    now = {"ETag": f'"{error.now}"'}
    return kind("somebody changed it meanwhile: read it again", code="changed", headers=now)


def _refuse(request: web.Request, error: HubError) -> web.Response:
    headers = dict(error.headers)
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = CHALLENGE
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    if error.status >= 500:
        log.error("%s %s: %s", request.method, _route(request), error)
    else:
        _note(request, error)
    return problem(request, error.status, error.code, str(error), headers)


def _note(request: web.Request, error: HubError) -> None:
    """Who tries doors is seen in the log: what was asked of what, and why not; no value of it."""
    source = request.get(SOURCE)
    where = source.address if source else request.remote
    what = f"{error.status} {error.code}"
    log.info("%s %s from %s: refused, %s", request.method, _route(request), where, what)


def _page(request: web.Request, status: int, code: str, headers: dict[str, str]) -> web.Response:
    if status == 401 and request.method in ("GET", "HEAD"):
        return views.to_sign_in()
    response = views.error_page(request, status, code, signed_in=status != 401)
    response.headers.update(headers)
    return response


def _slug(status: int) -> str:
    return HTTPStatus(status).phrase.lower().replace(" ", "_").replace("-", "_")


def _kept(error: web.HTTPException) -> dict[str, str]:
    return {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}


def _route(request: web.Request) -> str:
    """The path as it is written in the code: the real one may hold a session's secret."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else "no route"
