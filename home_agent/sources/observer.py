"""Watches a source's pictures go by: what they are, and what is wrong with them."""

from dataclasses import dataclass, field, replace

from home_agent.sources.contract import (
    AccessUnit,
    AudioCodec,
    Described,
    SourceEvents,
)
from village_core.clock import Clock
from village_core.media import h264
from village_core.media.sps import Sps, parse_sps
from village_core.troubles import Trouble

LOOKED_AT = 200  # pictures after a change in which B slices are looked for
WORST_SKEW_MS = 5_000  # milliseconds; the picture's own clock is then misleading
SKEW_STEP_MS = 1_000  # a smaller change is not told again
B_FRAMES = (
    "The camera sends B-frames, which browsers show badly: switch them off in the camera"
    " (profile Baseline, or H.264+ and smart coding off), or use its other stream."
)


@dataclass(slots=True)
class Observer:
    """Hands units on to `events`, describing them before the first and at every change."""

    events: SourceEvents
    clock: Clock
    audio: AudioCodec | None = None
    frame_rate: float | None = None  # what the session description says
    transcoded: bool = False
    masked: bool = False
    last_unit: float | None = None  # monotonic
    last_keyframe: float | None = None
    described: Described | None = None
    _sps: bytes = b""
    _left: int = 0
    _skew: int | None = field(default=None)

    def take(self, unit: AccessUnit) -> None:
        """One picture. Those before the first keyframe are not handed on."""
        self.last_unit = now = self.clock.monotonic()
        if unit.keyframe:
            self.last_keyframe = now
            self._look_at_sps(unit.nals)
        if self.described is None:
            return
        if self._left:
            self._look_for_b_slices(unit.nals)
        self.events.on_unit(unit)

    def restart(self) -> None:
        """The source begins anew: what comes is described again."""
        self.described, self._sps, self._skew = None, b"", None
        self.last_unit = self.last_keyframe = None

    def tell_skew(self, milliseconds: int | None) -> None:
        """The camera's clock minus ours."""
        before, self._skew = self._skew, milliseconds
        if milliseconds is None or self.described is None:
            return
        if before is None or abs(milliseconds - before) >= SKEW_STEP_MS:
            self._tell(replace(self.described, clock_skew_ms=milliseconds))

    def _look_at_sps(self, nals: list[bytes]) -> None:
        nal = next((nal for nal in nals if h264.nal_type(nal) == h264.SPS), None)
        if nal is None or nal == self._sps:
            return
        try:
            sps = parse_sps(nal)
        except ValueError as error:
            self.events.on_trouble(
                Trouble.PROTOCOL, f"The camera describes its picture wrongly: {error}."
            )
            return
        self._sps = nal
        self._left = 0 if sps.max_num_reorder == 0 else LOOKED_AT
        self._tell(self._describe(sps))

    def _describe(self, sps: Sps) -> Described:
        return Described(
            codec="H264",
            profile_level_id=sps.profile_level_id,
            width=sps.width,
            height=sps.height,
            fps=sps.fps or self.frame_rate,
            has_b_frames=False,
            audio=self.audio,
            clock_skew_ms=self._skew,
            transcoded=self.transcoded,
            masked=self.masked,
        )

    def _look_for_b_slices(self, nals: list[bytes]) -> None:
        self._left -= 1
        if self.described is not None and h264.has_b_slices(nals):
            self._left = 0
            self._tell(replace(self.described, has_b_frames=True))

    def _tell(self, described: Described) -> None:
        """The description, and after it what limits the picture."""
        self.described = described
        self.events.on_described(described)
        if described.has_b_frames:
            self.events.on_trouble(Trouble.B_FRAMES, B_FRAMES)
        skew = described.clock_skew_ms
        if skew is not None and abs(skew) >= WORST_SKEW_MS:
            self.events.on_trouble(Trouble.CLOCK_SKEW, skew_sentence(skew))


def skew_sentence(milliseconds: int) -> str:
    """The camera's clock minus ours, in words."""
    seconds = (abs(milliseconds) + 500) // 1000
    amount = f"{seconds // 60} min {seconds % 60} s" if seconds < 7200 else f"{seconds // 3600} h"
    way = "ahead" if milliseconds > 0 else "behind"
    return f"The camera's clock is {amount} {way}: let it set itself by NTP."
