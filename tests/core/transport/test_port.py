"""The media port itself: what it binds, what it advertises, and its silence towards strangers."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.core.transport.support import Hub, TurnedClock, burst, rewrite, until
from tests.support.peers import build_check
from village_core.jobs import Supervisor
from village_core.transport import Certificate, MediaPort, PortError, PortSettings
from village_core.transport.door import Door


def _settings(*addresses: str, port: int = 0, **rest: object) -> PortSettings:
    return PortSettings(addresses=addresses, port=port, **rest)  # type: ignore[arg-type]


@contextlib.asynccontextmanager
async def _opened(
    supervisor: Supervisor, certificate: Certificate, port_settings: PortSettings
) -> AsyncIterator[MediaPort]:
    port = await MediaPort.open(port_settings, certificate, supervisor, TurnedClock())
    yield port
    await port.close()


async def test_all_addresses_get_the_same_port(port: MediaPort) -> None:
    numbers = {door.socket.getsockname()[1] for door in port._doors}
    assert numbers == {port.port}
    assert [each.host for each in port.candidates] == ["127.0.0.1", "::1"]


async def test_a_forwarded_address_is_advertised_instead(
    supervisor: Supervisor, certificate: Certificate
) -> None:
    """MED-9: only what the configuration names is in the answer."""
    port_settings = _settings("127.0.0.1", advertised=["198.51.100.7"], advertised_port=30_000)
    async with _opened(supervisor, certificate, port_settings) as port:
        assert [(each.host, each.port) for each in port.candidates] == [("198.51.100.7", 30_000)]


async def test_a_host_name_is_resolved_for_the_answer(
    supervisor: Supervisor, certificate: Certificate
) -> None:
    port_settings = _settings("127.0.0.1", advertised=["localhost"])
    async with _opened(supervisor, certificate, port_settings) as port:
        assert "127.0.0.1" in [each.host for each in port.candidates]


async def test_a_name_that_changed_is_noticed(
    supervisor: Supervisor, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    port_settings = _settings("127.0.0.1", advertised=["localhost"])
    async with _opened(supervisor, certificate, port_settings) as port:

        async def resolve(*_: object, **__: object) -> list[object]:
            return [(0, 0, 0, "", ("203.0.113.9", 0))]

        monkeypatch.setattr(port._loop, "getaddrinfo", resolve)
        await until(lambda: port.candidates[0].host == "203.0.113.9")


async def test_a_name_that_fails_later_keeps_the_last_address(
    supervisor: Supervisor, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    port_settings = _settings("127.0.0.1", advertised=["localhost"])
    async with _opened(supervisor, certificate, port_settings) as port:
        before, asked = port.candidates, asyncio.Event()

        async def resolve(*_: object, **__: object) -> list[object]:
            asked.set()
            raise socket.gaierror("no answer")

        monkeypatch.setattr(port._loop, "getaddrinfo", resolve)
        await asyncio.wait_for(asked.wait(), 5)
        assert port.candidates == before


@pytest.mark.parametrize(
    ("addresses", "sentence"),
    [
        (["0.0.0.0"], "needs a real address of this machine, not 0.0.0.0"),
        (["::"], "needs a real address of this machine, not ::"),
        (["192.0.2.77"], "UDP port 0 on 192.0.2.77: Cannot assign requested address"),
        (["hub.example"], "'hub.example' is no IP address"),
        ([], "at least one address"),
    ],
)
async def test_an_address_that_cannot_be_bound_is_named(
    supervisor: Supervisor, certificate: Certificate, addresses: list[str], sentence: str
) -> None:
    with pytest.raises(PortError, match=sentence):
        await MediaPort.open(_settings(*addresses), certificate, supervisor)


async def test_a_taken_port_is_named(
    supervisor: Supervisor, certificate: Certificate, port: MediaPort
) -> None:
    with pytest.raises(PortError, match=f"{port.port} on 127.0.0.1: Address already in use"):
        await MediaPort.open(_settings("127.0.0.1", port=port.port), certificate, supervisor)


async def test_a_name_unknown_from_the_start_is_an_error_and_frees_the_port(
    supervisor: Supervisor, certificate: Certificate
) -> None:
    port_settings = _settings("127.0.0.1", advertised=["no-such-host.invalid"])
    with pytest.raises(PortError, match=r"no-such-host\.invalid"):
        await MediaPort.open(port_settings, certificate, supervisor)


async def test_closing_tells_every_peer(hub: Hub) -> None:
    viewer, _, recorder = await hub.peer()
    await hub.port.close()
    await asyncio.wait_for(viewer.left.wait(), 5)
    assert recorder.closed == ["the server is stopping"]
    await hub.port.close()


async def test_under_load_the_socket_is_polled_and_nothing_is_lost(hub: Hub) -> None:
    publisher, _, recorder = await hub.peer(direction="sendonly")
    for round_ in range(200):
        publisher.send(burst(1 + round_ * 5, *[1000] * 5), rewrite())
        await asyncio.sleep(0)
    await until(lambda: len(recorder.rtp) == 1000)
    assert any(door.timer is not None for door in hub.port._doors)
    await until(lambda: all(door.timer is None for door in hub.port._doors))
    publisher.send(burst(1001, 100), rewrite())
    await until(lambda: len(recorder.rtp) == 1001)


@pytest.fixture
async def stranger(port: MediaPort) -> AsyncIterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.setblocking(False)
        stranger.connect(("127.0.0.1", port.port))
        yield stranger


async def _silence(stranger: socket.socket) -> bool:
    await asyncio.sleep(0.03)
    with contextlib.suppress(BlockingIOError):
        stranger.recv(2000)
        return False
    return True


async def test_a_check_with_the_wrong_password_meets_silence(
    hub: Hub, stranger: socket.socket
) -> None:
    viewer, session, _ = await hub.peer()
    name = f"{session.description.ufrag}:{viewer.ufrag}"
    stranger.send(build_check(name, "x" * 32))
    assert await _silence(stranger)


async def test_a_check_for_another_peers_fragment_meets_silence(
    hub: Hub, stranger: socket.socket
) -> None:
    _, session, _ = await hub.peer()
    ours = session.description
    stranger.send(build_check(f"{ours.ufrag}:somebody", ours.pwd))
    assert await _silence(stranger)


async def test_a_check_without_a_fingerprint_meets_silence(
    hub: Hub, stranger: socket.socket
) -> None:
    viewer, session, _ = await hub.peer()
    check = build_check(f"{session.description.ufrag}:{viewer.ufrag}", session.description.pwd)
    bare = check[:2] + (len(check) - 28).to_bytes(2, "big") + check[4:-8]
    stranger.send(bare)
    assert await _silence(stranger)


async def test_a_handshake_from_an_address_without_a_check_meets_silence(
    hub: Hub, stranger: socket.socket
) -> None:
    await hub.peer()
    stranger.send(bytes([22, 254, 253]) + bytes(60))
    assert await _silence(stranger)


class Mute:
    """A socket that keeps what would be sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def sendto(self, data: bytes, address: object) -> None:
        self.sent.append(data)


