"""Stands before a real camera and gives it the oddities that GStreamer's server does not have.

SHA-256 Digest, stale nonces, redirections, refused methods, a wrong clock in its sender reports,
lost packets, a stalled stream on a living connection, TLS. Written apart from the client it tests.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.cameras.http_digest import DigestGate
from tests.cameras.rig import RtspCamera


@dataclass
class Front:
    """Change its fields at any time; they count for what comes next."""

    camera: RtspCamera  # auth="none"
    gate: DigestGate | None = None
    extra_challenges: list[str] = field(default_factory=list)
    refuse: dict[str, int] = field(default_factory=dict)  # method -> status
    refuse_tcp: bool = False
    location: str = ""  # redirects DESCRIBE there
    ntp_offset: float = 0.0  # seconds
    frozen: bool = False  # no packets reach the client
    lose_every: int = 0  # drops each so-many-th video packet
    padding: bytes = b""  # before each answer
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    reports: int = 0  # frames that came from the client
    port: int = 0
    secure: ssl.SSLContext | None = None
    _count: int = 0
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _empty: asyncio.Event = field(default_factory=asyncio.Event)

    def url(self, path: str = "/main") -> str:
        return f"rtsp{'s' if self.secure else ''}://127.0.0.1:{self.port}{path}"

    def methods(self) -> list[str]:
        return [method for method, _ in self.requests]

    def drop(self) -> None:
        """Breaks all connections."""
        for writer in self._writers:
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind = await asyncio.open_connection(self.camera.address, self.camera.port)
        self._writers.add(writer)
        self._empty.clear()
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._to_camera(reader, writer, behind[1]))
                both.create_task(self._to_client(behind[0], writer))
        except* (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            behind[1].close()
            writer.close()
            self._writers.discard(writer)
            if not self._writers:
                self._empty.set()

    async def _to_camera(
        self,
        reader: asyncio.StreamReader,
        client: asyncio.StreamWriter,
        camera: asyncio.StreamWriter,
    ) -> None:
        while True:
            first = await reader.readexactly(1)
            if first == b"$":
                head = await reader.readexactly(3)
                body = await reader.readexactly(int.from_bytes(head[1:]))
                self.reports += 1
                camera.write(b"$" + head + body)
                continue
            text = first + await reader.readuntil(b"\r\n\r\n")
            lines = text.decode().split("\r\n")
            method = lines[0].split(" ")[0]
            headers = {
                name.lower(): value.strip()
                for name, _, value in (line.partition(":") for line in lines[1:] if line)
            }
            self.requests.append((method, headers))
            answer = self._own_answer(method, headers)
            (camera if answer is None else client).write(answer or text)

    def _own_answer(self, method: str, headers: dict[str, str]) -> bytes | None:
        """What the front says itself; None when the camera is to be asked."""
        if self.gate and method != "OPTIONS":
            challenge = self.gate.challenge(headers.get("authorization"), method)
            if challenge:
                challenges = [*self.extra_challenges, challenge]
                more = [f"WWW-Authenticate: {each}" for each in challenges]
                return self._answer(401, headers, more)
        if method in self.refuse:
            return self._answer(self.refuse[method], headers)
        if method == "DESCRIBE" and self.location:
            return self._answer(302, headers, [f"Location: {self.location}"])
        if method == "SETUP" and self.refuse_tcp and "TCP" in headers.get("transport", ""):
            return self._answer(461, headers)
        return None

    def _answer(self, status: int, headers: dict[str, str], more: list[str] | None = None) -> bytes:
        lines = [f"RTSP/1.0 {status} Because", f"CSeq: {headers['cseq']}", *(more or [])]
        return self.padding + ("\r\n".join(lines) + "\r\n\r\n").encode()

    async def _to_client(self, camera: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        while True:
            first = await camera.readexactly(1)
            if first == b"$":
                head = await camera.readexactly(3)
                body = await camera.readexactly(int.from_bytes(head[1:]))
                if self._passes(head[0]):
                    client.write(b"$" + head + self._turned(head[0], body))
                continue
            text = first + await camera.readuntil(b"\r\n\r\n")
            length = 0
            for line in text.lower().split(b"\r\n"):
                if line.startswith(b"content-length:"):
                    length = int(line.partition(b":")[2])
            client.write(self.padding + text + await camera.readexactly(length))

    def _passes(self, channel: int) -> bool:
        if channel == 0 and self.lose_every:
            self._count += 1
            if self._count % self.lose_every == 0:
                return False
        return not self.frozen

    def _turned(self, channel: int, body: bytes) -> bytes:
        """Sender reports with another time (RFC 3550 section 6.4.1)."""
        if channel % 2 == 0 or len(body) < 16 or body[1] != 200 or not self.ntp_offset:
            return body
        ntp = int.from_bytes(body[8:16]) + int(self.ntp_offset * (1 << 32))
        return body[:8] + ntp.to_bytes(8) + body[16:]


@asynccontextmanager
async def front(camera: RtspCamera, **settings: object) -> AsyncIterator[Front]:
    """A front for a running camera that asks for no password itself."""
    made = Front(camera, **settings)  # type: ignore[arg-type]
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0, ssl=made.secure)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        made.drop()
        if made._writers:
            await made._empty.wait()


def self_signed(folder: Path) -> tuple[ssl.SSLContext, str]:
    """A camera's own certificate: a context for its server, and the SHA-256 to pin."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "camera")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = folder / "camera.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context, certificate.fingerprint(hashes.SHA256()).hex()
