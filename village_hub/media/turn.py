"""Short-lived TURN credentials, as coturn's `use-auth-secret` checks them (MED-11)."""

import base64
import hashlib
import hmac
import secrets

from village_core.clock import Clock
from village_core.transport.ice_servers import IceServer
from village_hub.config import TurnConfig


class Turn:
    """Makes credentials; with no URLs configured there are none."""

    def __init__(self, settings: TurnConfig, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock

    def servers(self) -> list[IceServer]:
        """The servers with a new credential each time, good for `lifetime` seconds."""
        if not self._settings.urls or self._settings.secret is None:
            return []
        ends = self._clock.utc_ms() // 1000 + self._settings.lifetime
        username = f"{ends}:{secrets.token_hex(8)}"
        key = self._settings.secret.reveal().encode()
        # SHA-1 is coturn's choice; as an HMAC it holds.
        credential = hmac.digest(key, username.encode(), hashlib.sha1)
        text = base64.b64encode(credential).decode()
        return [IceServer(url, username, text) for url in self._settings.urls]
