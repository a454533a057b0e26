"""DTLS-SRTP (RFC 5763, RFC 5764) by aiortc's transport, over a path that is ours.

aiortc does the handshake and keeps answering DTLS records; media never passes through it: once the
keys exist, the SRTP contexts are taken over by `srtp.py`.
"""

import asyncio
import datetime
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiortc import RTCCertificate
from aiortc.rtcdtlstransport import (
    SRTP_AEAD_AES_128_GCM,
    SRTP_AEAD_AES_256_GCM,
    SRTP_AES128_CM_SHA1_80,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
    SRTPProtectionProfile,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL
from pylibsrtp import Session

from village_core.clock import SYSTEM_CLOCK, Clock

# The server's order decides: AES-GCM of 128 bits is the cheapest here (measured).
PROFILES = (SRTP_AEAD_AES_128_GCM, SRTP_AES128_CM_SHA1_80, SRTP_AEAD_AES_256_GCM)
TAGS = {
    SRTP_AEAD_AES_128_GCM.openssl_profile: 16,
    SRTP_AES128_CM_SHA1_80.openssl_profile: 10,
    SRTP_AEAD_AES_256_GCM.openssl_profile: 16,
}
CIPHERS = b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305"
DTLS_1_2 = 0xFEFD
HASHES = ("sha-256", "sha-384", "sha-512")
MOST_WAITING = 64  # datagrams; a handshake has about six
LARGEST_RECORD = 1500  # bytes written or read at once, as aiortc does
VALIDITY = datetime.timedelta(days=3650)  # peers check the fingerprint, not the date


class HandshakeError(Exception):
    """The peer and we did not agree on keys."""


class _Sealing(RTCCertificate):
    """aiortc would still agree on DTLS 1.0, and on CBC with SHA-1."""

    def _create_ssl_context(self, srtp_profiles: list[SRTPProtectionProfile]) -> SSL.Context:
        made: SSL.Context = super()._create_ssl_context(srtp_profiles)
        made.set_min_proto_version(DTLS_1_2)
        made.set_cipher_list(CIPHERS)
        return made


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """RFC 8122 section 5: `algorithm` in lower case, `value` as upper-case pairs with colons."""

    algorithm: str
    value: str


class Certificate:
    """A self-signed certificate whose fingerprint the SDP carries; one per process."""

    def __init__(self, certificate: RTCCertificate) -> None:
        self.rtc = certificate
        value = certificate.getFingerprints()[0].value
        self.fingerprint = Fingerprint("sha-256", value)

    @classmethod
    def make(cls, clock: Clock = SYSTEM_CLOCK) -> "Certificate":
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, secrets.token_hex(16))])
        now = datetime.datetime.fromtimestamp(clock.utc_ms() / 1000, datetime.UTC)
        builder = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + VALIDITY)
        )
        return cls(_Sealing(key, builder.sign(key, hashes.SHA256())))


@dataclass(frozen=True, slots=True)
class Keys:
    """What a handshake yields: one libsrtp session per direction, and the length of their tags."""

    profile: str
    tag: int
    inbound: Session
    outbound: Session


class _Path:
    """What aiortc's DTLS transport takes for its ICE transport."""

    role = "controlled"

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self._records: asyncio.Queue[bytes | None] = asyncio.Queue(MOST_WAITING)

    def feed(self, record: bytes | None) -> None:
        """None ends the path. What comes faster than it is read is lost, as datagrams are."""
        if self._records.full():
            self._records.get_nowait()
        self._records.put_nowait(record)

    async def _recv(self) -> bytes:
        record = await self._records.get()
        if record is None:
            raise ConnectionError
        return record

    async def _send(self, data: bytes) -> None:
        self._write(data)


class Dtls:
    """One DTLS association. `write` sends a datagram to the peer; `on_closed` is its goodbye."""

    def __init__(
        self,
        certificate: Certificate,
        peer: tuple[Fingerprint, ...],
        role: str,
        write: Callable[[bytes], None],
        on_closed: Callable[[], None],
        profiles: Sequence[SRTPProtectionProfile] = PROFILES,
    ) -> None:
        self._path = _Path(write)
        self._write = write
        self._peer = peer
        self._on_closed: Callable[[], None] | None = on_closed
        self._transport = RTCDtlsTransport(self._path, [certificate.rtc])  # type: ignore[arg-type]
        self._transport._set_role(role)
        self._transport._srtp_profiles = list(profiles)
        self._transport.on("statechange", self._changed)
        self._connected = False

    def feed(self, record: bytes) -> None:
        """Take a datagram that begins like DTLS (RFC 7983 section 7)."""
        self._path.feed(record)

    async def handshake(self) -> Keys:
        """Returns when both sides hold the keys. HandshakeError: they never will."""
        prints = [RTCDtlsFingerprint(each.algorithm, each.value) for each in self._peer]
        try:
            await self._transport.start(RTCDtlsParameters(fingerprints=prints))
        except SSL.Error as error:
            raise HandshakeError("the DTLS handshake broke off") from error
        if self._transport.state != "connected":
            raise HandshakeError("the DTLS handshake failed")
        self._connected = True
        profile = _selected(self._transport)
        return Keys(
            profile.openssl_profile.decode(),
            TAGS[profile.openssl_profile],
            self._transport._rx_srtp,
            self._transport._tx_srtp,
        )

    def close(self) -> None:
        """Say goodbye (close_notify) and free everything; may be called at any time, and again."""
        self._on_closed = None
        transport = self._transport
        if transport._task is not None:
            transport._task.cancel()
            transport._task = None
        if self._connected:
            self._connected = False
            self._say_goodbye(transport._ssl)
        self._path.feed(None)
        transport.remove_all_listeners()

    def _say_goodbye(self, ssl: SSL.Connection | None) -> None:
        if ssl is None:
            return
        try:
            ssl.shutdown()
            self._write(ssl.bio_read(LARGEST_RECORD))
        except SSL.Error:
            pass  # the association is beyond a goodbye

    def _changed(self) -> None:
        if self._transport.state == "closed" and self._on_closed is not None:
            on_closed, self._on_closed = self._on_closed, None
            self._connected = False
            on_closed()


def _selected(transport: RTCDtlsTransport) -> SRTPProtectionProfile:
    ssl = transport._ssl
    name = ssl.get_selected_srtp_profile() if ssl else b""
    return next(profile for profile in PROFILES if profile.openssl_profile == name)
