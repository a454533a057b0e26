"""One peer that is sent to: joins a transport session to a camera's streams (a SessionHandler)."""

import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from village_core.clock import Clock
from village_core.media import rtcp
from village_core.media.arrival import Arrival
from village_core.media.ladder import Ladder, Step
from village_core.media.leg import Leg, Sending
from village_core.media.ntp import NtpTime, round_trip
from village_core.media.packet import Kind, Outlet
from village_core.media.stream import Stream
from village_core.permits import Quality

log = logging.getLogger(__name__)

STEP_EVERY = 0.25  # seconds between two looks at the ladder
REPORT_EVERY = 2.0
FIRST_REPORT = 0.1  # the first sender reports follow soon, for lip sync
LONGEST_SWITCH = 15.0  # seconds to wait for the other quality's keyframe
NUDGE_EVERY = 2.0  # seconds between keyframe requests while waiting for it


@dataclass(frozen=True, slots=True)
class ViewerStats:
    quality: Quality
    bursts: int
    packets: int
    octets: int
    repeated: int
    skipped: int
    lost: int  # as the peer reports it, whole session
    loss: float | None  # 0..1 over the last window
    round_trip: float | None  # seconds


def _nothing(viewer: "Viewer", value: str) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewerEvents:
    """What a viewer tells its owner."""

    on_want: Callable[["Viewer", Quality], None] = _nothing  # the other quality: have it pulled
    on_settled: Callable[["Viewer", Quality], None] = _nothing  # takes only this one (again)
    on_ended: Callable[["Viewer", str], None] = _nothing  # once, with the reason


