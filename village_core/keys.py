"""Ed25519 keys of nodes, households and tokens: files (0600), fingerprints and JWKs (RFC 8037)."""

import base64
import binascii
import hashlib
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

RAW_BYTES = 32


class KeyFileError(Exception):
    """A key file cannot be used; the sentence names the file and says why, never its content."""


class KeyTextError(ValueError):
    """A public key's text is not one."""


def encode(data: bytes) -> str:
    """Base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """The reverse of `encode`; raises ValueError for anything that `encode` would not write."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError("not base64url") from error
    if encode(data) != text:
        raise ValueError("not base64url in its only form")
    return data


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An Ed25519 public key: 32 bytes (RFC 8032)."""

    raw: bytes

    @classmethod
    def from_text(cls, text: str) -> "PublicKey":
        """From 43 characters of base64url; raises KeyTextError."""
        try:
            raw = decode(text)
        except ValueError as error:
            raise KeyTextError(f"a public key is {error}") from error
        if len(raw) != RAW_BYTES:
            raise KeyTextError(f"a public key has {RAW_BYTES} bytes, not {len(raw)}")
        return cls(raw)

    @property
    def text(self) -> str:
        return encode(self.raw)

    @property
    def fingerprint(self) -> str:
        """The JWK thumbprint (RFC 7638 with SHA-256), 43 characters; also the key's `kid`."""
        canonical = f'{{"crv":"Ed25519","kty":"OKP","x":"{self.text}"}}'
        return encode(hashlib.sha256(canonical.encode("ascii")).digest())

    def jwk(self) -> dict[str, str]:
        """As IDN-4 publishes it: kty, use, alg, kid beside the key."""
        return {
            "kty": "OKP",
            "crv": "Ed25519",
            "x": self.text,
            "use": "sig",
            "alg": "EdDSA",
            "kid": self.fingerprint,
        }

    def verifies(self, signature: bytes, message: bytes) -> bool:
        try:
            self.crypto().verify(signature, message)
        except (InvalidSignature, ValueError):  # ValueError: not a point of the curve
            return False
        return True

    def crypto(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(self.raw)


class SigningKey:
    """An Ed25519 private key; it never shows itself."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        raw = private.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw
        )
        self.public = PublicKey(raw)

    @classmethod
    def make(cls) -> "SigningKey":
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def load(cls, path: Path) -> "SigningKey":
        """From a PKCS 8 PEM file that only its owner can read; raises KeyFileError."""
        try:
            if stat.S_IMODE(path.stat().st_mode) & 0o077:
                raise KeyFileError(f"{path} can be read by others; chmod 600 it")
            private = serialization.load_pem_private_key(path.read_bytes(), None)
        except OSError as error:
            raise KeyFileError(f"{path} cannot be read: {error.strerror}") from error
        except (ValueError, TypeError) as error:
            raise KeyFileError(f"{path} is not a private key in PEM") from error
        if not isinstance(private, Ed25519PrivateKey):
            raise KeyFileError(f"{path} is not an Ed25519 key")
        return cls(private)

    @classmethod
    def load_or_make(cls, path: Path) -> "SigningKey":
        """The key in `path`, made there when there is none. Two processes get the same one."""
        if not path.exists():
            try:
                write_new(path, cls.make().pem())
            except FileExistsError:  # another process was first
                pass
            except OSError as error:
                raise KeyFileError(f"{path} cannot be made: {error.strerror}") from error
        return cls.load(path)

    def pem(self) -> bytes:
        return self._private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature (RFC 8032 section 5.1.6)."""
        return self._private.sign(message)

    def crypto(self) -> Ed25519PrivateKey:
        return self._private


def write_new(path: Path, data: bytes) -> None:
    """Make a file of mode 0600 whole or not at all; raises FileExistsError, never overwrites."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)  # fails when there is one, where a rename would overwrite it
    finally:
        draft.unlink()
