"""One UDP port for all media: sockets, reading, and whose datagram it is (design.md, media path).

One socket for each local address, since a wildcard socket on a multi-homed machine answers from the
wrong one. Reading coalesces twice: the kernel joins datagrams of one flow (UDP_GRO), and under load
the sockets are polled every 2 ms, because a wake-up of the event loop costs more than a packet.
"""

import asyncio
import ipaddress
import logging
import socket
import sys
from collections.abc import Callable, Sequence

from village_core.clock import SYSTEM_CLOCK, Clock
from village_core.ids import new_id
from village_core.jobs import Supervisor
from village_core.media.packet import SessionHandler
from village_core.transport import stun
from village_core.transport.door import Door, PortError, PortSettings, bind_all, write
from village_core.transport.dtls import Certificate
from village_core.transport.lite import ServerSession
from village_core.transport.sdp_model import Candidate, Choice, Offer
from village_core.transport.srtp import Address, Inbound

log = logging.getLogger(__name__)

GRO_SPACE = socket.CMSG_SPACE(4)
PAUSE = 0.002  # seconds between reads under load
LONG_PAUSE = 0.004  # when many send: a wake-up of the loop costs more than reading two frames
MANY = 2  # reads in one turn
BUSY = 0.004  # seconds: reads closer together than this are load
MOST_READS = 256  # per turn, so that a flood cannot hold the loop
TICK = 1.0  # seconds between looks at who is still alive
RESOLVE_EVERY = 60  # ticks between looks at the names among the advertised addresses


