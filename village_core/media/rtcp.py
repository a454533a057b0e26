"""RTCP compound packets: parse and build (RFC 3550 section 6, RFC 4585, RFC 5104, REMB draft)."""

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

SR, RR, SDES, BYE, RTPFB, PSFB = 200, 201, 202, 203, 205, 206
NACK_FORMAT, PLI_FORMAT, FIR_FORMAT, APPLICATION_FORMAT = 1, 1, 4, 15
_CNAME = 1
_HEADER = struct.Struct("!BBH")
_BLOCK = struct.Struct("!IIIIII")
_SENDER_INFO = struct.Struct("!IQIII")
_MOST_LOST = 0x7FFFFF


class RtcpError(ValueError):
    """The packet breaks its RFC; the message names what is wrong."""


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """RFC 3550 section 6.4.1; `fraction_lost` in 1/256, `last_report` and `delay` in 1/65,536 s."""

    ssrc: int
    fraction_lost: int
    lost: int  # 24 bits, signed
    highest: int  # extended highest sequence number, 32 bits
    jitter: int
    last_report: int
    delay: int


@dataclass(frozen=True, slots=True)
class SenderReport:
    ssrc: int
    ntp: int  # 64-bit NTP time
    timestamp: int
    packets: int
    octets: int
    blocks: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    ssrc: int
    blocks: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceDescription:
    """Canonical names by SSRC; other items are skipped (RFC 3550 section 6.5)."""

    names: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bye:
    ssrcs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Nack:
    """Generic NACK (RFC 4585 section 6.2.1): `numbers` are 16-bit sequence numbers."""

    sender: int
    media: int
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PictureLoss:
    """PLI (RFC 4585 section 6.3.1)."""

    sender: int
    media: int


@dataclass(frozen=True, slots=True)
class FullIntraRequest:
    """FIR (RFC 5104 section 4.3.1): (SSRC, command number) of each picture asked for."""

    sender: int
    requests: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class BitrateLimit:
    """REMB: the receiver's estimate in bits per second, over all `ssrcs`."""

    sender: int
    bits: int
    ssrcs: tuple[int, ...]


RtcpPacket = (
    SenderReport
    | ReceiverReport
    | SourceDescription
    | Bye
    | Nack
    | PictureLoss
    | FullIntraRequest
    | BitrateLimit
)


def parse(compound: bytes) -> list[RtcpPacket]:
    """The packets of a compound that we know; others are skipped. Raises RtcpError.

    Reduced-size compounds (RFC 5506) are taken too: some clients send them unasked.
    """
    packets: list[RtcpPacket] = []
    at = 0
    while at < len(compound):
        count, kind, body, at = _next(compound, at)
        parser = _PARSERS.get(kind)
        if parser is not None and (packet := parser(count, body)) is not None:
            packets.append(packet)
    if not compound:
        raise RtcpError("an RTCP packet without a byte")
    return packets


def _next(compound: bytes, at: int) -> tuple[int, int, bytes, int]:
    if len(compound) - at < 4:
        raise RtcpError("RTCP header cut short")
    first, kind, words = _HEADER.unpack_from(compound, at)
    if first >> 6 != 2:
        raise RtcpError(f"RTCP version {first >> 6}, not 2")
    end = at + 4 + 4 * words
    if end > len(compound):
        raise RtcpError(f"RTCP packet of type {kind} is longer than what was received")
    body = compound[at + 4 : end]
    if first & 0x20:
        body = _without_padding(body, last=end == len(compound))
    return first & 0x1F, kind, body, end


def _without_padding(body: bytes, *, last: bool) -> bytes:
    if not last:
        raise RtcpError("RTCP padding before the last packet")
    if not body or not 0 < body[-1] <= len(body) or body[-1] % 4:
        raise RtcpError("RTCP padding of an impossible length")
    return body[: -body[-1]]


def _blocks(count: int, body: bytes, start: int) -> tuple[ReportBlock, ...]:
    if len(body) < start + 24 * count:
        raise RtcpError(f"RTCP report holds fewer than its {count} blocks")
    return tuple(_block(body, start + 24 * index) for index in range(count))


def _block(body: bytes, at: int) -> ReportBlock:
    ssrc, losses, highest, jitter, last_report, delay = _BLOCK.unpack_from(body, at)
    lost = losses & 0xFFFFFF
    if lost > _MOST_LOST:
        lost -= 1 << 24
    return ReportBlock(ssrc, losses >> 24, lost, highest, jitter, last_report, delay)


def _parse_sr(count: int, body: bytes) -> SenderReport:
    if len(body) < 24:
        raise RtcpError("sender report cut short")
    ssrc, ntp, timestamp, packets, octets = _SENDER_INFO.unpack_from(body)
    return SenderReport(ssrc, ntp, timestamp, packets, octets, _blocks(count, body, 24))


def _parse_rr(count: int, body: bytes) -> ReceiverReport:
    return ReceiverReport(_word(body, 0), _blocks(count, body, 4))


def _parse_sdes(count: int, body: bytes) -> SourceDescription:
    names: dict[int, str] = {}
    at = 0
    for _ in range(count):
        ssrc = _word(body, at)
        at = _parse_chunk(body, at + 4, ssrc, names)
    return SourceDescription(names)


def _parse_chunk(body: bytes, at: int, ssrc: int, names: dict[int, str]) -> int:
    while at < len(body) and body[at]:
        if at + 2 > len(body) or at + 2 + body[at + 1] > len(body):
            raise RtcpError("source description item cut short")
        end = at + 2 + body[at + 1]
        if body[at] == _CNAME:
            names[ssrc] = body[at + 2 : end].decode("utf-8", "replace")
        at = end
    if at >= len(body):
        raise RtcpError("source description chunk without its end")
    return (at + 4) & ~3


