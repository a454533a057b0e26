"""A WHIP endpoint over a MediaPort, which can be told to misbehave."""

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import web

from tests.core.transport.support import Recorder
from village_core.transport import MediaPort, PushMedia, SdpError, ServerSession, sdp, signalling

Answer = Callable[[web.Request], Any]
Pushing = Callable[..., Any]
VIDEO = PushMedia("42e01f")


class WhipServer:
    """One WHIP endpoint at /whip; `reply` replaces what it would answer."""

    def __init__(self, port: MediaPort) -> None:
        self.port = port
        self.recorder = Recorder()
        self.session: ServerSession | None = None
        self.url: signalling.SessionUrl | None = None
        self.offers: list[str] = []
        self.requests: list[tuple[str, str, str | None]] = []
        self.reply: Answer | None = None
        self.edit: Callable[[str], str] = lambda answer: answer
        self.headers: dict[str, str] = {}
        self.location = "/sessions/1"
        self.hold = asyncio.Event()  # set: answer at once
        self.hold.set()

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        return app

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        await self.hold.wait()
        self.requests.append((request.method, request.path, request.headers.get("Authorization")))
        if request.method == "DELETE":
            status = self.url.delete().status if self.url else 404
            return web.Response(status=status)
        if self.reply is not None:
            response = self.reply(request)
            if response is not None:
                assert isinstance(response, web.StreamResponse)
                return response
        return self._created(await request.text())

    def _created(self, text: str) -> web.Response:
        self.offers.append(text)
        try:
            offer = sdp.read_offer(text)
            choices = sdp.choose_to_receive(offer)
        except SdpError as error:
            return web.Response(status=error.status, text=str(error))
        self.session = self.port.accept(offer, self.recorder, choices)
        self.url = signalling.SessionUrl(self.session, offer, choices)
        answer = sdp.write_answer(offer, choices, self.session.description, "recvonly")
        headers = {"Location": self.location, "ETag": "*", **self.headers}
        return web.Response(
            status=201, text=self.edit(answer), content_type="application/sdp", headers=headers
        )