HEADER = st.binary(min_size=12, max_size=12).map(lambda rest: b"\x21\x12\xa4\x42" + rest)
DATAGRAMS = st.one_of(
    st.binary(min_size=1, max_size=300),
    st.binary(max_size=300).map(lambda tail: b"\0\1" + tail),
    st.builds(
        lambda head, tail: b"\0\1" + len(tail).to_bytes(2, "big") + head + tail,
        HEADER,
        st.binary(max_size=300),
    ),
    st.builds(
        lambda first, tail: bytes([first]) + tail,
        st.sampled_from([20, 22, 64, 80, 128, 200]),
        st.binary(max_size=100),
    ),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=DATAGRAMS, size=st.integers(1, 400))
async def test_any_datagram_from_a_stranger_is_met_with_silence(
    port: MediaPort, data: bytes, size: int
) -> None:
    """Fuzz: whatever arrives, joined by the kernel or not, is not answered and leaves no trace."""
    mute = Mute()
    door = Door(mute)  # type: ignore[arg-type]
    port._inbound.buffer[0 : len(data)] = data
    port._dispatch(door, ("127.0.0.1", 9), len(data), size, 0.0)
    assert not mute.sent
    assert not door.sessions


async def test_fuzz_from_a_connected_peers_address_breaks_nothing(hub: Hub) -> None:
    viewer, session, recorder = await hub.peer()
    generator = iter(range(10**6))
    for length in (1, 2, 8, 12, 13, 20, 40, 200, 1400):
        for first in (0, 1, 3, 20, 22, 23, 63, 64, 127, 128, 191, 192, 255):
            body = bytes((next(generator) * 31 + i) % 256 for i in range(length - 1))
            viewer.socket.sendto(bytes([first]) + body, viewer.server)
    session.send(burst(1, 100), rewrite())
    await until(lambda: viewer.rtp)
    assert not recorder.closed
    assert not recorder.rtp
    assert not recorder.rtcp
