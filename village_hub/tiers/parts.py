"""Bodies on their way in parts, in memory: a few at a time, each for a minute."""

from dataclasses import dataclass, field

from village_core.calls import LARGEST, PART, Parts, PartSent
from village_core.clock import Clock
from village_core.uplink import Refused

KEPT = 60.0  # seconds
MOST = 8


@dataclass(slots=True)
class _Body:
    born: float
    data: bytearray = field(default_factory=bytearray)


class PartsKept:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._bodies: dict[str, _Body] = {}

    def add(self, said: PartSent, data: bytes) -> None:
        """The next part of a body. Raises Refused."""
        self._forget()
        body = self._bodies.get(said.id)
        if body is None:
            if len(self._bodies) >= MOST:
                raise Refused(503, "busy", "too many large bodies at a time")
            body = self._bodies[said.id] = _Body(self._clock.monotonic())
        if said.number * PART != len(body.data):
            raise Refused(409, "out_of_turn", "another part is next")
        if len(body.data) + len(data) > LARGEST:
            raise Refused(413, "too_large", f"a body has at most {LARGEST} bytes")
        body.data += data

    def keep(self, name: str, data: bytes) -> Parts:
        """An answer that will be read in parts. Raises Refused."""
        self._forget()
        if len(self._bodies) >= MOST or len(data) > LARGEST:
            raise Refused(503, "busy", "too many large answers at a time")
        self._bodies[name] = _Body(self._clock.monotonic(), bytearray(data))
        return Parts(id=name, size=len(data))

    def take(self, parts: Parts) -> bytes:
        """The whole body, once. Raises Refused."""
        body = self._bodies.pop(parts.id, None)
        if body is None or len(body.data) != parts.size:
            raise Refused(409, "parts_missing", "the body did not come whole")
        return bytes(body.data)

    def read(self, name: str, number: int) -> bytes:
        """One part of an answer; it goes with its last. Raises Refused."""
        body = self._bodies.get(name)
        part = bytes(body.data[number * PART : (number + 1) * PART]) if body else b""
        if body is None or not part:
            raise Refused(404, "no_such_part", "there is no such part")
        if (number + 1) * PART >= len(body.data):
            del self._bodies[name]
        return part

    def _forget(self) -> None:
        oldest = self._clock.monotonic() - KEPT
        self._bodies = {name: each for name, each in self._bodies.items() if each.born > oldest}


def pieces(data: bytes) -> list[bytes]:
    return [data[at : at + PART] for at in range(0, len(data), PART)]
