"""One peer that sends to us: its RTP becomes bursts of streams (a SessionHandler)."""

import logging
import secrets
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from village_core.clock import Clock
from village_core.media import rtcp
from village_core.media.ntp import NtpTime
from village_core.media.packet import Kind, Outlet
from village_core.media.receiver import Receiver
from village_core.media.receiving import Receiving
from village_core.media.stream import Inlet, Stream

log = logging.getLogger(__name__)

REPORT_EVERY = 1.0  # seconds
BELIEVED = 1.0  # seconds that a sender report may be away from what arrives
MOST_NACKED = 250  # numbers in one NACK, so that it fits a datagram however they scatter
STALLED_AFTER = 3.0  # seconds without RTP: the owner issues a new ticket


@dataclass(slots=True)
class _Source:
    kind: Kind
    receiver: Receiver
    inlet: Inlet
    stream: Stream
    said: tuple[int, float, int] = (0, 0.0, -1)  # timestamp, when taken, after how many restarts


class Publisher:
    """Feeds streams from one session. Call `attach(outlet)` before the session connects.

    `tick(now)` is wanted every 5 ms while `restless` (`on_restless` tells so), else every 250 ms.
    `on_first` is called with the first RTP packet, `on_stalled` once when none came for
    STALLED_AFTER (and again after the next stall), `on_ended` once.
    """

    def __init__(  # noqa: PLR0913 - what it tells its owner
        self,
        streams: Mapping[Kind, Stream],
        receiving: Mapping[Kind, Receiving],
        clock: Clock,
        *,
        on_first: Callable[["Publisher"], None] | None = None,
        on_stalled: Callable[["Publisher"], None] | None = None,
        on_ended: Callable[["Publisher", str], None] | None = None,
        on_restless: Callable[[], None] | None = None,
    ) -> None:
        self.ssrc = secrets.randbits(32)
        self.ended: str | None = None
        self.connected = False
        self.first_packet_at: float | None = None
        self.last_packet_at: float | None = None
        self._clock = clock
        self._ntp = NtpTime(clock)
        self._outlet: Outlet | None = None
        self._names = rtcp.SourceDescription({self.ssrc: secrets.token_hex(8)})
        self._on_first, self._on_stalled, self._on_ended = on_first, on_stalled, on_ended
        self._on_restless = on_restless
        self._sources: list[_Source] = []
        self._by_type: dict[int, _Source] = {}
        self._delays: deque[float] = deque(maxlen=16)
        self._report_at = 0.0
        self._heard_at: float | None = None  # or since when we wait
        for kind, how in receiving.items():
            self._add(kind, how, streams[kind])

    @property
    def receivers(self) -> dict[Kind, Receiver]:
        return {source.kind: source.receiver for source in self._sources}

    @property
    def replaced(self) -> bool:
        """Whether another source has taken over one of its streams."""
        return any(
            source.inlet.shut and source.receiver.ssrc is not None for source in self._sources
        )

    def attach(self, outlet: Outlet) -> None:
        self._outlet = outlet

    # What the session calls.

    def on_connected(self) -> None:
        self.connected = True
        self._heard_at = self._clock.monotonic()

    def on_rtp(self, packets: list[bytes], now: float) -> None:
        if self.ended is not None:
            return
        if self.first_packet_at is None:
            self.first_packet_at = now
            if self._on_first is not None:
                self._on_first(self)
        self.last_packet_at = self._heard_at = now
        if len(self._sources) == 1:
            self._take(self._sources[0], packets, now)
        else:
            by_type = self._by_type
            for source in self._sources:
                own = [d for d in packets if len(d) > 1 and by_type.get(d[1] & 0x7F) is source]
                if own:
                    self._take(source, own, now)
        self._send_nacks()
        if self._on_restless is not None and self.restless:
            self._on_restless()

    def on_rtcp(self, compound: bytes, now: float) -> None:
        try:
            packets = rtcp.parse(compound)
        except rtcp.RtcpError as error:
            log.debug("publisher's RTCP: %s", error)
            return
        for packet in packets:
            if isinstance(packet, rtcp.SenderReport):
                self._heed_report(packet, now)

    def on_closed(self, reason: str) -> None:
        self.end(reason)

    # What the owner calls.

    @property
    def restless(self) -> bool:
        """Whether a burst is open or a packet is missing: ticks are wanted every 5 ms."""
        return any(source.receiver.restless for source in self._sources)

    def tick(self, now: float) -> None:
        if self.ended is not None:
            return
        for source in self._sources:
            source.receiver.tick(now)
        self._send_nacks()
        if now >= self._report_at:
            self._report_at = now + REPORT_EVERY
            self._send_reports(now)
        if self._heard_at is not None and now - self._heard_at >= STALLED_AFTER:
            self._heard_at = None
            if self._on_stalled is not None:
                self._on_stalled(self)

    def request_keyframe(self) -> None:
        """Sends a PLI (RFC 4585 section 6.3.1); the stream has limited the rate."""
        for source in self._sources:
            if source.kind is Kind.VIDEO and source.receiver.ssrc is not None:
                self._send(rtcp.PictureLoss(self.ssrc, source.receiver.ssrc))

    def end(self, reason: str) -> None:
        """Stops feeding: the streams have no source then, and keep their legs."""
        if self.ended is not None:
            return
        self.ended = reason
        self.connected = False
        for source in self._sources:
            source.inlet.end()
        if self._on_ended is not None:
            self._on_ended(self, reason)

    def _add(self, kind: Kind, how: Receiving, stream: Stream) -> None:
        want = self.request_keyframe if kind is Kind.VIDEO else None
        inlet = Inlet(stream, want)
        source = _Source(kind, Receiver(how, inlet), inlet, stream)
        self._sources.append(source)
        self._by_type[how.payload_type] = source
        if how.rtx_payload_type is not None:
            self._by_type[how.rtx_payload_type] = source

    def _take(self, source: _Source, packets: list[bytes], now: float) -> None:
        if source.inlet.shut and source.stream.inlet is None:
            # Nobody has the stream: the first packet, or who had replaced this source is gone.
            source.receiver.begin_anew(now)
        source.receiver.feed(packets, now)

    def _send_nacks(self) -> None:
        for source in self._sources:
            receiver = source.receiver
            nacks = receiver.take_nacks()
            if nacks and receiver.ssrc is not None:
                for at in range(0, len(nacks), MOST_NACKED):
                    part = tuple(nacks[at : at + MOST_NACKED])
                    self._send(rtcp.Nack(self.ssrc, receiver.ssrc, part))

    def _send(self, feedback: rtcp.Nack | rtcp.PictureLoss) -> None:
        if self._outlet is not None and self.connected:
            report = rtcp.ReceiverReport(self.ssrc)
            self._outlet.send_rtcp(rtcp.build(report, self._names, feedback))

    def _send_reports(self, now: float) -> None:
        blocks = [source.receiver.report(now) for source in self._sources]
        said = tuple(block for block in blocks if block is not None)
        if self._outlet is not None and self.connected:
            self._outlet.send_rtcp(rtcp.build(rtcp.ReceiverReport(self.ssrc, said), self._names))

    def _heed_report(self, report: rtcp.SenderReport, now: float) -> None:
        for source in self._sources:
            if source.receiver.ssrc == report.ssrc:
                source.receiver.take_sender_report(report.ntp, now)
                taken = self._ntp.seconds(report.ntp)
                self._delays.append(now - taken)
                timestamp = source.receiver.extended_timestamp(report.timestamp)
                source.said = (timestamp, taken, source.receiver.counters.restarts)
        self._anchor()

    def _anchor(self) -> None:
        """Tells the streams when their pictures were taken: one clock for picture and sound.

        The least delay of the last reports, of either kind, is taken for the way's own.
        """
        for source in self._sources:
            stream, restarts = source.stream, source.receiver.counters.restarts
            timestamp, taken, since = source.said
            if source.inlet.shut or stream.last_packet_at is None or since != restarts:
                continue
            at = taken + min(self._delays)
            ahead = (stream.last_timestamp - timestamp) / stream.clock_rate
            # Some sources' reports speak of another clock than their packets.
            if abs(at + ahead - stream.last_packet_at) < BELIEVED:
                stream.anchor(timestamp, at)
