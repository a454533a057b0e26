"""Notices to a unit's own system: a signed POST to the one address its operator configured."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import aiohttp

from village_core.clock import Clock
from village_hub.config import WebhookConfig
from village_hub.notices.carriers import Letter, Result
from village_hub.notices.gateway import post
from village_hub.notices.signing import signed


class Webhooks:
    """A carrier of Channel.WEBHOOK: a 2xx answer is delivery."""

    def __init__(
        self, settings: Sequence[WebhookConfig], session: aiohttp.ClientSession, clock: Clock
    ) -> None:
        self._of = {one.unit: one for one in settings}
        self._session = session
        self._clock = clock

    async def carry(self, letter: Letter) -> Result:
        found = self._of.get(letter.notice.unit or "")
        if found is None:
            return Result.IMPOSSIBLE
        body = json.dumps(_message(letter), ensure_ascii=False).encode()
        headers = {
            "Content-Type": "application/json",
            **signed(found.secret, letter.reference, body, self._clock),
        }
        result = await post(self._session, found.url, body, headers)
        return Result.ARRIVED if result is Result.ACCEPTED else Result.BOUNCED


def _message(letter: Letter) -> dict[str, object]:
    """Type, time and data, as Standard Webhooks has it. Nobody's answer is in it (PRM-20)."""
    row = letter.notice
    return {
        "type": str(row.kind),
        "timestamp": datetime.fromtimestamp(row.created / 1000, UTC).isoformat(),
        "data": {
            "notice": row.id,
            "whom": str(row.whom),
            "about": {"kind": row.about_kind, "id": row.about_id},
            "text": letter.text,
        },
    }
