"""A security key in software: makes ES256 credentials and answers, well or, when told to, badly."""

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, encode_cbor

UP, UV, AT = 0x01, 0x04, 0x40
Json = dict[str, Any]


@dataclass
class SecurityKey:
    """One credential; `verified=False` is a key without a PIN, `counts` is its counter."""

    origin: str
    transports: tuple[str, ...] = ("usb",)
    verified: bool = True
    counts: int = 0
    id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    private: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    user: bytes = b""
    rp: str = ""

    @property
    def cose(self) -> bytes:
        """Its public key (RFC 9053)."""
        point = self.private.public_key().public_numbers()
        x, y = point.x.to_bytes(32, "big"), point.y.to_bytes(32, "big")
        return encode_cbor({1: 2, 3: -7, -1: 1, -2: x, -3: y})

    def create(self, options: Json) -> Json:
        """PublicKeyCredential.toJSON() of navigator.credentials.create."""
        assert options["authenticatorSelection"]["userVerification"] == "required"
        assert options["authenticatorSelection"]["residentKey"] == "required"
        self.user = base64url_to_bytes(options["user"]["id"])
        self.rp = options["rp"]["id"]
        attested = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + self.cose
        data = self._data(self.rp, AT) + attested
        made = encode_cbor({"fmt": "none", "attStmt": {}, "authData": data})
        response = {
            "clientDataJSON": bytes_to_base64url(self._client("webauthn.create", options)),
            "attestationObject": bytes_to_base64url(made),
            "transports": list(self.transports),
        }
        return self._credential(response)

    def get(self, options: Json) -> Json:
        """PublicKeyCredential.toJSON() of navigator.credentials.get."""
        assert options["userVerification"] == "required"
        if self.counts:
            self.counts += 1
        client = self._client("webauthn.get", options)
        data = self._data(options["rpId"])
        signed = self.private.sign(
            data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256())
        )
        response = {
            "clientDataJSON": bytes_to_base64url(client),
            "authenticatorData": bytes_to_base64url(data),
            "signature": bytes_to_base64url(signed),
            "userHandle": bytes_to_base64url(self.user),
        }
        return self._credential(response)

    def _data(self, rp: str, more: int = 0) -> bytes:
        flags = UP | more | (UV if self.verified else 0)
        return (
            hashlib.sha256(rp.encode()).digest() + bytes([flags]) + self.counts.to_bytes(4, "big")
        )

    def _client(self, kind: str, options: Json) -> bytes:
        said = {"type": kind, "challenge": options["challenge"], "origin": self.origin}
        return json.dumps({**said, "crossOrigin": False}).encode()

    def _credential(self, response: Json) -> Json:
        name = bytes_to_base64url(self.id)
        return {
            "id": name,
            "rawId": name,
            "type": "public-key",
            "response": response,
            "clientExtensionResults": {},
        }
