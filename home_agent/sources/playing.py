"""One connection to a camera, set up: its tracks, their intakes, and a transcoder if needed."""

from dataclasses import dataclass, field
from typing import Protocol

from home_agent.rtsp.client import OnPacket, Receiving, RtspClient
from home_agent.rtsp.sdp import Description, Track
from home_agent.rtsp.udp import Order
from home_agent.sources.aac import AacIntake, read_format
from home_agent.sources.contract import (
    AudioCodec,
    SourceEvents,
    SourceFailure,
    SourceOptions,
)
from home_agent.sources.hevc import HevcIntake
from home_agent.sources.intake import AudioIntake, Numbers, VideoIntake, clock_skew_ms
from home_agent.sources.job import Job
from home_agent.sources.observer import Observer
from home_agent.sources.timeline import Timeline
from home_agent.sources.transcode import Transcoder
from village_core.clock import Clock
from village_core.troubles import Trouble

_AUDIO: dict[str, AudioCodec] = {"PCMA": "PCMA", "PCMU": "PCMU", "OPUS": "opus"}
_HEVC = ("H265", "HEVC")
DEFAULT_FPS = 25
H265_SENTENCE = (
    "The camera sends H.265 only, which most browsers do not play: set it (or its second stream)"
    " to H.264, or switch transcoding on."
)


class Intake(Protocol):
    numbers: Numbers

    def take(self, data: bytes) -> None: ...


@dataclass(slots=True)
class Plan:
    """What is to be played, decided from the session description."""

    video: Track
    audio: Track | None
    audio_codec: AudioCodec | None
    job: Job | None  # for the transcoder
    video_through_it: bool

    @property
    def hevc(self) -> bool:
        return self.video.codec in _HEVC


def make_plan(description: Description, options: SourceOptions, *, plain: bool) -> Plan:
    """`plain`: the pictures have B-frames, to be transcoded away where that is switched on.

    Raises SourceFailure that says what there is instead of H.264.
    """
    video = video_track(description, hevc=options.transcode)
    hevc = video.codec in _HEVC
    through = options.transcode and (hevc or plain or bool(options.mask))
    audio, codec, config, rate = _audio(description, options)
    job = None
    if through or config:
        job = Job(
            codec="hevc" if hevc else "h264",
            fps=round(video.frame_rate or DEFAULT_FPS),
            mask=options.mask,
            aac=config,
            aac_rate=rate,
        )
    return Plan(video, audio, codec, job, through)


def video_track(description: Description, *, hevc: bool) -> Track:
    """The H.264 track; with `hevc` else the H.265 one. Raises SourceFailure."""
    tracks = [track for track in description.tracks if track.kind == "video"]
    for track in tracks:
        if track.codec == "H264":
            return track
    for track in tracks:
        if track.codec in _HEVC:
            if hevc:
                return track
            raise SourceFailure(Trouble.H265_ONLY, H265_SENTENCE)
    if tracks:
        codec = tracks[0].codec[:20] or "an unnamed codec"
        raise SourceFailure(
            Trouble.UNSUPPORTED_CODEC, f"The camera sends {codec}: set it to H.264."
        )
    raise SourceFailure(Trouble.NO_STREAM, "The camera offers no video at this address.")


def _audio(
    description: Description, options: SourceOptions
) -> tuple[Track | None, AudioCodec | None, str, int]:
    """The track, how it leaves, and for AAC its AudioSpecificConfig and rate (CAM-11)."""
    track = description.first("audio") if options.audio else None
    if track is None:
        return None, None, "", 0
    if track.codec in _AUDIO:
        return track, _AUDIO[track.codec], "", 0
    form = read_format(track.parameters) if track.codec == "MPEG4-GENERIC" else None
    if form is not None and options.transcode:
        return track, "opus", form.config, track.clock_rate
    return None, None, "", 0


@dataclass(slots=True)
class Timelines:
    """Kept through reconnections."""

    clock: Clock
    video: Timeline = field(init=False)
    audio: dict[int, Timeline] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.video = Timeline(90_000, self.clock)

    def of_audio(self, rate: int) -> Timeline:
        return self.audio.setdefault(rate, Timeline(rate, self.clock))


@dataclass(slots=True)
class Playing:
    """The tracks of one connection."""

    plan: Plan
    observer: Observer
    timelines: Timelines
    events: SourceEvents
    transcoder: Transcoder | None = None
    intakes: list[tuple[Receiving, Intake]] = field(default_factory=list)

    async def set_up(self, client: RtspClient, *, udp: bool) -> None:
        """Starts the transcoder and sets the tracks up. Raises SourceFailure."""
        plan = self.plan
        self.observer.audio = plan.audio_codec
        self.observer.frame_rate = plan.video.frame_rate
        self.observer.transcoded = plan.video_through_it
        self.observer.masked = bool(plan.video_through_it and plan.job and plan.job.mask)
        if plan.job is not None:
            self.transcoder = Transcoder(plan.job, self.observer.take, self.events.on_audio)
            await self.transcoder.begin()
        await self._add(client, plan.video, self._video_intake(), self._on_rtcp, udp=udp)
        if plan.audio is not None:
            await self._add(client, plan.audio, self._audio_intake(plan.audio), _ignore, udp=udp)

    async def end(self) -> None:
        if self.transcoder is not None:
            await self.transcoder.end()

    def _video_intake(self) -> Intake:
        track, timeline = self.plan.video, self.timelines.video
        timeline.restart()
        numbers = Numbers(track.payload_type)
        through = self.transcoder if self.plan.video_through_it else None
        if self.plan.hevc and through is not None:
            return HevcIntake(
                numbers,
                track.hevc_parameter_sets,
                timeline,
                lambda nals, at, key: through.picture(nals, at, keyframe=key),
            )
        if through is not None:
            return VideoIntake(
                numbers,
                track.parameter_sets,
                timeline,
                lambda unit: through.picture(unit.nals, unit.timestamp, keyframe=unit.keyframe),
            )
        return VideoIntake(numbers, track.parameter_sets, timeline, self.observer.take)

    def _audio_intake(self, track: Track) -> Intake:
        timeline = self.timelines.of_audio(track.clock_rate)
        timeline.restart()
        numbers = Numbers(track.payload_type)
        form = read_format(track.parameters)
        if track.codec not in _AUDIO and form is not None and self.transcoder is not None:
            return AacIntake(numbers, form, timeline, self.transcoder.sound)
        return AudioIntake(numbers, timeline, self.events.on_audio)

    async def _add(
        self, client: RtspClient, track: Track, intake: Intake, on_rtcp: OnPacket, *, udp: bool
    ) -> None:
        receiving = Receiving(Order(intake.take).take if udp else intake.take, on_rtcp)
        await client.set_up(track, receiving, udp=udp)
        self.intakes.append((receiving, intake))

    def _on_rtcp(self, compound: bytes) -> None:
        self.observer.tell_skew(clock_skew_ms(compound, self.timelines.clock))


def _ignore(packet: bytes) -> None:
    """Reports of a track whose clock is not looked at."""
