"""What the child processes do, done in this process: quick, and its lines are counted."""

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import av
import pytest

from home_agent.sources import encoder, frames, transcoder
from home_agent.sources.encoder import Ended
from home_agent.sources.frames import Frame, Kind
from home_agent.sources.job import Job
from home_agent.sources.pattern import Reading, blocks, clock_text, read_blocks, read_plane
from home_agent.sources.spec import Spec, read_spec
from tests.agent.sources.test_file_source import film
from tests.cameras import clips
from village_core.clock import SYSTEM_CLOCK
from village_core.media import h264

SMALL = read_spec("test", "", "size=320x180&fps=25&rate=200&gop=25")
CLIP = clips.Clip(width=320, height=180, rate=200, seconds=1)
HEVC = clips.Clip(width=320, height=180, rate=200, seconds=1, hevc=True)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[Frame]:
    kept: list[Frame] = []
    monkeypatch.setattr(encoder, "write", kept.append)
    monkeypatch.setattr(transcoder, "write", kept.append)
    return kept


def turns(count: int, asked: int = -1) -> Iterator[bool]:
    """What `wait_until` says: `count` pictures, one of them asked to be a keyframe."""
    for number in range(count):
        yield number == asked
    raise Ended


def paced(monkeypatch: pytest.MonkeyPatch, count: int, asked: int = -1) -> None:
    turn = turns(count, asked)

    def wait(_: float) -> bool:
        try:
            return next(turn)
        except RuntimeError as error:  # what a generator makes of our exception
            raise Ended from error

    monkeypatch.setattr(encoder, "wait_until", wait)


def pictures(written: list[Frame]) -> list[av.VideoFrame]:
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    found: list[av.VideoFrame] = []
    for each in written:
        if each.kind in (Kind.PICTURE, Kind.KEYFRAME):
            found += decoder.decode(av.Packet(each.payload))
    return found + decoder.decode(None)


def test_the_pattern_is_encoded_with_its_clock_and_a_keyframe_on_demand(
    monkeypatch: pytest.MonkeyPatch, written: list[Frame]
) -> None:
    paced(monkeypatch, 12, asked=7)
    with pytest.raises(Ended):
        encoder.run_test(SMALL)
    assert [n for n, each in enumerate(written) if each.kind is Kind.KEYFRAME] == [0, 7]
    assert [each.timestamp for each in written] == [3600 * n for n in range(12)]
    for number, picture in enumerate(pictures(written)):
        luma = picture.planes[0]
        reading = read_plane(bytes(luma), picture.width, picture.height, luma.line_size)
        assert reading
        assert reading.number == number


def test_a_damaged_clock_is_not_read() -> None:
    rows = blocks(7, 1_750_000_000_123)
    cells = {(row, col): rows[row] >> (31 - col) & 1 for row in range(3) for col in range(32)}

    def luma(x: float, y: float) -> int:
        return 255 * cells[int(y * 36), int(x * 32)]

    assert read_blocks(luma) == Reading(7, 1_750_000_000_123)
    cells[1, 5] ^= 1
    assert read_blocks(luma) is None
    assert clock_text(1_750_000_000_123) == "2025-06-15 15:06:40.123"


def test_a_film_is_played_again_from_its_start(
    monkeypatch: pytest.MonkeyPatch, written: list[Frame], tmp_path: Path
) -> None:
    paced(monkeypatch, 60)
    with pytest.raises(Ended):
        encoder.run_movie(Spec(kind="movie", path=str(film(tmp_path))))
    assert [n for n, each in enumerate(written) if each.kind is Kind.KEYFRAME] == [0, 25, 50]
    assert all(h264.split_annex_b(each.payload) for each in written)


def test_a_film_that_holds_no_h264_is_refused(written: list[Frame]) -> None:
    with pytest.raises(ValueError, match="not H\\.264"):
        encoder.run_movie(Spec(kind="movie", path=str(HEVC.make())))


def test_a_childs_trouble_is_its_last_frame(
    monkeypatch: pytest.MonkeyPatch, written: list[Frame]
) -> None:
    spec = Spec(kind="movie", path="/no/such.mp4")
    monkeypatch.setattr("sys.argv", ["encoder", json.dumps(spec.as_dict())])
    encoder.main()
    assert written[-1].kind is Kind.TROUBLE
    assert written[-1].payload.startswith(b"no_stream /no/such.mp4 cannot be used")


def test_a_child_ends_with_its_pipes(monkeypatch: pytest.MonkeyPatch) -> None:
    inside, outside = os.pipe()
    monkeypatch.setattr(encoder, "STDIN", inside)
    os.write(outside, b"k")
    assert encoder.wait_until(0) is True
    assert encoder.wait_until(0) is False
    os.close(outside)
    with pytest.raises(Ended):
        encoder.wait_until(SYSTEM_CLOCK.monotonic() + 60)
    os.close(inside)
    unread, full = os.pipe()
    os.close(unread)
    monkeypatch.setattr(encoder, "STDOUT", full)
    with pytest.raises(Ended):
        encoder.write(Frame(Kind.PICTURE, 0, b"x"))
    os.close(full)


def fed(monkeypatch: pytest.MonkeyPatch, sent: list[Frame]) -> None:
    stdin = io.BytesIO(b"".join(map(frames.pack, sent)))
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=stdin))


def units(clip: clips.Clip) -> list[Frame]:
    """The clip's access units, each at its own time."""
    shown = json.loads(clip.make().with_suffix(".json").read_text())["shown"]
    mark = b"\0\0\0\1\x46\x01" if clip.hevc else b"\0\0\0\1\x09"
    parts = clip.make().read_bytes().split(mark)[1:]
    return [
        Frame(Kind.PICTURE, place * 3600, mark + part)
        for part, place in zip(parts, shown, strict=True)
    ]


@pytest.mark.parametrize("clip", [CLIP, HEVC], ids=["h264", "hevc"])
def test_pictures_are_transcoded_and_masked(
    monkeypatch: pytest.MonkeyPatch, written: list[Frame], clip: clips.Clip
) -> None:
    sent = units(clip)
    fed(monkeypatch, [*sent[:15], Frame(Kind.WANTED, 0, b""), *sent[15:]])
    whole = [[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]]
    transcoder.run(Job(codec="hevc" if clip.hevc else "h264", mask=whole))
    keyframes = [n for n, each in enumerate(written) if each.kind is Kind.KEYFRAME]
    assert keyframes[0] == 0
    assert len(keyframes) == 2
    for picture in pictures(written):
        assert max(bytes(picture.planes[0])) < 40


def test_what_does_not_decode_is_passed_over_and_too_much_of_it_ends_the_child(
    monkeypatch: pytest.MonkeyPatch, written: list[Frame]
) -> None:
    rubbish = Frame(Kind.PICTURE, 0, b"\0\0\0\1\x65" + bytes(range(200)))
    fed(monkeypatch, [rubbish] * 5 + units(CLIP)[:5])
    monkeypatch.setattr("sys.argv", ["transcoder", "{}"])
    transcoder.main()
    assert written[0].kind is Kind.KEYFRAME
    fed(monkeypatch, [rubbish] * 200)
    transcoder.main()
    assert written[-1].kind is Kind.TROUBLE
