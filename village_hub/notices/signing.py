"""Signed calls between this hub and a gateway or a unit's own system, as Standard Webhooks has it:

    webhook-id, webhook-timestamp (Unix seconds), webhook-signature: v1,BASE64 [v1,BASE64 ...]

signed with HMAC-SHA256 over `id.timestamp.body`. What is older or newer than five minutes, or came
before under the same id, is refused.
"""

import base64
import binascii
import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Mapping

from village_core.clock import Clock
from village_core.settings import Secret
from village_hub.errors import Conflict, Forbidden

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
TOLERANCE = 300  # seconds
MOST_REMEMBERED = 10_000  # ids; an honest gateway sends far fewer in ten minutes
LONGEST_ID = 200  # characters


def signed(secret: Secret, message_id: str, body: bytes, clock: Clock) -> dict[str, str]:
    """The headers of a call that carries `body`."""
    at = clock.utc_ms() // 1000
    signature = f"v1,{_signature(secret, message_id, str(at), body)}"
    return {ID: message_id, TIMESTAMP: str(at), SIGNATURE: signature}


class Verifier:
    """Checks calls signed with one secret; remembers those that came, so that none comes twice."""

    def __init__(self, secret: Secret, clock: Clock) -> None:
        self._secret = secret
        self._clock = clock
        self._came: OrderedDict[str, int] = OrderedDict()  # id -> Unix seconds of its arrival

    def check(self, headers: Mapping[str, str], body: bytes) -> str:
        """The call's id. Raises Forbidden when it is forged or too old, Conflict when it came
        before: what it says is done."""
        message_id, at = headers.get(ID, ""), headers.get(TIMESTAMP, "")
        wanted = _signature(self._secret, message_id, at, body)
        given = [part.removeprefix("v1,") for part in headers.get(SIGNATURE, "").split(" ")]
        if not any(hmac.compare_digest(wanted.encode(), one.encode()) for one in given):
            raise Forbidden("the signature is not the one this hub knows", code="bad_signature")
        now = self._clock.utc_ms() // 1000
        fresh = at.isdecimal() and len(at) < 12 and abs(now - int(at)) <= TOLERANCE
        if not fresh or not message_id or len(message_id) > LONGEST_ID:
            raise Forbidden("the call is too old, or one of the clocks is wrong", code="stale_call")
        if message_id in self._came:
            raise Conflict("this call came before", code="came_before")
        return message_id

    def done(self, message_id: str) -> None:
        """It was carried out: from now on it counts as come. Before, it may be sent again."""
        now = self._clock.utc_ms() // 1000
        self._came[message_id] = now
        while len(self._came) > MOST_REMEMBERED or self._oldest() < now - 2 * TOLERANCE:
            self._came.popitem(last=False)

    def _oldest(self) -> int:
        return next(iter(self._came.values()))


def key_bytes(secret: Secret) -> bytes:
    """A secret beginning with `whsec_` is base64, any other its own text."""
    text = secret.reveal()
    if not text.startswith("whsec_"):
        return text.encode()
    try:
        return base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except binascii.Error as error:
        raise ValueError("a secret that begins with whsec_ is base64 behind it") from error


def _signature(secret: Secret, message_id: str, at: str, body: bytes) -> str:
    content = f"{message_id}.{at}.".encode() + body
    return base64.b64encode(hmac.digest(key_bytes(secret), content, hashlib.sha256)).decode()
