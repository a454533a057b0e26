"""SMS and voice through one HTTP gateway (docs/guide/notices.md describes both directions).

The hub POSTs a signed JSON letter and takes 2xx for "I will send it"; receipts and phone keys come
back to /api/v1/gateway. A provider that wants registered templates finds `template` and `params`
beside the whole `text`, and its own reference field (`out_id` or the like) takes `reference`.
"""

import json
import logging

import aiohttp

from village_core.clock import Clock
from village_hub.config import GatewayConfig
from village_hub.notices.carriers import Letter, Result
from village_hub.notices.kinds import Channel
from village_hub.notices.signing import signed

log = logging.getLogger(__name__)

NETWORK = (aiohttp.ClientError, TimeoutError, OSError)
WRONG_NUMBER = frozenset({404, 410, 422})  # of this addressee; what else it refuses is our fault
SENT_BEFORE = 409


class Gateway:
    """A carrier of Channel.SMS and Channel.VOICE."""

    def __init__(
        self, settings: GatewayConfig, session: aiohttp.ClientSession, clock: Clock
    ) -> None:
        self._settings = settings
        self._session = session
        self._clock = clock

    async def carry(self, letter: Letter) -> Result:
        secret = self._settings.secret
        if not letter.phone or not self._settings.url or secret is None:
            return Result.IMPOSSIBLE
        body = json.dumps(self._message(letter), ensure_ascii=False).encode()
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": letter.reference,
            **signed(secret, letter.reference, body, self._clock),
        }
        return await post(self._session, self._settings.url, body, headers)

    def _message(self, letter: Letter) -> dict[str, object]:
        row = letter.notice
        found: dict[str, object] = {
            "reference": letter.reference,
            "channel": letter.channel,
            "to": letter.phone,
            "sender": self._settings.sender,
            "language": letter.language,
            "template": f"{row.kind}.{row.whom}",
            "params": dict(row.params),
            "text": letter.text,
        }
        if letter.channel is Channel.VOICE:
            found["keys"] = {key: str(outcome) for key, outcome in letter.keys.items()}
        return found


async def post(
    session: aiohttp.ClientSession, url: str, body: bytes, headers: dict[str, str]
) -> Result:
    """Hand it over; only to the address that is configured, so no redirect is followed."""
    try:
        async with session.post(url, data=body, headers=headers, allow_redirects=False) as response:
            status = response.status
    except NETWORK as error:
        log.warning("a notice could not be handed over: %s", type(error).__name__)
        return Result.BOUNCED
    if 200 <= status < 300 or status == SENT_BEFORE:
        return Result.ACCEPTED
    if status in WRONG_NUMBER:
        return Result.IMPOSSIBLE
    log.warning("a notice was refused with %s", status)
    return Result.BOUNCED
