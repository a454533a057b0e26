"""Janus from Debian as the peer in measurement: its own config folder, its HTTP API, a WHIP door.

Settings are Janus' defaults but for: little log, no session timeout, one address, one transport and
the two plugins in question. RTCP and NACK are on.
"""

import asyncio
import shutil
import tempfile
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import ClientSession, ClientTimeout, web

from bench.processes import started

MODULES = Path("/usr/lib/x86_64-linux-gnu/janus")
STREAM, ROOM = 1, 1
API_PORT = 18088

CONFIG = {
    "janus.jcfg": """
        general: {{
          configs_folder = "{folder}"
          plugins_folder = "{modules}/plugins"
          transports_folder = "{modules}/transports"
          events_folder = "{folder}"
          loggers_folder = "{folder}"
          debug_level = 2
          session_timeout = 0
          reclaim_session_timeout = 0
          candidates_timeout = 0
        }}
        nat: {{ ice_enforce_list = "{address}" }}
        media: {{ rtp_port_range = "20000-20999" }}
        plugins: {{ disable = "{disabled}" }}
        """,
    "janus.transport.http.jcfg": """
        general: {{ json = "compact"  http = true  port = {port}  ip = "127.0.0.1" }}
        """,
    "janus.plugin.streaming.jcfg": """
        camera: {{
          type = "rtp"  id = {stream}  audio = false  video = true
          videoiface = "127.0.0.1"  videoport = {rtp_port}  videopt = 96  videocodec = "h264"
          videofmtp = "profile-level-id=42e01f;packetization-mode=1"
        }}
        """,
    "janus.plugin.videoroom.jcfg": """
        room-{room}: {{
          description = "bench"  publishers = 1000  bitrate = 0  videocodec = "h264"
          notify_joining = false  require_pvtid = false
        }}
        """,
}
UNUSED = "audiobridge duktape echotest lua nosip recordplay sip textroom videocall voicemail"


def why_not() -> str:
    return "" if shutil.which("janus") else "janus is not installed"


class Janus:
    """A running Janus; `address` is where its media is reached. Use as an async context."""

    def __init__(self, address: str, rtp_port: int = 15004) -> None:
        self.address = address
        self.rtp_port = rtp_port
        self.api = f"http://127.0.0.1:{API_PORT}/janus"
        self._stack = AsyncExitStack()
        self._process: Process | None = None

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="svbench-")))
            self._write_config(folder)
            log = stack.enter_context((folder / "log").open("wb"))
            command = ["janus", f"--configs-folder={folder}", "--disable-colors"]
            running = started(*command, stdout=log, stderr=log)
            self._process = await stack.enter_async_context(running)
            await self._answers(folder)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    def _write_config(self, folder: Path) -> None:
        values = {
            "folder": folder,
            "modules": MODULES,
            "address": self.address,
            "port": API_PORT,
            "stream": STREAM,
            "rtp_port": self.rtp_port,
            "room": ROOM,
            "disabled": ",".join(f"libjanus_{name}.so" for name in UNUSED.split()),
        }
        for name, text in CONFIG.items():
            (folder / name).write_text(text.format(**values))

    async def _answers(self, folder: Path) -> None:
        async with ClientSession() as http, asyncio.timeout(15):
            while True:
                assert self._process
                if self._process.returncode is not None:
                    raise RuntimeError((folder / "log").read_text()[-2000:])
                try:
                    async with http.get(f"{self.api}/info") as response:
                        await response.read()
                        return
                except OSError:
                    await asyncio.sleep(0.05)


class JanusError(Exception):
    """Janus refused a request."""


class Handle:
    """One session with one plugin handle: Janus' HTTP API, events by long poll."""

    def __init__(self, http: ClientSession, api: str) -> None:
        self._http = http
        self._session = api
        self._handle = api

    @classmethod
    async def attach(cls, http: ClientSession, api: str, plugin: str) -> Self:
        made = cls(http, api)
        session = await made._post(api, janus="create")
        made._session = f"{api}/{session['data']['id']}"
        handle = await made._post(made._session, janus="attach", plugin=f"janus.plugin.{plugin}")
        made._handle = f"{made._session}/{handle['data']['id']}"
        return made

    async def ask(
        self, body: dict[str, Any], jsep: dict[str, str] | None = None
    ) -> tuple[dict[str, Any], str]:
        """A plugin request; its event's data, and the SDP that came with it if any."""
        extra = {"jsep": jsep} if jsep else {}
        answer = await self._post(self._handle, janus="message", body=body, **extra)
        while answer["janus"] != "event":
            async with self._http.get(self._session, params={"maxev": "1"}) as response:
                answer = await response.json(content_type=None)
        data = answer["plugindata"]["data"]
        if "error" in data:
            raise JanusError(data["error"])
        return data, answer.get("jsep", {}).get("sdp", "")

    async def detach(self) -> None:
        await self._post(self._session, janus="destroy")

    async def _post(self, url: str, **message: Any) -> dict[str, Any]:
        async with self._http.post(url, json={"transaction": "t", **message}) as response:
            answer: dict[str, Any] = await response.json(content_type=None)
        if answer["janus"] == "error":
            raise JanusError(answer["error"]["reason"])
        return answer


@asynccontextmanager
async def whip_door(janus: Janus) -> AsyncIterator[str]:
    """A WHIP endpoint before the video room, so that the same publishers serve both servers.

    Gives its URL. Media goes to Janus directly.
    """
    handles: dict[str, Handle] = {}
    routes = web.RouteTableDef()

    @routes.post("/whip/{name}")
    async def publish(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        handle = handles[name] = await Handle.attach(http, janus.api, "videoroom")
        body = {"request": "joinandconfigure", "room": ROOM, "ptype": "publisher", "display": name}
        jsep = {"type": "offer", "sdp": await request.text()}
        _, sdp = await handle.ask(body, jsep)
        headers = {"Location": f"/whip/{name}"}
        return web.Response(status=201, text=sdp, content_type="application/sdp", headers=headers)

    @routes.delete("/whip/{name}")
    async def leave(request: web.Request) -> web.Response:
        await handles.pop(request.match_info["name"]).detach()
        return web.Response()

    app = web.Application()
    app.add_routes(routes)
    async with ClientSession(timeout=ClientTimeout(total=60)) as http:
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", API_PORT + 1).start()
        try:
            yield f"http://127.0.0.1:{API_PORT + 1}/whip"
        finally:
            await runner.cleanup()
