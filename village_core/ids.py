"""Ids: random, globally unique, never derived from a place (design.md, Words)."""

import secrets
import uuid

from village_core.clock import SYSTEM_CLOCK, Clock


def new_id(clock: Clock = SYSTEM_CLOCK) -> str:
    """A new UUIDv7 (RFC 9562 section 5.7) as text: time-ordered, 74 random bits."""
    milliseconds = clock.utc_ms() & ((1 << 48) - 1)
    value = milliseconds << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62
    return str(uuid.UUID(int=value | secrets.randbits(62)))


def new_secret() -> str:
    """A secret of 256 random bits, URL-safe: for session URLs and one-time codes (MED-2, DEV-1)."""
    return secrets.token_urlsafe(32)
