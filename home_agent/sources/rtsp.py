"""A camera by RTSP: plays, watches for what goes wrong, and finds it again when it moved."""

import asyncio
import logging
import secrets
from dataclasses import dataclass

from home_agent.presets import MAKERS_DEFAULT, is_default_password
from home_agent.rtsp.address import Address, read_address
from home_agent.rtsp.client import Receiving, RtspClient
from home_agent.rtsp.digest import Credentials
from home_agent.rtsp.sdp import Description, Track
from home_agent.rtsp.udp import Order
from home_agent.sources.contract import AudioCodec, SourceEvents, SourceFailure, SourceOptions
from home_agent.sources.intake import AudioIntake, VideoIntake, clock_skew_ms
from home_agent.sources.observer import Observer
from home_agent.sources.timeline import Timeline
from village_core.clock import Clock
from village_core.troubles import Trouble

log = logging.getLogger(__name__)

REPORT_EVERY = 5.0  # seconds between receiver reports (RFC 3550 section 6.2)
LOOK_EVERY = 1.0  # seconds between looks at what may have stopped
SHORTEST_LOCKOUT_PAUSE, LONGEST_LOCKOUT_PAUSE = 30.0, 1800.0
_AUDIO: dict[str, AudioCodec] = {"PCMA": "PCMA", "PCMU": "PCMU", "OPUS": "opus"}
_PASSWORD_TROUBLES = (Trouble.WRONG_PASSWORD, Trouble.DEFAULT_PASSWORD)
H265_SENTENCE = (
    "The camera sends H.265 only, which most browsers do not play: set it (or its second stream)"
    " to H.264, or switch transcoding on."
)


@dataclass(slots=True)
class _Playing:
    """What one connection set up."""

    video: VideoIntake
    receivings: list[tuple[Receiving, VideoIntake | AudioIntake]]
    keep_alive_at: float
    report_at: float


