"""The hub's certificate: configured files, read again when renewed, or the hub's own CA for a LAN.

Agents do not depend on either: they believe the certificate that the node key vouches for.
"""

import hashlib
import ipaddress
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from village_core.clock import Clock
from village_core.keys import write_new
from village_core.tls import server_context
from village_hub.config import WILDCARDS, Config

log = logging.getLogger(__name__)

CA_LIFE = timedelta(days=3650)
LEAF_LIFE = timedelta(days=90)
RENEW_BEFORE = timedelta(days=30)
LOOKS_EVERY = 60.0  # seconds between looks at the files
BACKDATED = timedelta(days=1)  # a phone's clock may be a little behind


class TlsError(Exception):
    """The certificate cannot be used; the sentence names the file."""


@dataclass(frozen=True, slots=True)
class Files:
    certificate: Path
    key: Path


class Certificates:
    """One SSL context that new connections take the newest certificate from."""

    def __init__(self, config: Config, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._stamp: tuple[int, int] | None = None
        self.context = server_context()
        self.digests: tuple[bytes, ...] = ()  # SHA-256 of the leaf's DER

    def load(self) -> None:
        """Make what is missing, read what is new. Blocks on the disk. Raises TlsError."""
        files = self._files()
        try:
            stamp = (files.certificate.stat().st_mtime_ns, files.key.stat().st_mtime_ns)
            if stamp == self._stamp:
                return
            leaf = x509.load_pem_x509_certificate(files.certificate.read_bytes())
            self.context.load_cert_chain(files.certificate, files.key)
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            words = getattr(error, "strerror", None) or error
            raise TlsError(f"{files.certificate} and {files.key}: {words}") from error
        der = leaf.public_bytes(serialization.Encoding.DER)
        self._stamp, self.digests = stamp, (hashlib.sha256(der).digest(),)
        log.info("serving the certificate %s", files.certificate)

    def _files(self) -> Files:
        tls = self._config.tls
        if tls.certificate_file and tls.private_key_file:
            return Files(tls.certificate_file, tls.private_key_file)
        now = datetime.fromtimestamp(self._clock.utc_ms() / 1000, UTC)
        try:
            return own_files(self._config.state / "tls", names_of(self._config), now)
        except (OSError, ValueError) as error:
            raise TlsError(f"the hub's own CA in {self._config.state / 'tls'}: {error}") from error


def names_of(config: Config) -> list[str]:
    """The names and addresses a certificate is to be for, each once, in a steady order."""
    asked = [urlsplit(config.url).hostname or "", *config.listen.hosts, *config.tls.names]
    always = ["localhost", "127.0.0.1", "::1"]
    return list(dict.fromkeys(name for name in [*asked, *always] if name not in WILDCARDS))


def own_files(folder: Path, names: Sequence[str], now: datetime) -> Files:
    """The leaf of the hub's own CA for these names, made anew when there is none, when it ends
    within 30 days, or when the names are others. `folder/ca.pem` is what phones may install."""
    ca_key, ca = _own_ca(folder, now)
    files = Files(folder / "hub.pem", folder / "hub.key")
    if not _still_good(files, names, now):
        _make_leaf(files, ca_key, ca, names, now)
    return files


def _own_ca(folder: Path, now: datetime) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    files = Files(folder / "ca.pem", folder / "ca.key")
    if not (files.key.exists() and files.certificate.exists()):
        files.key.unlink(missing_ok=True)
        files.certificate.unlink(missing_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "security-village hub CA")])
        certificate = (
            _builder(name, name, key.public_key(), now, CA_LIFE)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        write_new(files.certificate, certificate.public_bytes(serialization.Encoding.PEM))
        write_new(files.key, _pem(key))
    key_found = serialization.load_pem_private_key(files.key.read_bytes(), None)
    if not isinstance(key_found, ec.EllipticCurvePrivateKey):
        raise TlsError(f"{files.key} is not an EC key")
    return key_found, x509.load_pem_x509_certificate(files.certificate.read_bytes())


def _still_good(files: Files, names: Sequence[str], now: datetime) -> bool:
    if not (files.certificate.exists() and files.key.exists()):
        return False
    leaf = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    same = list(found) == [_general(name) for name in names]
    return same and now < leaf.not_valid_after_utc - RENEW_BEFORE


def _make_leaf(
    files: Files,
    ca_key: ec.EllipticCurvePrivateKey,
    ca: x509.Certificate,
    names: Sequence[str],
    now: datetime,
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "security-village hub")])
    certificate = (
        _builder(subject, ca.subject, key.public_key(), now, LEAF_LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([_general(name) for name in names]), critical=False
        )
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(_usage(signs=False), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    chain = [certificate, ca]
    pem = b"".join(each.public_bytes(serialization.Encoding.PEM) for each in chain)
    files.key.unlink(missing_ok=True)
    files.certificate.unlink(missing_ok=True)
    write_new(files.key, _pem(key))
    write_new(files.certificate, pem)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    now: datetime,
    life: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + life)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
