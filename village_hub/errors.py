"""Everything that a request can be refused with: one tree, the status where the error is defined.

HubError 500
├── BadRequest 400 · Unauthorized 401 · Forbidden 403 (Refused) · NotFound 404 · TooSlow 408
├── Conflict 409 (ChildOffline) · PreconditionFailed 412 · TooLarge 413 · UnsupportedMedia 415
├── Unprocessable 422 · PreconditionRequired 428 · TooMany 429
└── BadChild 502 · Overloaded 503 · ChildTimeout 504

Raised below HTTP; `problems.render` is the only place that turns them into answers.
"""

# ruff: noqa: N818 - the names read as what happened, as in HTTP

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class HubError(Exception):
    """`code` is for programs (RFC 9457 extension member), the sentence for people."""

    status: ClassVar[int] = 500
    slug: ClassVar[str] = "internal"

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        retry_after: int | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> None:
        super().__init__(detail)
        self.code = code or self.slug
        self.retry_after = retry_after  # seconds
        self.headers = headers  # what the status asks for besides, such as Accept-Post


class BadRequest(HubError):
    status, slug = 400, "bad_request"


class Unauthorized(HubError):
    """No credentials, or none that are good here. Why exactly is only logged."""

    status, slug = 401, "unauthorized"


class Forbidden(HubError):
    status, slug = 403, "forbidden"


class Refused(Forbidden):
    """A permission decision said no; `code` is its reason code. Already audited."""

    slug = "no_basis"


class NotFound(HubError):
    """There is none, or the caller may not know of it."""

    status, slug = 404, "not_found"


class TooSlow(HubError):
    """The body takes its time; a stranger's must not keep a connection for ever."""

    status, slug = 408, "too_slow"


class Conflict(HubError):
    status, slug = 409, "conflict"


class ChildOffline(Conflict):
    """The home's box or its line is down."""

    slug = "agent_offline"


class PreconditionFailed(HubError):
    status, slug = 412, "precondition_failed"


class TooLarge(HubError):
    status, slug = 413, "too_large"


class UnsupportedMedia(HubError):
    status, slug = 415, "unsupported_media_type"


class Unprocessable(HubError):
    status, slug = 422, "unprocessable"


class PreconditionRequired(HubError):
    status, slug = 428, "precondition_required"


class TooMany(HubError):
    status, slug = 429, "too_many"


class BadChild(HubError):
    """A child answered something that makes no sense."""

    status, slug = 502, "bad_child"


class Overloaded(HubError):
    status, slug = 503, "overloaded"


class ChildTimeout(HubError):
    status, slug = 504, "agent_timeout"
