"""One uplink's conversation, without a socket: requests out, answers in, in any order.

Revocations (DELETE) go before anything else that waits to be sent; a request whose asker has gone
is cancelled, or never sent if it still waits.
"""

import json
from collections import deque
from dataclasses import dataclass

from pydantic import ValidationError

from village_core.messages import LARGEST_FRAME, Answer, Cancel, Hello, Message, Request

MOST_WAITING = 256  # requests without an answer


class LinkError(Exception):
    """The child broke the protocol; `close` is the WebSocket close code, the text its reason."""

    def __init__(self, close: int, reason: str) -> None:
        super().__init__(reason)
        self.close = close


class LinkFull(Exception):  # noqa: N818 - a state
    """The child owes too many answers already."""


BAD_MESSAGE = 1007  # RFC 6455 section 7.4.1: data that is not what it should be


@dataclass(slots=True)
class _Waiting:
    request: Request
    sent: bool = False


class Link:
    """The parent's half of one connection."""

    def __init__(self) -> None:
        self._first: deque[Message] = deque()
        self._then: deque[Message] = deque()
        self._waiting: dict[str, _Waiting] = {}

    def greet(self, hello: Hello) -> None:
        self._first.appendleft(hello)

    def ask(self, request: Request) -> None:
        """Queue a request. Raises LinkFull; ValueError when it is over 64 KiB."""
        if len(self._waiting) >= MOST_WAITING and request.method != "DELETE":
            raise LinkFull("too many requests wait for an answer")
        if len(request.model_dump_json().encode()) > LARGEST_FRAME:
            raise ValueError("a request over 64 KiB cannot go through the uplink")
        self._waiting[request.id] = _Waiting(request)
        (self._first if request.method == "DELETE" else self._then).append(request)

    def forget(self, request_id: str) -> None:
        """Nobody waits for this answer any more."""
        waiting = self._waiting.pop(request_id, None)
        if waiting is None:
            return
        if waiting.sent:
            self._first.append(Cancel(cancel=request_id))
        elif waiting.request in self._then:
            self._then.remove(waiting.request)

    def next_frame(self) -> str | None:
        """What to send now, None when there is nothing."""
        if not self._first and not self._then:
            return None
        message = (self._first or self._then).popleft()
        if isinstance(message, Request) and message.id in self._waiting:
            self._waiting[message.id].sent = True
        return message.model_dump_json()

    def feed(self, frame: str) -> Answer | None:
        """A frame of the child's: the answer somebody waits for, or None (it came too late).

        Raises LinkError for anything that is no answer of this version.
        """
        try:
            answer = Answer.model_validate_json(frame)
        except ValidationError as error:
            raise LinkError(BAD_MESSAGE, refusal_of(frame)) from error
        return answer if self._waiting.pop(answer.id, None) else None


def refusal_of(frame: str) -> str:
    """Why a frame is no answer, short enough for a close frame (RFC 6455 5.5: 123 bytes)."""
    try:
        said = json.loads(frame)
    except (ValueError, RecursionError):
        return "a frame is to be one JSON object"
    if not isinstance(said, dict):
        return "a frame is to be one JSON object"
    names = ", ".join(sorted(name for name in said if name.isascii()))[:60]
    return f"no answer of version 1, but: {names or 'nothing'}"
