"""Sends WS-Discovery questions on the household's LAN and collects who answers."""

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import ifaddr

from home_agent.discovery.wsd import GROUP4, GROUP6, PORT, Match, Question, read_matches

REPEATS = 2  # SOAP-over-UDP appendix I: multicast is sent twice
REPEAT_PAUSE = 0.25  # seconds
MOST_MATCHES = 500  # devices of one search

Reached = tuple[Match, str]  # what a device says, and the address that it said so from


@dataclass(frozen=True, slots=True)
class Interface:
    """One address of this box on a LAN."""

    address: str
    index: int  # of the interface, for IPv6 link-local multicast


def household_interfaces() -> list[Interface]:
    """This box's addresses on private networks; never one that the Internet can see (CAM-2)."""
    found = []
    for adapter in ifaddr.get_adapters():
        for each in adapter.ips:
            address = each.ip if isinstance(each.ip, str) else each.ip[0]
            if _is_household(address):
                found.append(Interface(address, adapter.index or 0))
    return found


def _is_household(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if parsed.version == 6:
        return parsed.is_link_local
    return (parsed.is_private or parsed.is_link_local) and not parsed.is_loopback


class _Ear(asyncio.DatagramProtocol):
    def __init__(self, hear: Callable[[bytes, str], None]) -> None:
        self._hear = hear

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._hear(data, addr[0].partition("%")[0])


class Search:
    """One search: sockets open, questions sent, answers to them kept once per device."""

    def __init__(self, questions: Sequence[Question]) -> None:
        self._questions = questions
        self._ids = {question.message_id for question in questions}
        self._found: dict[str, Reached] = {}
        self._heard = asyncio.Event()

    async def multicast(
        self, interfaces: Iterable[Interface], seconds: float, enough: int = MOST_MATCHES
    ) -> list[Reached]:
        """Asks everybody; ends after `seconds`, or once `enough` devices have answered."""
        targets = [(_open(each), _group(each)) for each in interfaces]
        return await self._run([t for t in targets if t[0] is not None], seconds, enough)

    async def unicast(self, host: str, seconds: float) -> list[Reached]:
        """Asks one device."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        ear = socket.socket(family, socket.SOCK_DGRAM)
        ear.settimeout(0)
        return await self._run([(ear, (host, PORT))], seconds, 1)

    async def _run(
        self,
        targets: Sequence[tuple[socket.socket | None, tuple[str | int, ...]]],
        seconds: float,
        enough: int,
    ) -> list[Reached]:
        loop = asyncio.get_running_loop()
        open_ears: list[tuple[asyncio.DatagramTransport, tuple[str | int, ...]]] = []
        try:
            for ear, target in targets:
                transport, _ = await loop.create_datagram_endpoint(
                    lambda: _Ear(self._hear), sock=ear
                )
                open_ears.append((transport, target))
            await self._ask_and_wait(open_ears, seconds, enough)
        finally:
            for transport, _ in open_ears:
                transport.abort()
        return list(self._found.values())

    async def _ask_and_wait(
        self,
        ears: Sequence[tuple[asyncio.DatagramTransport, tuple[str | int, ...]]],
        seconds: float,
        enough: int,
    ) -> None:
        try:
            async with asyncio.timeout(seconds):
                for turn in range(REPEATS):
                    await asyncio.sleep(REPEAT_PAUSE if turn else 0)
                    for transport, target in ears:
                        for question in self._questions:
                            transport.sendto(question.data, target)
                while len(self._found) < enough:
                    self._heard.clear()
                    await self._heard.wait()
        except TimeoutError:
            return

    def _hear(self, data: bytes, sender: str) -> None:
        for match in read_matches(data):
            if match.relates_to in self._ids and len(self._found) < MOST_MATCHES:
                self._found.setdefault(match.endpoint_reference, (match, sender))
        self._heard.set()


def _open(interface: Interface) -> socket.socket | None:
    """A socket that sends multicast out of one interface; None when that has gone."""
    six = ":" in interface.address
    ear = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        if six:
            ear.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, interface.index)
            ear.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 1)
            ear.bind((interface.address, 0, 0, interface.index))
        else:
            packed = socket.inet_aton(interface.address)
            ear.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, packed)
            ear.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
            ear.bind((interface.address, 0))
        ear.settimeout(0)
    except OSError:
        ear.close()
        return None
    return ear


def _group(interface: Interface) -> tuple[str | int, ...]:
    if ":" in interface.address:
        return (GROUP6, PORT, 0, interface.index)
    return (GROUP4, PORT)
