"""Tokens made by hand, with whatever is wrong with them: most of these no library would write."""

import base64
import json
from typing import Any

from village_core.keys import PublicKey, SigningKey
from village_core.tokens import Kind

HUB, OTHER = "hub-1", "hub-2"
KEY, STRANGER = SigningKey.make(), SigningKey.make()
OTHERS_KEY = SigningKey.make()  # trusted too, but with the other's name
NOW = 1_795_000_000


class SetClock:
    def __init__(self, seconds: float = NOW) -> None:
        self.seconds = seconds

    def utc_ms(self) -> int:
        return int(self.seconds * 1000)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing here sleeps")


def trust(issuer: str, kid: str) -> PublicKey | None:
    known = {HUB: KEY.public, OTHER: OTHERS_KEY.public}
    key = known.get(issuer)
    return key if key is not None and key.fingerprint == kid else None


def part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def claims_of(changes: dict[str, Any] | None = None, without: str = "") -> dict[str, Any]:
    said = {
        "iss": HUB,
        "sub": "person",
        "aud": HUB,
        "iat": NOW,
        "nbf": NOW,
        "exp": NOW + 60,
        "jti": "1",
        **(changes or {}),
    }
    said.pop(without, None)
    return said


def header_of(kind: Kind, changes: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"alg": "EdDSA", "typ": str(kind), "kid": KEY.public.fingerprint, **(changes or {})}


def assembled(head: str | bytes, body: str | bytes, key: SigningKey = KEY) -> str:
    """Signed as it is, whether it is JSON or not."""
    texts = [each if isinstance(each, bytes) else each.encode() for each in (head, body)]
    signed = ".".join(part(each) for each in texts)
    return f"{signed}.{part(key.sign(signed.encode()))}"


def forged(
    claims: dict[str, Any] | None = None,
    header: dict[str, Any] | None = None,
    without: str = "",
    key: SigningKey = KEY,
    kind: Kind = Kind.MEDIA,
) -> str:
    head = json.dumps(header_of(kind, header))
    return assembled(head, json.dumps(claims_of(claims, without)), key)
