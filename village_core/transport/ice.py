"""The client's full ICE agent, by aioice: host addresses at once, relays when these do not do.

The remote side learns our addresses from our checks (RFC 8445 section 7.3.1.3), so an offer need
not wait for those that take a server's answer, and relays are added while the checks already run.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Sequence
from typing import Any

from aioice import Candidate as IceCandidate
from aioice import Connection
from aioice import stun as ice_stun
from aioice.ice import (
    StunProtocol,
    get_host_addresses,
    relayed_candidate,
)

from village_core.clock import Clock
from village_core.jobs import Supervisor
from village_core.transport.ice_servers import IceServer
from village_core.transport.sdp_model import Candidate, PeerTransport
from village_core.transport.srtp import Address, Ancillary, Writes

log = logging.getLogger(__name__)
logging.getLogger("aioice").setLevel(logging.WARNING)  # it tells of every check at INFO

# What a STUN or TURN server, or the network before it, may answer with.
SERVER_FAILED = (OSError, ice_stun.TransactionError, KeyError, ValueError)
SEND_BUFFER = 4 << 20  # bytes
CLOSE_WITHIN = 2.0  # seconds


class Relayed:
    """A relay in the place of a UDP socket: one packet a message, no offload."""

    def __init__(self, protocol: StunProtocol) -> None:
        self._transport = protocol.transport

    def sendmsg(
        self, buffers: list[memoryview], ancillary: Ancillary, flags: int, address: Address, /
    ) -> int:
        raise NotImplementedError  # a Sender over a relay is made with offload=False

    def sendto(self, data: memoryview | bytes, address: Address, /) -> int:
        self._transport.sendto(bytes(data), address[:2])
        return len(data)


class IceClient:
    """The controlling agent of one connection."""

    def __init__(
        self,
        supervisor: Supervisor,
        clock: Clock,
        name: str,
        *,
        relay_only: bool = False,
        loopback: bool = False,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._supervisor = supervisor
        self._clock = clock
        self._name = name
        self._relay_only = relay_only
        self._loopback = loopback
        self._tls = tls
        self._connection = Connection(ice_controlling=True)
        self._duplicate: socket.socket | None = None
        self._more: asyncio.Task[Any] | None = None

    @property
    def ufrag(self) -> str:
        return self._connection.local_username

    @property
    def pwd(self) -> str:
        return self._connection.local_password

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        return tuple(
            Candidate(each.host, each.port, each.priority, each.foundation)
            for each in self._connection.local_candidates
        )

    async def gather(self) -> None:
        """Open a socket on each address of this machine. OSError: there is none."""
        addresses = ["127.0.0.1", "::1"] if self._loopback else []
        addresses += get_host_addresses(use_ipv4=True, use_ipv6=True)
        if self._relay_only:
            addresses = []
        connection = self._connection
        connection._local_candidates_start = True
        for address in addresses:  # one at a time: `close` knows the sockets of those that are done
            connection._local_candidates += await connection.get_component_candidates(1, [address])
        connection._local_candidates_end = True
        if not connection._local_candidates and not self._relay_only:
            raise OSError("this machine has no address to send from")

    async def connect(
        self,
        peer: PeerTransport,
        candidates: Sequence[Candidate],
        *,
        lite: bool,
        servers: Sequence[IceServer],
        servers_after: float,
    ) -> None:
        """Find a pair that works. ConnectionError: none does.

        Relays are asked for when no pair works after `servers_after` seconds. STUN servers are not
        needed: the peer learns a mapped address from our checks.
        """
        connection = self._connection
        connection.remote_is_lite = lite
        connection.remote_username, connection.remote_password = peer.ufrag, peer.pwd
        for each in candidates:
            await connection.add_remote_candidate(_ice_candidate(each))
        if servers:
            work = self._add_servers(servers, 0.0 if self._relay_only else servers_after)
            self._more = self._supervisor.once(f"{self._name}: ICE servers", work)
        else:
            await connection.add_remote_candidate(None)
        await connection.connect()

    async def recv(self) -> bytes:
        """The next datagram that is not STUN. ConnectionError: the connection is gone."""
        return await self._connection.recv()

    def selected(self) -> tuple[Writes, Address, bool]:
        """What to write through, the address to write to, and whether offload may be tried."""
        pair = self._connection._nominated[1]
        if pair.local_candidate.type == "relay":
            return Relayed(pair.protocol), pair.remote_addr, False
        if self._duplicate is None:
            self._duplicate = pair.protocol.transport.get_extra_info("socket").dup()
            self._duplicate.setblocking(False)  # noqa: FBT003 - the standard library's signature
            self._duplicate.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        return self._duplicate, pair.remote_addr, True

    def write(self, data: bytes) -> None:
        """Send a datagram; lost when nothing is connected."""
        pair = self._connection._nominated.get(1)
        if pair is not None:
            pair.protocol.transport.sendto(data, pair.remote_addr)

    async def close(self) -> None:
        if self._more is not None:
            self._more.cancel()
        if self._duplicate is not None:
            self._duplicate.close()
            self._duplicate = None
        # Giving back a relay takes half a minute when the server is out of reach.
        ending = self._supervisor.once(f"{self._name}: end of ICE", self._end())
        await asyncio.wait([ending], timeout=CLOSE_WITHIN)

    async def _end(self) -> None:
        protocols = [*self._connection._protocols]
        try:
            await self._connection.close()
        except asyncio.CancelledError:  # the program ends: no goodbyes, but no socket stays
            for each in protocols:
                each.transport.close()
            raise

    async def _add_servers(self, servers: Sequence[IceServer], after: float) -> None:
        try:
            await self._clock.sleep(after)
            if not self._connection._nominated:
                relays = [server for server in servers if server.relays]
                await asyncio.gather(*(self._add_server(server) for server in relays))
        finally:
            if not self._connection._remote_candidates_end:
                await self._connection.add_remote_candidate(None)

    async def _add_server(self, server: IceServer) -> None:
        try:
            await self._add_relay(server)
        except SERVER_FAILED as error:
            log.warning("%s: %s does not serve: %s", self._name, server.url, error)

    async def _add_relay(self, server: IceServer) -> None:
        connection = self._connection
        _, protocol = await relayed_candidate(
            component=1,
            hide_related_address=self._relay_only,
            protocol_factory=lambda: StunProtocol(connection),
            turn_server=server.address,
            turn_username=server.username,
            turn_password=server.credential,
            turn_ssl=(self._tls or True) if server.secure else False,  # type: ignore[arg-type]
            turn_transport=server.transport,
        )
        if connection._closing:
            protocol.transport.close()
            return
        connection._protocols.append(protocol)
        for remote in connection._remote_candidates:
            connection._pair_remote_candidate(remote)
        connection.sort_check_list()
        log.info("%s: relay ready at %s", self._name, server.url)


def _ice_candidate(candidate: Candidate) -> IceCandidate:
    return IceCandidate(
        candidate.foundation,
        candidate.component,
        candidate.transport,
        candidate.priority,
        candidate.host,
        candidate.port,
        candidate.type,
    )
