"""AAC access units out of RTP (RFC 3640, AAC-hbr and -lbr), for transcoding alone (pure)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from home_agent.sources.intake import Numbers
from home_agent.sources.timeline import Timeline

SAMPLES = 1024  # of one access unit (ISO 14496-3)
MOST_UNITS = 64  # of one packet


@dataclass(frozen=True, slots=True)
class AacFormat:
    """From fmtp (RFC 3640 section 4.1)."""

    config: str  # AudioSpecificConfig, hexadecimal
    size_length: int
    index_length: int


def read_format(parameters: Mapping[str, str]) -> AacFormat | None:
    """None when the parameters are not those of AAC, or damaged."""
    config = parameters.get("config", "").strip('"')
    if not parameters.get("mode", "AAC-hbr").upper().startswith("AAC") or not config:
        return None
    try:
        bytes.fromhex(config)
        size = int(parameters.get("sizelength", "13"))
        index = int(parameters.get("indexlength", "3"))
    except ValueError:
        return None
    return AacFormat(config, size, index) if 0 < size <= 16 and 0 <= index <= 16 else None


def access_units(payload: bytes, form: AacFormat) -> list[bytes]:
    """The whole access units of a packet (section 3.2); none of a fragmented one."""
    bits = int.from_bytes(payload[:2])
    one = form.size_length + form.index_length
    start = 2 + (bits + 7) // 8
    if len(payload) < start or bits < one or bits // one > MOST_UNITS:
        return []
    heads = int.from_bytes(payload[2:start]) >> ((start - 2) * 8 - bits)
    units = []
    for place in range(bits // one):
        head = heads >> (bits - one * (place + 1)) & ((1 << one) - 1)
        size = head >> form.index_length
        if start + size > len(payload):
            return []
        units.append(payload[start : start + size])
        start += size
    return [unit for unit in units if unit]


@dataclass(slots=True)
class AacIntake:
    """Packets in, access units to `hand_on(unit, timestamp)`."""

    numbers: Numbers
    form: AacFormat
    timeline: Timeline
    hand_on: Callable[[bytes, int], None]

    def take(self, data: bytes) -> None:
        taken = self.numbers.take(data)
        if taken is None:
            return
        if taken[2]:
            self.timeline.restart()
        timestamp = self.timeline.extend(taken[0].timestamp)
        for place, unit in enumerate(access_units(taken[0].payload, self.form)):
            self.hand_on(unit, timestamp + place * SAMPLES)
