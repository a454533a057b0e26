"""An SMS and voice gateway on this machine: a real HTTP server that takes the hub's letters, fails
or hangs when told to, and sends receipts and pressed keys back, signed.

It signs and checks with code of its own, written from the Standard Webhooks text, so that the hub's
cannot be wrong in the same way twice.
"""

import asyncio
import base64
import hashlib
import hmac
import itertools
import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientResponse, ClientSession, web
from aiohttp.test_utils import TestServer

from village_core.clock import Clock

SECRET = "whsec_" + base64.b64encode(b"the gateway and the hub know it").decode()
COUNT = itertools.count()


def signature(message_id: str, at: str, body: bytes, secret: str = SECRET) -> str:
    raw = secret.removeprefix("whsec_")
    key = base64.b64decode(raw) if raw != secret else secret.encode()
    signed = hmac.new(key, b".".join([message_id.encode(), at.encode(), body]), hashlib.sha256)
    return "v1," + base64.b64encode(signed.digest()).decode()


@dataclass
class GatewaySimulator:
    """`letters` are those it took; `answers` are the next statuses that it gives instead of 202."""

    clock: Clock
    hub: str = ""  # where receipts and keys go
    secret: str = SECRET
    letters: list[dict[str, Any]] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)
    forged: int = 0
    answers: list[int] = field(default_factory=list)
    hangs: asyncio.Event | None = None  # set: go on; None: it does not hang
    _server: TestServer | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/send", self._take)
        app.router.add_post("/moved", self._moved)
        self._server = TestServer(app)
        await self._server.start_server()

    async def stop(self) -> None:
        if self.hangs is not None:
            self.hangs.set()
        if self._server is not None:
            await self._server.close()

    @property
    def url(self) -> str:
        assert self._server is not None
        return str(self._server.make_url("/send"))

    @property
    def moved_url(self) -> str:
        """Redirects to `url`."""
        assert self._server is not None
        return str(self._server.make_url("/moved"))

    async def _take(self, request: web.Request) -> web.Response:
        body, sent = await request.read(), request.headers
        wanted = signature(sent["webhook-id"], sent["webhook-timestamp"], body, self.secret)
        if not hmac.compare_digest(wanted, sent["webhook-signature"]):
            self.forged += 1
            return web.Response(status=401)
        letter = {**json.loads(body), "idempotency": sent.get("Idempotency-Key")}
        if self.hangs is not None:
            await self.hangs.wait()
        if self.answers:
            self.refused.append(letter)
            return web.Response(status=self.answers.pop(0))
        if letter["reference"] in {one["reference"] for one in self.letters}:
            return web.Response(status=409)
        self.letters.append(letter)
        return web.Response(status=202)

    async def _moved(self, _request: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": self.url})

    def to(self, phone: str, channel: str | None = None) -> list[dict[str, Any]]:
        return [
            one for one in self.letters if one["to"] == phone and channel in (None, one["channel"])
        ]

    async def receipt(self, letter: dict[str, Any], result: str) -> int:
        body = {"receipts": [{"reference": letter["reference"], "result": result}]}
        response = await self.call("receipts", body)
        return response.status

    async def press(self, letter: dict[str, Any], key: str) -> str:
        """Somebody presses a key during the call; what the hub has said to them."""
        response = await self.call("keys", {"reference": letter["reference"], "key": key})
        assert response.status == 200, await response.text()
        return str((await response.json())["say"])

    async def call(self, what: str, body: object, **forged: str) -> ClientResponse:
        """A signed call; `forged` replaces headers."""
        data = json.dumps(body).encode()
        name, at = f"call-{next(COUNT)}", str(self.clock.utc_ms() // 1000)
        name, at = forged.get("webhook-id", name), forged.get("webhook-timestamp", at)
        headers = {
            "Content-Type": "application/json",
            "webhook-id": name,
            "webhook-timestamp": at,
            "webhook-signature": signature(name, at, data, self.secret),
            **forged,
        }
        async with ClientSession() as session:
            url = f"{self.hub}/api/v1/gateway/{what}"
            async with session.post(url, data=data, headers=headers) as response:
                await response.read()
                return response
