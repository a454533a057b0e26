"""What an operation of the API takes and gives, said once at its handler: the OpenAPI description
is made of it, and the same models validate.

    @routes.post("/api/v1/grants", name="add_grant")
    @operation(body=Wish, answer=Shown, status=201, errors=(Refused, Conflict), creates=True)
    async def add(request: web.Request) -> web.Response:
        # a docstring: one sentence, then the rest
        wish = await bodies.read(request, Wish)
        ...
        return reply(shown, status=201)

Lists take `limit` and `after` (`Paging`) and give `items` and `next`, the `after` of the next page.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypedDict, TypeVar, Unpack

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from village_hub.api.bodies import first_error
from village_hub.errors import BadRequest, HubError

H = TypeVar("H", bound=Callable[..., Any])
M = TypeVar("M", bound=BaseModel)

OPERATION = "_operation"  # the mark that `operation` leaves on a handler
NO_STORE = {"Cache-Control": "no-store"}
MOST = 200  # items of a page


class Shape(BaseModel):
    """What comes in or goes out: nothing unknown in it."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Paging(Shape):
    """Which part of a list."""

    limit: int = Field(default=50, ge=1, le=MOST)
    after: str | None = Field(default=None, max_length=200)


class Page(Shape, Generic[M]):
    """A part of a list; `next` is the `after` of the part behind it, null at the end."""

    items: list[M]
    next: str | None = None


class Listed(Protocol):
    """A row of a list that goes by ids."""

    @property
    def id(self) -> str: ...


Row = TypeVar("Row", bound=Listed)


def first_page(rows: Sequence[Row], limit: int) -> tuple[Sequence[Row], str | None]:
    """Of rows that were asked for with one more than `limit`: the page, and its `next`."""
    page = rows[:limit]
    return page, page[-1].id if len(rows) > len(page) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    body: type[BaseModel] | None = None  # application/json
    query: type[BaseModel] | None = None
    answer: type[BaseModel] | None = None  # application/json; None: no body
    status: int = 200  # 204 for operations without an answer
    content: tuple[str, ...] = ("application/json",)  # of the answer; others are not described
    also: tuple[int, ...] = ()  # further statuses that are no failures
    errors: Sequence[type[HubError]] = ()  # besides those that any operation may give
    creates: bool = False  # takes Idempotency-Key
    text: str = ""  # the media type of a body that is no JSON
    body_required: bool = True


class Said(TypedDict, total=False):
    """The fields of Operation."""

    body: type[BaseModel] | None
    query: type[BaseModel] | None
    answer: type[BaseModel] | None
    status: int
    content: tuple[str, ...]
    also: tuple[int, ...]
    errors: Sequence[type[HubError]]
    creates: bool
    text: str
    body_required: bool


def operation(**said: Unpack[Said]) -> Callable[[H], H]:
    """Mark a handler; `status` is 200 with an answer and 204 without unless said."""
    answers = said.get("answer") or said.get("content")
    said.setdefault("status", 200 if answers else 204)
    made = Operation(**said)

    def mark(handler: H) -> H:
        setattr(handler, OPERATION, made)
        return handler

    return mark


def operation_of(handler: object) -> Operation | None:
    found: Operation | None = getattr(handler, OPERATION, None)
    return found


def read_query(request: web.Request, model: type[M]) -> M:
    """The query string as `model`. Raises BadRequest that names what is wrong."""
    names = [name for name in request.query if len(request.query.getall(name)) > 1]
    if names:
        raise BadRequest(f"{names[0]} is given more than once", code="bad_query")
    try:
        return model.model_validate(dict(request.query))
    except ValidationError as error:
        raise BadRequest(first_error(error), code="bad_query") from error


def reply(shown: BaseModel, *, status: int = 200, **headers: str) -> web.Response:
    """What was asked for, as JSON that no cache keeps."""
    return web.Response(
        text=shown.model_dump_json(),
        status=status,
        content_type="application/json",
        headers={**NO_STORE, **headers},
    )


def done() -> web.Response:
    """204: it is so now."""
    return web.Response(status=204, headers=NO_STORE)