class MediaPort:
    """The UDP port and the sessions that live on it. Make one with `open`."""

    def __init__(
        self,
        settings: PortSettings,
        certificate: Certificate,
        supervisor: Supervisor,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self.certificate = certificate
        self.supervisor = supervisor
        self.clock = clock
        self.port = settings.port
        self.candidates: tuple[Candidate, ...] = ()
        self._name = f"media port {new_id(clock)}"
        self._loop = asyncio.get_running_loop()
        self._doors: list[Door] = []
        self._inbound = Inbound()
        self._into = [self._inbound.buffer]
        self._sessions: set[ServerSession] = set()
        self._by_fragment: dict[str, ServerSession] = {}
        self._touched: list[ServerSession] = []

    @classmethod
    async def open(
        cls,
        settings: PortSettings,
        certificate: Certificate,
        supervisor: Supervisor,
        clock: Clock = SYSTEM_CLOCK,
    ) -> "MediaPort":
        """Bind and begin to read. PortError: an address is not ours, or its port is taken."""
        self = cls(settings, certificate, supervisor, clock)
        self._doors = [Door(each) for each in bind_all(settings)]
        self.port = self._doors[0].socket.getsockname()[1]
        try:
            await self._advertise()
        except PortError:
            for door in self._doors:
                door.socket.close()
            raise
        for door in self._doors:
            self._loop.add_reader(door.socket, self._wake, door)
        supervisor.start(self._name, self._watch)
        return self

    @property
    def sessions(self) -> frozenset[ServerSession]:
        return frozenset(self._sessions)

    def accept(
        self,
        offer: Offer,
        handler: SessionHandler | Callable[[ServerSession], SessionHandler],
        choices: Sequence[Choice] = (),
    ) -> ServerSession:
        """A session for this offer: from now on its checks are answered.

        `handler` may be made from the session. `choices` say which sections are accepted, hence
        whose transport counts: give them when the offer's sections differ in it.
        """
        session = ServerSession(self, offer.transport_of(choices), handler)
        self._sessions.add(session)
        return session

    async def close(self) -> None:
        """End all sessions (they are told), then stop listening. Idempotent."""
        await self.supervisor.end(self._name)
        for session in list(self._sessions):
            session.close("the server is stopping")
        for door in self._doors:
            if door.timer is not None:
                door.timer.cancel()
            self._loop.remove_reader(door.socket)
            door.socket.close()
        self._doors.clear()

    # For sessions

    def know(self, fragment: str, session: ServerSession) -> None:
        self._by_fragment[fragment] = session

    def unknow(self, fragment: str) -> None:
        self._by_fragment.pop(fragment, None)

    def forget(self, session: ServerSession) -> None:
        self._sessions.discard(session)

    # Reading

    def _wake(self, door: Door) -> None:
        now = self.clock.monotonic()
        under_load = now - door.last_read < BUSY
        read = self._drain(door, now)
        if under_load and read and door.socket.fileno() >= 0:
            self._loop.remove_reader(door.socket)
            door.timer = self._loop.call_later(PAUSE, self._poll, door)

    def _poll(self, door: Door) -> None:
        door.timer = None
        read = self._drain(door, self.clock.monotonic())
        if door.socket.fileno() < 0:
            return
        if read:
            pause = LONG_PAUSE if read >= MANY else PAUSE
            door.timer = self._loop.call_later(pause, self._poll, door)
        else:
            self._loop.add_reader(door.socket, self._wake, door)

    def _drain(self, door: Door, now: float) -> int:
        """Read what is there, then tell each session; returns how many reads had data."""
        door.last_read = now
        receive, into = door.socket.recvmsg_into, self._into
        reads = 0
        try:
            while reads < MOST_READS:
                total, ancillary, _, address = receive(into, GRO_SPACE)
                reads += 1
                if total:
                    size = int.from_bytes(ancillary[0][2], sys.byteorder) if ancillary else total
                    self._dispatch(door, address, total, size, now)
        except BlockingIOError:
            pass
        except OSError as error:
            log.warning("reading the media port failed: %s", error)
        touched, self._touched = self._touched, []
        for session in touched:
            session.deliver(now)
        return reads

    def _dispatch(self, door: Door, address: Address, total: int, size: int, now: float) -> None:
        """RFC 7983 section 7, by the first byte."""
        first = self._inbound.view[0]
        if 127 < first < 192:
            session = door.sessions.get(address)
            if session is not None and session.on_media(door, address, self._inbound, total, size):
                session.seen(door, address, now)
                self._touched.append(session)
            return
        for at in range(0, total, size):
            data = self._inbound.buffer[at : min(at + size, total)]
            if data[0] < 4:
                self._on_check(door, address, data, now)
            elif 19 < data[0] < 64 and (session := door.sessions.get(address)) is not None:
                session.on_dtls(door, address, data)

    def _on_check(self, door: Door, address: Address, data: bytes, now: float) -> None:
        fragment = stun.our_fragment(data)
        session = self._by_fragment.get(fragment) if fragment else None
        if session is None or (check := stun.read_check(data)) is None:
            return
        credentials = session.recognise(check)
        if credentials is None or not self._claim(door, address, session):
            return
        if check.conflicting:
            reply = stun.role_conflict(check, credentials)
        else:
            reply = stun.answer(check, credentials, (address[0].partition("%")[0], address[1]))
        write(door, reply, address)
        session.on_check(door, address, now)

    @staticmethod
    def _claim(door: Door, address: Address, session: ServerSession) -> bool:
        """Whether `session` may have the address: never, while another lives there."""
        holder = door.sessions.get(address)
        if holder is session:
            return True
        if holder is not None:
            if holder.lives_at(door, address):
                return False
            holder.lose(door, address)
        door.sessions[address] = session
        session.gain(door, address)
        return True

    # Time

    async def _watch(self) -> None:
        ticks = 0
        while True:
            await self.clock.sleep(TICK)
            now = self.clock.monotonic()
            for session in list(self._sessions):
                session.tick(now)
            ticks += 1
            if ticks % RESOLVE_EVERY == 0:
                await self._advertise()

    async def _advertise(self) -> None:
        """Resolve the advertised names; an address behind a name may change (dynamic DNS)."""
        port = self._settings.advertised_port or self.port
        hosts = self._settings.advertised or self._settings.addresses
        found: list[str] = []
        for host in hosts:
            found += await self._resolve(host)
        if not found and not self.candidates:
            raise PortError(f"none of the advertised addresses is known: {', '.join(hosts)}")
        if found:
            self.candidates = tuple(
                Candidate(host, port, _priority(index), str(index + 1))
                for index, host in enumerate(dict.fromkeys(found))
            )

    async def _resolve(self, host: str) -> list[str]:
        try:
            return [str(ipaddress.ip_address(host))]
        except ValueError:
            pass
        try:
            found = await self._loop.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
        except OSError as error:
            log.warning("the advertised address %s cannot be resolved: %s", host, error)
            return []
        return [str(each[4][0]).partition("%")[0] for each in found]


def _priority(index: int) -> int:
    """RFC 8445 section 5.1.2.1: host candidates of one component, in the order configured."""
    return (126 << 24) + (65_535 - index << 8) + 255
