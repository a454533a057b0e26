"""Connectivity checks as an ICE-lite agent sees them (RFC 8445 section 7.3, RFC 8489)."""

import re
import struct
from dataclasses import dataclass

from aioice import stun

LARGEST_CHECK = 1280  # bytes; a check is about 100
USERNAME = 0x0006
_USERNAME = re.compile(r"[a-zA-Z0-9+/]{4,256}:[a-zA-Z0-9+/]{4,256}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Credentials:
    """Our fragment and password, and the peer's fragment, of one ICE generation."""

    ufrag: str
    pwd: str
    peer: str


@dataclass(frozen=True, slots=True)
class Check:
    """A well-formed binding request with a right FINGERPRINT; not yet authenticated."""

    message: stun.Message
    ufrag: str  # ours: the first half of USERNAME
    peer: str

    def authentic(self, credentials: Credentials) -> bool:
        return self.peer == credentials.peer and self.message.check_message_integrity(
            credentials.pwd.encode()
        )

    @property
    def conflicting(self) -> bool:
        """The peer believes to be controlled, as a lite agent always is (section 7.3.1.1)."""
        return "ICE-CONTROLLED" in self.message.attributes


def our_fragment(data: bytes) -> str | None:
    """Whom a binding request is for, found without the cost of decoding it all."""
    if (
        not 20 <= len(data) <= LARGEST_CHECK
        or data[:2] != b"\0\1"
        or data[4:8] != b"\x21\x12\xa4\x42"
    ):
        return None
    at = 20
    while at + 4 <= len(data):
        kind, length = struct.unpack_from("!HH", data, at)
        if kind == USERNAME:
            name = data[at + 4 : at + 4 + length].decode("ascii", "replace")
            return name.partition(":")[0] if _USERNAME.fullmatch(name) else None
        at += 4 + length + -length % 4
    return None


def read_check(data: bytes) -> Check | None:
    """A check, or None for anything else: strangers are met with silence."""
    if our_fragment(data) is None:
        return None
    try:
        message = stun.parse_message(data)
    except (ValueError, struct.error):
        return None
    if message.message_class != stun.Class.REQUEST or "FINGERPRINT" not in message.attributes:
        return None
    ours, _, theirs = message.attributes.get("USERNAME", "").partition(":")
    return Check(message, ours, theirs)


def answer(check: Check, credentials: Credentials, address: tuple[str, int]) -> bytes:
    """The success response, with the address the check came from."""
    response = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, check.message.transaction_id)
    response.attributes["XOR-MAPPED-ADDRESS"] = address
    response.add_message_integrity(credentials.pwd.encode())
    return bytes(response)


def role_conflict(check: Check, credentials: Credentials) -> bytes:
    """487, upon which the peer becomes the controlling agent."""
    response = stun.Message(stun.Method.BINDING, stun.Class.ERROR, check.message.transaction_id)
    response.attributes["ERROR-CODE"] = (487, "Role Conflict")
    response.add_message_integrity(credentials.pwd.encode())
    return bytes(response)
