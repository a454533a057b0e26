"""RTSP on the wire (RFC 2326): requests, responses and interleaved frames, without a socket."""

from dataclasses import dataclass, field
from typing import NamedTuple

MOST_HEAD = 32 * 1024  # bytes of a start line and its headers
MOST_BODY = 256 * 1024  # bytes; session descriptions are a few hundred
MOST_PAD = 64 * 1024  # bytes of stray line ends between messages
_DOLLAR = 0x24
_LINE_ENDS = b"\r\n"


class RtspSyntaxError(Exception):
    """The peer sent something that is not RTSP."""


class Headers(dict[str, list[str]]):
    """Values by lower-case name, in the order received."""

    def add(self, name: str, value: str) -> None:
        self.setdefault(name.lower(), []).append(value)

    def first(self, name: str) -> str | None:
        values = self.get(name.lower())
        return values[0] if values else None


class Interleaved(NamedTuple):
    """One binary frame of section 10.12: an RTP or RTCP packet."""

    channel: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    reason: str
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""

    @property
    def cseq(self) -> int | None:
        return _number(self.headers.first("cseq"))


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    url: str
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""


Event = Interleaved | Response | Request


def write_request(method: str, url: str, headers: list[tuple[str, str]]) -> bytes:
    """A request without body. Raises ValueError for text that would break out of its line."""
    lines = [f"{method} {url} RTSP/1.0", *(f"{name}: {value}" for name, value in headers)]
    for line in lines:
        if not line.isprintable():
            raise ValueError("a request line holds a control character")
    if " " in url:
        raise ValueError("the URL holds a space")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def write_response(status: int, reason: str, cseq: str | None) -> bytes:
    """The answer to a request that the camera sent to us."""
    echo = f"CSeq: {cseq}\r\n" if cseq and cseq.isdigit() else ""
    return f"RTSP/1.0 {status} {reason}\r\n{echo}\r\n".encode()


class Reader:
    """Turns a byte stream into events. After an RtspSyntaxError the stream is lost."""

    def __init__(self) -> None:
        self._rest = b""
        self._pad = 0

    def feed(self, data: bytes) -> list[Event]:
        """Everything that `data` completes. Raises RtspSyntaxError."""
        data = self._rest + data if self._rest else data
        events: list[Event] = []
        at, size = 0, len(data)
        while at < size:
            if data[at] == _DOLLAR:
                if size - at < 4:
                    break
                end = at + 4 + (data[at + 2] << 8 | data[at + 3])
                if end > size:
                    break
                events.append(Interleaved(data[at + 1], data[at + 4 : end]))
                at = end
            elif data[at] in _LINE_ENDS:
                at = self._skip_pad(data, at)
            else:
                message, end = _read_message(data, at)
                if message is None:
                    break
                events.append(message)
                at = end
        self._rest = data[at:]
        return events

    def _skip_pad(self, data: bytes, at: int) -> int:
        """Some cameras pad between messages with empty lines."""
        self._pad += 1
        if self._pad > MOST_PAD:
            raise RtspSyntaxError("endless empty lines")
        return at + 1


def _read_message(data: bytes, at: int) -> tuple[Request | Response | None, int]:
    end = data.find(b"\r\n\r\n", at, at + MOST_HEAD)
    if end < 0:
        _check_begun(data, at)
        return None, at
    head = data[at:end].decode("utf-8", "replace").split("\r\n")
    headers = _read_headers(head[1:])
    length = _number(headers.first("content-length") or "0")
    if length is None or length > MOST_BODY:
        raise RtspSyntaxError("the length of a body is not a number, or too large")
    start = end + 4
    if len(data) < start + length:
        return None, at
    return _start(head[0], headers, data[start : start + length]), start + length


def _check_begun(data: bytes, at: int) -> None:
    """An unfinished head is waited for only while it looks like one."""
    if len(data) - at >= MOST_HEAD:
        raise RtspSyntaxError("a message head without end")
    begun = data[at : at + 1]
    if not begun.isalpha():
        raise RtspSyntaxError(f"neither a message nor a frame: it begins with byte {begun.hex()}")


def _read_headers(lines: list[str]) -> Headers:
    headers = Headers()
    name = ""
    for line in lines:
        if line[:1] in (" ", "\t") and name:  # folded, section 15.1
            headers[name][-1] += " " + line.strip()
            continue
        name, colon, value = line.partition(":")
        name = name.strip().lower()
        if not colon or not name:
            raise RtspSyntaxError("a header line without a colon")
        headers.add(name, value.strip())
    return headers


def _start(line: str, headers: Headers, body: bytes) -> Request | Response:
    words = line.split(" ", 2)
    if words[0].startswith("RTSP/"):
        status = _number(words[1]) if len(words) > 1 else None
        if status is None or not 100 <= status <= 999:
            raise RtspSyntaxError("a status line without a status")
        return Response(status, words[2] if len(words) > 2 else "", headers, body)
    if len(words) != 3 or not words[2].startswith("RTSP/") or not words[0].isupper():
        raise RtspSyntaxError("a start line that is neither request nor response")
    return Request(words[0], words[1], headers, body)


def _number(text: str | None) -> int | None:
    if text is None or not (text.isascii() and text.isdigit() and len(text) < 10):
        return None
    return int(text)