class Viewer:
    """Sends one camera to one peer. Call `attach(outlet)` before the session connects.

    `streams` holds one or both qualities.
    `tick(now)` is wanted every 250 ms; the streams' own ticks do the pacing.
    """

    def __init__(
        self,
        streams: Mapping[Quality, Stream],
        sending: Mapping[Kind, Sending],
        clock: Clock,
        *,
        audio: Stream | None = None,
        quality: Quality = Quality.MAIN,
        events: ViewerEvents | None = None,
    ) -> None:
        if not streams:
            raise ValueError("a viewer needs a stream")
        self.quality = quality if quality in streams else next(iter(streams))
        self.pinned: Quality | None = None
        self.ended: str | None = None
        self.connected = False
        self._streams = dict(streams)
        self._audio = audio
        self._sending = dict(sending)
        self._clock = clock
        self._ntp = NtpTime(clock)
        self._cname = secrets.token_hex(8)
        self._events = events or ViewerEvents()
        self._outlet: Outlet | None = None
        self._legs: dict[Kind, Leg] = {}
        self._ladder = Ladder()
        self._arrival: Arrival | None = None
        self._wanted_at = self._nudged_at = 0.0
        self._report_at = 0.0
        self._step_at = 0.0
        self._lost = 0
        self._round_trip: float | None = None
        self._rate = (0, 0.0)

    def attach(self, outlet: Outlet) -> None:
        self._outlet = outlet

    # What the session calls.

    def on_connected(self) -> None:
        if self._outlet is None or self.ended is not None or self.connected:
            return
        self.connected = True
        now = self._clock.monotonic()
        self._report_at, self._step_at = now + FIRST_REPORT, now + STEP_EVERY
        self._open(Kind.AUDIO, self._audio, self._outlet)
        self._open(Kind.VIDEO, self._streams[self.quality], self._outlet)

    def on_rtp(self, packets: list[bytes], now: float) -> None:
        """A viewer sends nothing; what it sends is ignored."""

    def on_rtcp(self, compound: bytes, now: float) -> None:
        try:
            packets = rtcp.parse(compound)
        except rtcp.RtcpError as error:
            log.debug("viewer's RTCP: %s", error)
            return
        for packet in packets:
            self._heed(packet, now)

    def on_closed(self, reason: str) -> None:
        self.connected = False
        self.end(reason)

    # What the owner calls.

    def tick(self, now: float) -> None:
        if not self.connected or self.ended is not None:
            return
        if now >= self._report_at:
            spoken = self._send_reports(now)
            self._report_at = now + (REPORT_EVERY if spoken else FIRST_REPORT)
        if now >= self._step_at:
            self._step_at = now + STEP_EVERY
            self._mind_switch(now)
            self._step(now)

    def pin(self, quality: Quality | None) -> None:
        """Holds one quality; None gives the choice back. Raises ValueError if there is no such."""
        if quality is not None and quality not in self._streams:
            raise ValueError(f"this camera has no {quality} stream")
        self.pinned = quality
        if quality is not None:
            self._want(quality, self._clock.monotonic())

    def end(self, reason: str) -> None:
        """Says goodbye (RFC 3550 section 6.6) and leaves all streams; the session stays open."""
        if self.ended is not None:
            return
        self.ended = reason
        self._cancel_switch()
        for leg in self._legs.values():
            leg.leave()
        if self.connected and self._outlet is not None:
            ssrcs = tuple(leg.sending.ssrc for leg in self._legs.values())
            if ssrcs:
                self._outlet.send_rtcp(
                    rtcp.build(rtcp.ReceiverReport(ssrcs[0]), self._names(), rtcp.Bye(ssrcs))
                )
        self._events.on_ended(self, reason)

    def stats(self) -> ViewerStats:
        legs = [leg.counters for leg in self._legs.values()]
        return ViewerStats(
            quality=self.quality,
            bursts=sum(leg.bursts for leg in legs),
            packets=sum(leg.packets for leg in legs),
            octets=sum(leg.octets for leg in legs),
            repeated=sum(leg.repeated for leg in legs),
            skipped=sum(leg.skipped for leg in legs),
            lost=self._lost,
            loss=self._ladder.loss,
            round_trip=self._round_trip,
        )

    # Reports.

    def _open(self, kind: Kind, stream: Stream | None, outlet: Outlet) -> None:
        sending = self._sending.get(kind)
        if stream is None or sending is None:
            return
        self._legs[kind] = leg = Leg(stream, outlet, sending, self._failed)
        leg.join()

    def _failed(self, reason: str) -> None:
        self.connected = False  # and no goodbye can be sent
        self.end(f"sending failed: {reason}")

    def _names(self) -> rtcp.SourceDescription:
        return rtcp.SourceDescription(
            {leg.sending.ssrc: self._cname for leg in self._legs.values()}
        )

    def _send_reports(self, now: float) -> bool:
        """False when there was nothing to report yet."""
        ntp = self._ntp.at(now)
        reports = [leg.sender_report(now, ntp) for leg in self._legs.values()]
        spoken = [report for report in reports if report is not None]
        if spoken and self._outlet is not None:
            self._outlet.send_rtcp(rtcp.build(*spoken, self._names()))
        return bool(spoken)

    def _heed(self, packet: rtcp.RtcpPacket, now: float) -> None:
        match packet:
            case rtcp.ReceiverReport() | rtcp.SenderReport():
                self._heed_reports(packet.blocks, now)
            case rtcp.Nack():
                self._heed_nack(packet, now)
            case rtcp.PictureLoss():
                self._heed_picture_loss([packet.media], now)
            case rtcp.FullIntraRequest():
                self._heed_picture_loss([ssrc for ssrc, _ in packet.requests], now)
            case rtcp.BitrateLimit():
                self._heed_limit(packet.bits, now)

    def _heed_nack(self, nack: rtcp.Nack, now: float) -> None:
        if leg := self._leg_of(nack.media):
            leg.repair(nack.numbers, now)

    def _heed_picture_loss(self, ssrcs: list[int], now: float) -> None:
        for ssrc in ssrcs:
            if leg := self._leg_of(ssrc):
                leg.picture_lost(now)

    def _leg_of(self, ssrc: int) -> Leg | None:
        for leg in self._legs.values():
            if leg.sending.ssrc == ssrc:
                return leg
        return None

    def _heed_reports(self, blocks: tuple[rtcp.ReportBlock, ...], now: float) -> None:
        leg = self._legs.get(Kind.VIDEO)
        for block in blocks:
            if leg is not None and leg.sending.ssrc == block.ssrc:
                self._heed_report(block, leg.stream, now)

    def _heed_report(self, block: rtcp.ReportBlock, stream: Stream, now: float) -> None:
        rtt = round_trip(self._ntp.at(now), block.last_report, block.delay)
        if rtt is not None:
            before = self._round_trip
            self._round_trip = rtt if before is None else before + (rtt - before) / 8
        self._lost = block.lost
        # What was lost before it reached us is no fault of the viewer's line.
        self._ladder.report(block.highest, block.lost - stream.counters.lost, now)

    def _heed_limit(self, bits: int, now: float) -> None:
        octets, since = self._rate
        sent = sum(leg.counters.octets for leg in self._legs.values())
        if since and now > since:
            self._ladder.limit(bits, 8 * (sent - octets) / (now - since), now)
        if now - since >= 1.0:
            self._rate = (sent, now)

    # Quality.

    def _step(self, now: float) -> None:
        leg = self._legs.get(Kind.VIDEO)
        if leg is None:
            return
        free = self.pinned is None and self._arrival is None and len(self._streams) > 1
        step = self._ladder.step(
            now,
            leg.behind(now),
            can_go_down=free and self.quality is Quality.MAIN,
            can_go_up=free and self.quality is Quality.SUB,
        )
        if step is Step.UP:
            self._want(Quality.MAIN, now)
        elif step is Step.SKIP:
            leg.skip()
        elif step is not Step.STAY:
            leg.slow_down(now)
            if step is Step.DOWN:
                self._want(Quality.SUB, now)

    def _want(self, quality: Quality, now: float) -> None:
        if self._arrival is not None and self._arrival.stream.quality is quality:
            return
        self._cancel_switch()
        if quality is self.quality:
            return
        leg = self._legs.get(Kind.VIDEO)
        if leg is None:
            self.quality = quality  # not connected yet: begins there
            return
        log.debug("camera %s: viewer wants %s", self._streams[quality].camera, quality)
        self._events.on_want(self, quality)
        self._arrival = Arrival(leg, self._arrived)
        self._wanted_at = self._nudged_at = now
        self._streams[quality].join(self._arrival)

    def _arrived(self, stream: Stream) -> None:
        self._arrival = None
        self.quality = stream.quality
        self._ladder.moved()
        self._events.on_settled(self, self.quality)

    def _mind_switch(self, now: float) -> None:
        arrival = self._arrival
        if arrival is None:
            if self.pinned is not None:
                self._want(self.pinned, now)
            return
        if now - self._wanted_at >= LONGEST_SWITCH:
            self._cancel_switch()
        elif now - self._nudged_at >= NUDGE_EVERY:
            self._nudged_at = now
            arrival.stream.request_keyframe()

    def _cancel_switch(self) -> None:
        if self._arrival is None:
            return
        self._arrival.stream.leave(self._arrival)
        self._arrival = None
        if self.ended is None:
            self._events.on_settled(self, self.quality)