def _parse_bye(count: int, body: bytes) -> Bye:
    return Bye(tuple(_word(body, 4 * index) for index in range(count)))


def _parse_rtpfb(form: int, body: bytes) -> Nack | None:
    if form != NACK_FORMAT:
        return None
    numbers: list[int] = []
    for at in range(8, _whole(body, 8, 4), 4):
        first, mask = struct.unpack_from("!HH", body, at)
        numbers.append(first)
        numbers.extend((first + bit + 1) & 0xFFFF for bit in range(16) if mask >> bit & 1)
    return Nack(_word(body, 0), _word(body, 4), tuple(numbers))


def _parse_psfb(form: int, body: bytes) -> PictureLoss | FullIntraRequest | BitrateLimit | None:
    if form == PLI_FORMAT:
        return PictureLoss(_word(body, 0), _word(body, 4))
    if form == FIR_FORMAT:
        entries = range(8, _whole(body, 8, 8), 8)
        return FullIntraRequest(
            _word(body, 0), tuple((_word(body, at), body[at + 4]) for at in entries)
        )
    if form == APPLICATION_FORMAT and body[8:12] == b"REMB":
        return _parse_remb(body)
    return None


def _parse_remb(body: bytes) -> BitrateLimit:
    word = _word(body, 12)
    count, exponent, mantissa = word >> 24, word >> 18 & 0x3F, word & 0x3FFFF
    ssrcs = tuple(_word(body, 16 + 4 * index) for index in range(count))
    return BitrateLimit(_word(body, 0), mantissa << exponent, ssrcs)


def _word(body: bytes, at: int) -> int:
    if at + 4 > len(body):
        raise RtcpError("RTCP packet cut short")
    return int.from_bytes(body[at : at + 4])


def _whole(body: bytes, start: int, size: int) -> int:
    if len(body) < start or (len(body) - start) % size:
        raise RtcpError("RTCP feedback of an impossible length")
    return len(body)


_PARSERS: dict[int, Callable[[int, bytes], RtcpPacket | None]] = {
    SR: _parse_sr,
    RR: _parse_rr,
    SDES: _parse_sdes,
    BYE: _parse_bye,
    RTPFB: _parse_rtpfb,
    PSFB: _parse_psfb,
}


def build(*packets: RtcpPacket) -> bytes:
    """One compound packet; the caller puts a report first (RFC 3550 section 6.1)."""
    return b"".join(map(_build, packets))


def _build(packet: RtcpPacket) -> bytes:
    match packet:
        case SenderReport():
            info = _SENDER_INFO.pack(
                packet.ssrc,
                packet.ntp,
                packet.timestamp & 0xFFFFFFFF,
                packet.packets & 0xFFFFFFFF,
                packet.octets & 0xFFFFFFFF,
            )
            return _framed(SR, len(packet.blocks), info + _built_blocks(packet.blocks))
        case ReceiverReport():
            head = packet.ssrc.to_bytes(4)
            return _framed(RR, len(packet.blocks), head + _built_blocks(packet.blocks))
        case SourceDescription():
            return _framed(SDES, len(packet.names), b"".join(map(_chunk, packet.names.items())))
        case Bye():
            return _framed(BYE, len(packet.ssrcs), _words(packet.ssrcs))
        case _:
            return _build_feedback(packet)


def _build_feedback(packet: Nack | PictureLoss | FullIntraRequest | BitrateLimit) -> bytes:
    match packet:
        case Nack():
            head = _words((packet.sender, packet.media))
            return _framed(RTPFB, NACK_FORMAT, head + _nack_items(packet.numbers))
        case PictureLoss():
            return _framed(PSFB, PLI_FORMAT, _words((packet.sender, packet.media)))
        case FullIntraRequest():
            items = b"".join(_words((ssrc, number << 24)) for ssrc, number in packet.requests)
            return _framed(PSFB, FIR_FORMAT, _words((packet.sender, 0)) + items)
        case _:
            exponent = max(0, packet.bits.bit_length() - 18)
            word = len(packet.ssrcs) << 24 | exponent << 18 | packet.bits >> exponent
            body = _words((packet.sender, 0)) + b"REMB" + _words((word, *packet.ssrcs))
            return _framed(PSFB, APPLICATION_FORMAT, body)


def _framed(kind: int, count: int, body: bytes) -> bytes:
    return _HEADER.pack(0x80 | count, kind, len(body) // 4) + body


def _words(values: Iterable[int]) -> bytes:
    return b"".join(value.to_bytes(4) for value in values)


def _built_blocks(blocks: tuple[ReportBlock, ...]) -> bytes:
    return b"".join(
        _BLOCK.pack(
            block.ssrc,
            block.fraction_lost << 24 | (max(-_MOST_LOST, min(block.lost, _MOST_LOST)) & 0xFFFFFF),
            block.highest & 0xFFFFFFFF,
            min(block.jitter, 0xFFFFFFFF),
            block.last_report,
            block.delay,
        )
        for block in blocks
    )


def _chunk(name: tuple[int, str]) -> bytes:
    text = name[1].encode()[:255]
    chunk = name[0].to_bytes(4) + bytes((_CNAME, len(text))) + text
    return chunk + bytes(4 - len(chunk) % 4)


def _nack_items(numbers: Iterable[int]) -> bytes:
    items: list[list[int]] = []
    for number in numbers:
        ahead = (number - items[-1][0]) & 0xFFFF if items else 0
        if items and ahead == 0:
            continue
        if items and ahead <= 16:
            items[-1][1] |= 1 << (ahead - 1)
        else:
            items.append([number & 0xFFFF, 0])
    return b"".join(struct.pack("!HH", first, mask) for first, mask in items)
