"""The LAN page's own certificate: self-signed, kept in the state folder until it ends."""

import datetime
import ipaddress
import socket
import ssl
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from home_agent.state import State, StateError
from village_core.clock import Clock
from village_core.tls import server_context

FILE = "lan.pem"
LIFE = datetime.timedelta(days=3650)  # nobody renews it, and a browser asks once for each
BEFORE = datetime.timedelta(days=3650)  # a box whose clock is still wrong makes one that holds
RENEW = datetime.timedelta(days=30)


def context(state: State, addresses: Sequence[str], clock: Clock) -> ssl.SSLContext:
    """A server's TLS context; blocks: for a thread. Raises StateError."""
    now = datetime.datetime.fromtimestamp(clock.utc_ms() / 1000, datetime.UTC)
    kept = state.read_bytes(FILE)
    if kept is None or not _holds(kept, now):
        state.write_bytes(FILE, _made(addresses, now))
    made = server_context()
    try:
        made.load_cert_chain(state.path(FILE))
    except ssl.SSLError as error:
        raise StateError(f"{state.path(FILE)} is damaged: remove it") from error
    return made


def _holds(pem: bytes, now: datetime.datetime) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate(pem)
    except ValueError:
        return False
    return now < certificate.not_valid_after_utc - RENEW


def _made(addresses: Sequence[str], now: datetime.datetime) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "home-agent")])
    own = socket.gethostname().partition(".")[0]
    hosts = [x509.DNSName(host) for host in dict.fromkeys(["localhost", own, f"{own}.local"])]
    ips = [x509.IPAddress(ipaddress.ip_address(text)) for text in ["127.0.0.1", *addresses]]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(max(now - BEFORE, datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)))
        .not_valid_after(now + LIFE)
        .add_extension(x509.SubjectAlternativeName([*hosts, *ips]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
