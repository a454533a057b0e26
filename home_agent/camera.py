"""One camera: its main and sub source, fed into two streams, connected even when nobody watches.

source -> Encoding -> Feeder -> Stream -> legs {push, LAN viewer}
"""

import logging
from collections.abc import Callable, Mapping

from pydantic import ValidationError

from home_agent.config import CameraConfig
from home_agent.presets import is_default_password
from home_agent.sources import (
    AccessUnit,
    Described,
    Source,
    SourceEvents,
    SourceFailure,
    SourceOptions,
)
from village_core.clock import Clock
from village_core.jobs import Supervisor
from village_core.media.feeder import Feeder
from village_core.media.packet import Kind
from village_core.media.stream import Stream
from village_core.messages import CameraNote, EncodingNote
from village_core.permits import Quality
from village_core.settings import Secret
from village_core.troubles import Trouble

log = logging.getLogger(__name__)

LIMITS = frozenset({Trouble.B_FRAMES, Trouble.CLOCK_SKEW, Trouble.NO_KEYFRAMES})
"""Troubles with which there still is a picture."""
LOCKING = frozenset({Trouble.WRONG_PASSWORD, Trouble.DEFAULT_PASSWORD})
LOCKED_PAUSE = 60.0  # seconds: many cameras lock an account after five wrong passwords
LONGEST_PAUSE = 5.0  # seconds between tries: a rebooted camera is back within 15
AUDIO_RATES = {"PCMA": 8_000, "PCMU": 8_000, "opus": 48_000}

Open = Callable[[str, SourceOptions, SourceEvents], Source]
"""`home_agent.sources.open_source` with its supervisor and clock."""


class Encoding:
    """One quality of a camera: what its source tells (`SourceEvents`), and the stream it feeds."""

    def __init__(self, camera: "Camera", quality: Quality, url: str, open_source: Open) -> None:
        self.quality = quality
        self.url = url
        self.described: Described | None = None
        self.trouble: Trouble | None = Trouble.CONNECTING
        self._camera = camera
        self._open = open_source
        self._source: Source | None = None
        self._made_for: tuple[str, SourceOptions] | None = None
        self._said = ""
        self.stream = Stream(camera.id, quality, camera.clock, self._want_keyframe)
        self._feeder = Feeder(self.stream)

    @property
    def live(self) -> bool:
        """Whether pictures arrive."""
        return self.described is not None and (self.trouble is None or self.trouble in LIMITS)

    @property
    def sentence(self) -> str:
        """The last trouble in words; empty when there is none."""
        return self._said if self.trouble is not None else ""

    async def run(self) -> None:
        """One connection, until it breaks; the supervisor begins the next."""
        try:
            await self._current_source().run()
        except SourceFailure as failure:
            self._fail(failure.trouble, failure.sentence)
        if self.trouble in LOCKING:
            await self._camera.clock.sleep(LOCKED_PAUSE)

    def _current_source(self) -> Source:
        """The same one again, which knows where it found the camera, unless it is set otherwise."""
        wanted = (self.url, self._camera.options(self.quality))
        if self._source is None or self._made_for != wanted:
            self._source, self._made_for = self._open(*wanted, self), wanted
        return self._source

    # SourceEvents

    def on_unit(self, unit: AccessUnit) -> None:
        self._feeder.feed(unit)

    def on_audio(self, payload: bytes, timestamp: int) -> None:
        self._camera.feed_audio(payload, timestamp)

    def on_described(self, described: Described) -> None:
        if described == self.described and self.trouble is None:
            return
        self.described, self.trouble = described, None
        self._said = ""
        log.info("camera %s %s: %s", self._camera.key, self.quality, in_words(described))
        self._camera.described(described)
        self._camera.changed()

    def on_trouble(self, trouble: Trouble, sentence: str) -> None:
        self._fail(trouble, sentence)

    def _fail(self, trouble: Trouble, sentence: str) -> None:
        if (trouble, sentence) != (self.trouble, self._said):
            log.warning("camera %s %s: %s", self._camera.key, self.quality, sentence)
        before, self.trouble, self._said = self.trouble, trouble, sentence
        if trouble is not before:
            self._camera.changed()

    def _want_keyframe(self) -> None:
        if self._source is not None:
            self._source.request_keyframe()

    def note(self) -> EncodingNote | None:
        """For the hub; None while nothing is known of it, or it is nothing that can be shown."""
        described = self.described
        if described is None or not self.live:
            return None
        fps = described.fps
        try:
            return EncodingNote(
                profile_level_id=described.profile_level_id,
                width=described.width,
                height=described.height,
                fps=round(fps, 2) if fps is not None and 0.01 < fps <= 240 else None,
            )
        except ValidationError:
            size = (described.width, described.height)
            log.warning("camera %s %s: no usual size: %s", self._camera.key, self.quality, size)
            return None


