"""Real cameras for tests: start one, break it, mend it, stop it."""

import asyncio
import json
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.cameras import clips
from tests.cameras.clips import Clip

PYTHON = "/usr/bin/python3"  # the one that has GStreamer's introspection
SERVER = Path(__file__).with_name("server.py")
USER, PASSWORD = "viewer", "Lantern-4821"  # no maker's default: those are refused (CAM-8)


@dataclass(frozen=True, kw_only=True)
class Stream:
    """One path of a camera."""

    clip: Clip = clips.MAIN
    in_band: bool = True  # False: SPS and PPS only in the session description
    audio: str | None = None  # "PCMA", "PCMU", "opus", "aac"
    transports: str = "both"  # "tcp", "udp"


MAIN_AND_SUB = {"/main": Stream(), "/sub": Stream(clip=clips.SUB)}


def free_port(kind: int = socket.SOCK_STREAM, address: str = "127.0.0.1") -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


def missing() -> str:
    """Why no camera can be started on this machine, "" when one can."""
    if shutil.which(PYTHON) is None:
        return "no /usr/bin/python3"
    probe = (
        "import gi; gi.require_version('GstRtspServer', '1.0'); gi.require_version('Gst', '1.0')"
    )
    done = subprocess.run([PYTHON, "-c", probe], capture_output=True, check=False)
    return "" if done.returncode == 0 else "GStreamer's RTSP server is not installed"


@dataclass
class RtspCamera:
    """A camera process; the same port after each `restart`."""

    streams: dict[str, Stream] = field(default_factory=lambda: dict(MAIN_AND_SUB))
    auth: str = "digest"  # "basic", "none"
    address: str = "127.0.0.1"
    port: int = 0
    user: str = USER
    password: str = PASSWORD
    timeout: int = 60  # of the RTSP session, in seconds
    netns: str = ""  # run in this network namespace
    _process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        about = json.dumps(await asyncio.to_thread(self._about))
        inside = ["ip", "netns", "exec", self.netns] if self.netns else []
        self._process = await asyncio.create_subprocess_exec(
            *inside,
            PYTHON,
            str(SERVER),
            about,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        words = (await self._line()).split()
        assert words[:1] == ["ready"], f"the camera said {words}"
        self.port = int(words[1])

    async def stop(self) -> None:
        """As when its plug is pulled."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin
        process.stdin.close()
        if process.returncode is None:
            process.kill()
        assert process.stdout
        await process.stdout.read()
        await process.wait()

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    def url(self, path: str = "/main") -> str:
        """Without credentials; give USER and PASSWORD apart, or use `url_with_password`."""
        return f"rtsp://{self.address}:{self.port}{path}"

    def url_with_password(self, path: str = "/main") -> str:
        account = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}"
        return f"rtsp://{account}@{self.address}:{self.port}{path}"

    async def stall(self, path: str = "/main") -> None:
        """Stays connected and sends no more pictures, until `go`."""
        await self._order(f"stall {path}")

    async def go(self, path: str = "/main") -> None:
        await self._order(f"go {path}")

    async def change(self, clip: Clip, path: str = "/main") -> None:
        """Another resolution, in the middle of the stream."""
        await self._order(f"clip {path} {await asyncio.to_thread(clip.make)}")

    async def drop_clients(self) -> None:
        await self._order("drop")

    def _about(self) -> dict[str, Any]:
        streams = {
            path: {
                "clip": str(stream.clip.make()),
                "in_band": stream.in_band,
                "audio": stream.audio,
                "transports": stream.transports,
            }
            for path, stream in self.streams.items()
        }
        return {
            "address": self.address,
            "port": self.port,
            "auth": self.auth,
            "user": self.user,
            "password": self.password,
            "timeout": self.timeout,
            "streams": streams,
        }

    async def _order(self, line: str) -> None:
        assert self._process
        assert self._process.stdin
        self._process.stdin.write(f"{line}\n".encode())
        assert await self._line() == "done"

    async def _line(self) -> str:
        assert self._process
        assert self._process.stdout
        async with asyncio.timeout(20):
            return (await self._process.stdout.readline()).decode().strip()


@asynccontextmanager
async def rtsp_camera(
    streams: dict[str, Stream] | None = None, **settings: Any
) -> AsyncIterator[RtspCamera]:
    """A running camera; skips the test where none can run."""
    if reason := await asyncio.to_thread(missing):
        pytest.skip(reason)
    camera = RtspCamera(streams or dict(MAIN_AND_SUB), **settings)
    await camera.start()
    try:
        yield camera
    finally:
        await camera.stop()
