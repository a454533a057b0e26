"""The transcoding child process: `python -m home_agent.sources.transcoder`, a Job as JSON in argv.

Takes frames (frames.py) of H.264 or H.265 on stdin and writes H.264 without B-frames, masks burned
in, to stdout; with audio "aac", AAC access units become Opus packets of 20 ms. Ends with its stdin.
"""

import json
import sys
from fractions import Fraction

import av
from av.video.frame import PictureType

from home_agent.sources import masking
from home_agent.sources.encoder import VIDEO_CLOCK, Ended, make_encoder, send, write
from home_agent.sources.frames import Frame, Kind, read_blocking
from home_agent.sources.job import Job
from home_agent.sources.spec import Spec
from village_core.troubles import Trouble

BITS_PER_PIXEL = 0.08
BLACK = (masking.BLACK_LUMA, masking.NEUTRAL_CHROMA, masking.NEUTRAL_CHROMA)
OPUS_RATE, OPUS_BITS = 48_000, 32_000
OPUS_FRAME = OPUS_RATE // 50  # samples: 20 ms
OPUS_LATEST = OPUS_RATE // 4  # samples that the timestamps may be off
MEDIA_ERRORS = (av.FFmpegError, ValueError)
MOST_BAD = 100  # undecodable access units in a row


class Pictures:
    """Decode, mask, encode."""

    def __init__(self, job: Job) -> None:
        self._job = job
        decoder = av.CodecContext.create(job.codec, "r")
        assert isinstance(decoder, av.VideoCodecContext)  # noqa: S101 - both codecs are one
        decoder.thread_count = 1
        self._decoder = decoder
        self._encoder: av.VideoCodecContext | None = None
        self._size = (0, 0)
        self._masks: list[list[masking.Span]] = []
        self.wanted = False
        self._bad = 0

    def take(self, frame: Frame) -> None:
        packet = av.Packet(frame.payload)
        packet.pts = frame.timestamp  # and no dts: pictures may come in another order than shown
        packet.time_base = Fraction(1, VIDEO_CLOCK)
        try:
            pictures = self._decoder.decode(packet)
        except av.FFmpegError:
            self._bad += 1
            if self._bad > MOST_BAD:
                raise
            return
        self._bad = 0
        for picture in pictures:
            self._encode(picture)

    def _encode(self, picture: av.VideoFrame) -> None:
        if (picture.width, picture.height) != self._size or self._encoder is None:
            self._encoder = self._begin(picture.width, picture.height)
        plain = picture.reformat(format="yuv420p")
        for plane, where, value in zip(plain.planes, self._masks, BLACK, strict=False):
            if where:
                dots = bytearray(bytes(plane))
                masking.fill(dots, plane.line_size, where, value)
                plane.update(bytes(dots))
        plain.pts, plain.time_base = picture.pts, self._encoder.time_base
        plain.pict_type = PictureType.I if self.wanted else PictureType.NONE
        self.wanted = False
        send(self._encoder.encode(plain))

    def _begin(self, width: int, height: int) -> av.VideoCodecContext:
        """A new encoder, for the first picture and for every other size."""
        self._size = (width, height)
        luma = masking.spans(self._job.mask, width, height)
        chroma = masking.spans(self._job.mask, (width + 1) // 2, (height + 1) // 2)
        self._masks = [luma, chroma, chroma]
        rate = max(int(width * height * self._job.fps * BITS_PER_PIXEL / 1000), 100)
        spec = Spec(kind="test", fps=self._job.fps, rate=rate, gop=2 * self._job.fps)
        return make_encoder(spec, width - width % 2, height - height % 2)


class Sound:
    """AAC access units to Opus packets."""

    def __init__(self, job: Job) -> None:
        decoder = av.CodecContext.create("aac", "r")
        assert isinstance(decoder, av.AudioCodecContext)  # noqa: S101 - aac is one
        decoder.extradata = bytes.fromhex(job.aac)
        self._decoder = decoder
        self._rate = job.aac_rate
        encoder = av.CodecContext.create("libopus", "w")
        assert isinstance(encoder, av.AudioCodecContext)  # noqa: S101 - opus is one
        encoder.sample_rate, encoder.bit_rate = OPUS_RATE, OPUS_BITS
        encoder.layout, encoder.format = "mono", "s16"
        encoder.time_base = Fraction(1, OPUS_RATE)
        encoder.options = {"application": "lowdelay", "frame_duration": "20"}
        self._encoder = encoder
        self._resampler = av.AudioResampler("s16", "mono", OPUS_RATE, frame_size=OPUS_FRAME)
        self._next: int | None = None  # the timestamp of the next packet, 48 kHz

    def take(self, frame: Frame) -> None:
        begins = frame.timestamp * OPUS_RATE // self._rate
        if self._next is None or abs(begins - self._next) > OPUS_LATEST:
            self._next = begins  # the first, or some were lost
        try:
            decoded = self._decoder.decode(av.Packet(frame.payload))
        except av.FFmpegError:
            return  # one lost syllable
        for sound in decoded:
            sound.pts = None
            for piece in self._resampler.resample(sound):
                for made in self._encoder.encode(piece):
                    write(Frame(Kind.AUDIO, self._next, bytes(made)))
                    self._next += OPUS_FRAME


def run(job: Job) -> None:
    pictures = Pictures(job)
    sound = Sound(job) if job.aac else None
    while (frame := read_blocking(sys.stdin.buffer)) is not None:
        if frame.kind in (Kind.PICTURE, Kind.KEYFRAME):
            pictures.take(frame)
        elif frame.kind is Kind.AUDIO and sound is not None:
            sound.take(frame)
        elif frame.kind is Kind.WANTED:
            pictures.wanted = True


def main() -> None:
    try:
        run(Job(**json.loads(sys.argv[1])))
    except Ended:
        return
    except MEDIA_ERRORS as error:
        sentence = f"{Trouble.UNSUPPORTED_CODEC} The picture cannot be transcoded: {error}."
        write(Frame(Kind.TROUBLE, 0, sentence.encode()))


if __name__ == "__main__":
    main()