class Camera:
    """Both encodings and the audio of one camera. `on_change` is called when its note changes."""

    def __init__(  # noqa: PLR0913 - what a camera is
        self,
        key: str,
        name: str,
        config: CameraConfig,
        password: str | None,
        *,
        id: str,
        clock: Clock,
        on_change: Callable[[], None],
    ) -> None:
        self.id = id
        self.key = key
        self.name = name
        self.config = config
        self.clock = clock
        self.masked_in_camera = False
        self.snapshot = config.snapshot
        self.endpoint_reference = ""  # lasting ONVIF identity, once it is known
        self.audio: Stream | None = None
        self._audio_feeder: Feeder | None = None
        self._password = password
        self._on_change = on_change
        self._found_out = (Trouble.CONNECTING, "")  # before it has encodings
        self.encodings: dict[Quality, Encoding] = {}

    def start(self, urls: Mapping[Quality, str], open_source: Open, supervisor: Supervisor) -> None:
        """Connect, and stay connected until the supervisor stops; again: to other addresses."""
        if self.has_default_password:
            self.fail(Trouble.DEFAULT_PASSWORD, CHANGE_IT)
            return
        for quality, url in urls.items():
            if known := self.encodings.get(quality):
                known.url = url or known.url  # from its next connection on
            elif url:
                self.encodings[quality] = encoding = Encoding(self, quality, url, open_source)
                name = f"camera {self.key} {quality}"
                supervisor.start(name, encoding.run, longest_pause=LONGEST_PAUSE)

    def fail(self, trouble: Trouble, sentence: str) -> None:
        """Why it cannot even be begun."""
        if (trouble, sentence) != self._found_out:
            self._found_out = (trouble, sentence)
            log.warning("camera %s: %s", self.key, sentence)
            self.changed()

    @property
    def has_default_password(self) -> bool:
        """CAM-8: a camera that asks for a name is not used with a maker's or no password."""
        return bool(self.config.user) and is_default_password(
            self.config.user, self._password or ""
        )

    def options(self, quality: Quality) -> SourceOptions:
        """Audio is taken from one encoding only: the first."""
        config = self.config
        first = next(iter(self.encodings), quality)
        return SourceOptions(
            user=config.user,
            password=Secret(self._password) if self._password is not None else None,
            udp=config.udp,
            audio=config.audio and quality is first,
            transcode=config.transcode,
            mask=[] if self.masked_in_camera else config.mask,
            onvif=config.onvif,
            endpoint_reference=self.endpoint_reference,
        )

    @property
    def credentials(self) -> tuple[str, str]:
        return self.config.user, self._password or ""

    def live(self, quality: Quality) -> Encoding | None:
        encoding = self.encodings.get(quality)
        return encoding if encoding is not None and encoding.live else None

    @property
    def streams(self) -> dict[Quality, Stream]:
        """Those that have pictures now."""
        return {quality: each.stream for quality, each in self.encodings.items() if each.live}

    @property
    def online(self) -> bool:
        return any(encoding.live for encoding in self.encodings.values())

    @property
    def trouble(self) -> Trouble | None:
        """Why there is no picture, else what limits it: the main encoding's first."""
        if not self.encodings:
            return self._found_out[0]
        return next((each.trouble for each in self.encodings.values() if each.trouble), None)

    @property
    def sentence(self) -> str:
        if not self.encodings:
            return self._found_out[1]
        return next((each.sentence for each in self.encodings.values() if each.sentence), "")

    @property
    def masked(self) -> bool:
        """PRM-19: set in the camera and read back, or burned into everything it gives."""
        shown = [each.described for each in self.encodings.values() if each.described]
        return self.masked_in_camera or (bool(shown) and all(each.masked for each in shown))

    @property
    def audio_codec(self) -> str | None:
        described = [each.described for each in self.encodings.values()]
        return next((each.audio for each in described if each and each.audio), None)

    def note(self, *, privacy_off: bool) -> CameraNote:
        described = [each.described for each in self.encodings.values() if each.described]
        main, sub = self.encodings.get(Quality.MAIN), self.encodings.get(Quality.SUB)
        audio = next((each.audio for each in described if each.audio), None)
        return CameraNote(
            id=self.id,
            name=self.name,
            camera_class=self.config.class_,
            online=self.online and not privacy_off,
            trouble=Trouble.PRIVACY_OFF if privacy_off else self.trouble,
            main=main.note() if main else None,
            sub=sub.note() if sub else None,
            audio=audio,
            masked=self.masked,
            transcoded=any(each.transcoded for each in described),
        )

    def feed_audio(self, payload: bytes, timestamp: int) -> None:
        if self._audio_feeder is not None:
            self._audio_feeder.feed_audio(payload, timestamp)

    def described(self, described: Described) -> None:
        """An encoding knows what it gives: the audio's stream is there before its viewers."""
        rate = AUDIO_RATES.get(described.audio or "")
        if rate is not None and (self.audio is None or self.audio.clock_rate != rate):
            self.audio = Stream(self.id, Quality.MAIN, self.clock, kind=Kind.AUDIO, clock_rate=rate)
            self._audio_feeder = Feeder(self.audio)

    def changed(self) -> None:
        self._on_change()


CHANGE_IT = "The camera is set up with its maker's password or none: change it in the camera first."


def in_words(described: Described) -> str:
    fps = f" {described.fps:.0f} fps" if described.fps else ""
    more = " transcoded" if described.transcoded else ""
    return f"{described.codec} {described.width}x{described.height}{fps}{more}"