class RtspSource:
    """rtsp:// and rtsps://; see contract.Source."""

    def __init__(
        self, url: str, options: SourceOptions, events: SourceEvents, clock: Clock
    ) -> None:
        credentials = None
        if options.user:
            password = options.password.reveal() if options.password else ""
            credentials = Credentials(options.user, password)
        self._address = read_address(url, credentials)
        self._options = options
        self._events = events
        self._clock = clock
        self._observer = Observer(events, clock)
        self._video_time = Timeline(90_000, clock)
        self._audio_time: Timeline | None = None
        self._refusals = 0
        self._ssrc = secrets.randbits(32)

    @property
    def name(self) -> str:
        return self._address.url

    def request_keyframe(self) -> None:
        """RTSP has no way to ask; cameras send keyframes by themselves."""

    async def run(self) -> None:
        try:
            await self._play(self._address)
        except SourceFailure as failure:
            self._events.on_trouble(failure.trouble, failure.sentence)
            if failure.trouble in _PASSWORD_TROUBLES:
                await self._pause_for_lockout()
            raise

    async def _pause_for_lockout(self) -> None:
        """Cameras lock an account after a handful of wrong passwords: ask ever more rarely."""
        pause = min(SHORTEST_LOCKOUT_PAUSE * 2**self._refusals, LONGEST_LOCKOUT_PAUSE)
        self._refusals += 1
        await self._clock.sleep(pause)

    async def _play(self, address: Address) -> None:
        _refuse_default_password(address)
        self._observer.restart()
        client = RtspClient(address)
        try:
            async with asyncio.timeout(4 * self._options.stalled_after):
                description = await client.describe()
                playing = await self._set_up(client, description)
                await client.play(description)
            self._refusals = 0
            await self._watch(client, playing)
        except TimeoutError as error:
            raise SourceFailure(
                Trouble.STALLED, "The camera takes too long to begin to play."
            ) from error
        finally:
            await client.close()

    async def _set_up(self, client: RtspClient, description: Description) -> _Playing:
        track = video_track(description)
        self._video_time.restart()
        self._observer.frame_rate = track.frame_rate
        intake = VideoIntake(
            track.payload_type, track.parameter_sets, self._video_time, self._observer.take
        )
        now = self._clock.monotonic()
        playing = _Playing(intake, [], now + client.keep_alive_every, now + REPORT_EVERY)
        await self._add(client, playing, track, intake)
        await self._set_up_audio(client, description, playing)
        return playing

    async def _set_up_audio(
        self, client: RtspClient, description: Description, playing: _Playing
    ) -> None:
        track = description.first("audio") if self._options.audio else None
        codec = _AUDIO.get(track.codec) if track else None
        self._observer.audio = codec
        if track is None or codec is None:
            return
        if self._audio_time is None:
            self._audio_time = Timeline(track.clock_rate, self._clock)
        self._audio_time.restart()
        intake = AudioIntake(track.payload_type, self._audio_time, self._events.on_audio)
        await self._add(client, playing, track, intake)

    async def _add(
        self,
        client: RtspClient,
        playing: _Playing,
        track: Track,
        intake: VideoIntake | AudioIntake,
    ) -> None:
        on_rtp = Order(intake.take).take if self._options.udp else intake.take
        on_rtcp = self._on_rtcp if isinstance(intake, VideoIntake) else _pass_over
        receiving = Receiving(on_rtp, on_rtcp)
        await client.set_up(track, receiving, udp=self._options.udp)
        playing.receivings.append((receiving, intake))

    def _on_rtcp(self, compound: bytes) -> None:
        self._observer.tell_skew(clock_skew_ms(compound, self._clock))

    async def _watch(self, client: RtspClient, playing: _Playing) -> None:
        """Until the camera is lost or stalls: raises SourceFailure."""
        began = self._clock.monotonic()
        lost = client.connection.lost
        no_keyframes_told = False
        while True:
            await asyncio.wait([lost], timeout=LOOK_EVERY)
            if lost.done():
                raise lost.result()
            now = self._clock.monotonic()
            self._check_for_stall(now - (self._observer.last_unit or began))
            if now - (self._observer.last_keyframe or began) < self._options.keyframe_within:
                no_keyframes_told = False
            elif not no_keyframes_told:
                no_keyframes_told = True
                self._tell_no_keyframes()
            await self._tend(client, playing, now)

    def _check_for_stall(self, silence: float) -> None:
        if silence > self._options.stalled_after:
            raise SourceFailure(
                Trouble.STALLED, f"The camera is connected but sent no picture for {silence:.0f} s."
            )

    def _tell_no_keyframes(self) -> None:
        self._events.on_trouble(
            Trouble.NO_KEYFRAMES,
            f"The camera sent no keyframe for {self._options.keyframe_within:.0f} s: set its"
            " keyframe (I-frame) interval to 2 s.",
        )

    async def _tend(self, client: RtspClient, playing: _Playing, now: float) -> None:
        """What the session needs to live on."""
        if now >= playing.keep_alive_at:
            playing.keep_alive_at = now + client.keep_alive_every
            await client.keep_alive()
        if now >= playing.report_at:
            playing.report_at = now + REPORT_EVERY
            for receiving, intake in playing.receivings:
                if report := intake.numbers.report(self._ssrc):
                    client.report(receiving, report)


def video_track(description: Description) -> Track:
    """The H.264 track. Raises SourceFailure that says what there is instead."""
    tracks = [track for track in description.tracks if track.kind == "video"]
    track = next((track for track in tracks if track.codec == "H264"), None)
    if track is not None:
        return track
    if any(track.codec in ("H265", "HEVC") for track in tracks):
        raise SourceFailure(Trouble.H265_ONLY, H265_SENTENCE)
    if tracks:
        codec = tracks[0].codec[:20] or "an unnamed codec"
        raise SourceFailure(
            Trouble.UNSUPPORTED_CODEC, f"The camera sends {codec}: set it to H.264."
        )
    raise SourceFailure(Trouble.NO_STREAM, "The camera offers no video at this address.")


def _refuse_default_password(address: Address) -> None:
    """CAM-8."""
    account = address.credentials
    if account is not None and is_default_password(account.user, account.password):
        raise SourceFailure(Trouble.DEFAULT_PASSWORD, MAKERS_DEFAULT)


def _pass_over(packet: bytes) -> None:
    """Reports of a track whose clock is not looked at."""
