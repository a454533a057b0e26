"""Pushing through a TURN server, for homes whose line blocks UDP (design.md, Reaching it)."""

import asyncio
import dataclasses
import datetime
import ipaddress
import shutil
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.core.transport.support import RECEIVER_REPORT, Recorder, burst, rewrite, until
from tests.core.transport.whip_server import Pushing, WhipServer
from village_core.media.packet import Kind
from village_core.transport import IceServer, Push, PushError

pytestmark = pytest.mark.skipif(
    shutil.which("turnserver") is None, reason="no turnserver: apt-get install coturn"
)


@dataclasses.dataclass
class Turn:
    port: int
    tls_port: int
    certificate: Path

    def server(self, scheme: str, transport: str) -> IceServer:
        port = self.tls_port if scheme == "turns" else self.port
        return IceServer(f"{scheme}:127.0.0.1:{port}?transport={transport}", "cam", "secret")


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        return one.getsockname()[1], two.getsockname()[1]


def _certify(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "turn")])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "turn.pem"
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


@pytest.fixture
async def turn(tmp_path: Path) -> AsyncIterator[Turn]:
    port, tls_port = _free_ports()
    certificate = _certify(tmp_path)
    process = await asyncio.create_subprocess_exec(
        "turnserver",
        *("-n", "-L", "127.0.0.1", "-E", "127.0.0.1", "-p", str(port), "-r", "realm"),
        *("--tls-listening-port", str(tls_port), "--cert", certificate, "--pkey", certificate),
        *("--lt-cred-mech", "-u", "cam:secret", "--allow-loopback-peers", "--no-cli"),
        *("--min-port", "52000", "--max-port", "52100", "--log-file", "stdout", "--no-dtls"),
        *("--pidfile", tmp_path / "pid", "--userdb", tmp_path / "db"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    turn = Turn(port, tls_port, certificate)
    async with asyncio.timeout(10):
        while not (await _listens(port) and await _listens(tls_port)):  # noqa: ASYNC110 - a process
            await asyncio.sleep(0.05)
    yield turn
    process.kill()
    await process.wait()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


@pytest.mark.parametrize(
    ("scheme", "transport"), [("turn", "udp"), ("turn", "tcp"), ("turns", "tcp")]
)
async def test_a_push_goes_through_a_relay(
    pushing: Pushing,
    server: WhipServer,
    turn: Turn,
    scheme: str,
    transport: str,
) -> None:
    """The server is learned from the answer's `Link` (RFC 9725 section 4.6)."""
    server.headers = {"Link": turn.server(scheme, transport).link()}
    recorder = Recorder()
    tls = ssl.create_default_context(cafile=str(turn.certificate))
    push: Push = await pushing(handler=recorder, relay_only=True, turn_tls=tls)
    video: Any = push.choice(Kind.VIDEO)
    assert push.sender is not None
    assert not push.sender.offload
    push.send(burst(1, 1188, 1188, 100), rewrite(video.ssrc, video.codec.payload_type))
    await until(lambda: len(server.recorder.rtp) == 3)
    assert server.session is not None
    server.session.send_rtcp(RECEIVER_REPORT)
    await until(lambda: recorder.rtcp)


async def test_a_relay_is_not_used_when_the_way_is_free(
    pushing: Pushing,
    server: WhipServer,
    turn: Turn,
) -> None:
    push: Push = await pushing(ice_servers=[turn.server("turn", "udp")])
    assert push.sender is not None
    assert push.sender.offload


async def test_a_relay_is_found_when_the_way_is_not_free(
    pushing: Pushing,
    server: WhipServer,
    turn: Turn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All of ours are tried; the one that does not answer costs nothing."""
    monkeypatch.setattr("village_core.transport.ice.get_host_addresses", lambda **_: ["::1"])
    monkeypatch.setattr("village_core.transport.whip.Whip.local", property(lambda self: False))
    server.edit = lambda answer: "".join(
        line for line in answer.splitlines(keepends=True) if " ::1 " not in line
    )
    dead = IceServer("turn:127.0.0.1:9?transport=tcp", "cam", "secret")
    push: Push = await pushing(ice_servers=[dead, turn.server("turn", "tcp")], servers_after=0.1)
    assert push.sender is not None
    assert not push.sender.offload


async def test_a_relay_that_refuses_us_leads_to_a_clear_error(
    pushing: Pushing,
    server: WhipServer,
    turn: Turn,
) -> None:
    wrong = IceServer(turn.server("turn", "udp").url, "cam", "wrong")
    with pytest.raises(PushError, match="no path to the server's media address was found"):
        await pushing(ice_servers=[wrong], relay_only=True)
