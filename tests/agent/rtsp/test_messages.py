"""RTSP on the wire, without a network (RFC 2326)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from home_agent.rtsp.messages import (
    Event,
    Interleaved,
    Reader,
    Request,
    Response,
    RtspSyntaxError,
    write_request,
    write_response,
)

ANSWER = b"RTSP/1.0 200 OK\r\nCSeq: 3\r\nContent-Length: 5\r\nX: a\r\n b\r\n\r\nhello"


def frame(channel: int, payload: bytes) -> bytes:
    return b"$" + bytes((channel,)) + len(payload).to_bytes(2) + payload


def in_pieces(data: bytes, cuts: list[int]) -> list[Event]:
    reader, events, at = Reader(), [], 0
    for cut in [*sorted(cut % (len(data) + 1) for cut in cuts), len(data)]:
        events += reader.feed(data[at:cut])
        at = cut
    return events


@given(
    st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=60)), max_size=5),
    st.lists(st.integers(0, 1000), max_size=6),
)
def test_messages_and_frames_are_read_however_they_are_cut(
    frames: list[tuple[int, bytes]], cuts: list[int]
) -> None:
    data = ANSWER + b"".join(frame(*each) for each in frames) + ANSWER
    events = in_pieces(data, cuts)
    first, last = events[0], events[-1]
    assert isinstance(first, Response)
    assert (first.status, first.cseq, first.body) == (200, 3, b"hello")
    assert first.headers.first("x") == "a b"
    assert events[1:-1] == [Interleaved(*each) for each in frames]
    assert last == first


def test_a_request_from_the_camera_is_read() -> None:
    (request,) = Reader().feed(b"OPTIONS rtsp://x/ RTSP/1.0\r\nCSeq: 9\r\n\r\n")
    assert isinstance(request, Request)
    assert (request.method, request.headers.first("CSEQ")) == ("OPTIONS", "9")


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x01\x02",
        b"GET / HTTP/1.1\r\n\r\n",
        b"RTSP/1.0 abc OK\r\n\r\n",
        b"RTSP/1.0\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nno colon\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: 99999999\r\n\r\n",
        b"R" * 40_000,
        b"\r\n" * 40_000,
    ],
)
def test_what_is_not_rtsp_is_an_error(data: bytes) -> None:
    """DEV-11."""
    with pytest.raises(RtspSyntaxError):
        Reader().feed(data)


@given(st.binary(max_size=400))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    """DEV-11."""
    for start in (b"", ANSWER, b"RTSP/1.0 200 OK\r\n", b"$\x00\x00"):
        try:
            Reader().feed(start + data)
        except RtspSyntaxError:
            continue


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("rtsp://h/a\r\nX: y", []),
        ("rtsp://h/a b", []),
        ("rtsp://h/", [("Session", "1\r\nX: y")]),
        ("rtsp://h/\x00", []),
    ],
)
def test_no_text_breaks_out_of_its_line(url: str, headers: list[tuple[str, str]]) -> None:
    with pytest.raises(ValueError, match="holds"):
        write_request("PLAY", url, headers)


def test_an_answer_echoes_only_numbers() -> None:
    assert b"CSeq: 7" in write_response(200, "OK", "7")
    assert b"CSeq" not in write_response(200, "OK", "7\r\nX: y")
