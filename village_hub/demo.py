"""`village-hub demo`: a county, a township and a village on this machine, with two households, the
committee's lane, and virtual cameras.

Everything is a real program started by its command line: three hubs, and one home agent for each
household and the lane. Their folders are temporary. Plain HTTP on loopback; Ctrl-C stops all of it.
"""

import asyncio
import json
import signal
import socket
import sys
import tempfile
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from village_core.clock import SYSTEM_CLOCK
from village_core.jobs import Supervisor
from village_core.transport.addresses import local_addresses
from village_core.troubles import Trouble
from village_hub import commands, demo_tree, household_commands
from village_hub.catalogue import cameras
from village_hub.catalogue.rows import CameraRow
from village_hub.commands import Office, office
from village_hub.config import read

FIRST_PORT = 8443
FIRST_MEDIA_PORT = 8189
STOP_WITHIN = 10.0  # seconds until a program is killed
READY_WITHIN = 60.0  # seconds, on a slow and busy machine
MAIN = "test:?size=1280x720&fps=15&rate=1500&gop=30"
SUB = "test:?size=640x360&fps=10&rate=300&gop=20"

LANE = {"lane": {"name": demo_tree.LANE, "class": "P9", "main": MAIN, "sub": SUB}}

Say = Callable[[str], None]


class DemoError(Exception):
    """The demo cannot go on; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Home:
    """One household of the demo; `cameras` are tables of its agent's settings."""

    name: str
    owner: str
    cameras: Mapping[str, Mapping[str, Any]]


HOMES = (
    Home(
        "张家",
        "张伟",
        {
            "gate": {"name": "大门", "main": MAIN, "sub": SUB},
            "yard": {"name": "后院", "main": MAIN + "&profile=high", "sub": SUB},
        },
    ),
    Home("李家", "李娜", {"gate": {"name": "大门", "main": MAIN, "sub": SUB}}),
)


@dataclass(slots=True)
class Demo:
    """`run` returns when it is told to stop or a program ended by itself."""

    folder: Path
    port: int
    media_port: int
    homes: Sequence[Home]
    say: Say
    supervisor: Supervisor
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _links: list[tuple[str, str]] = field(default_factory=list)  # of the owners
    _ended: str = ""

    async def run(self) -> None:
        """Raises DemoError."""
        async with self._stack:
            root, text = await asyncio.to_thread(demo_tree.new_root, self.folder)
            hubs = self._write_hubs(text)
            for name, config, port in hubs:
                self.say(f"Starting the hub of {name} ...")
                await self._start(f"the hub of {name}", "village_hub", "serve", config)
                await self._answers(port)
            await self._grow(root, [config for _, config, _ in hubs])
            async with office(read(hubs[-1][1])) as here:
                for home in self.homes:
                    await self._join(here, home)
                await demo_tree.village_staff(here)  # from now on it takes two of them
                await demo_tree.lane(here, lambda name: self._enrol(here, Home(name, "", LANE)))
                await self._cameras_come(here)
                if not self.stop.is_set():
                    await demo_tree.on_record(here)
                    await self._show(here, [config for _, config, _ in hubs])
            await self.stop.wait()
            self.say("Stopping ...")
        if self._ended:
            raise DemoError(self._ended)

    def _write_hubs(self, root: str) -> list[tuple[str, Path, int]]:
        """From the county's down to the village's: name, settings, port."""
        found = []
        port, media = self.port, self.media_port
        places = [(each.name, each.tier, each.place) for each in demo_tree.ABOVE]
        for name, tier, place in [("西村", "village", demo_tree.VILLAGE), *reversed(places)]:
            settings: dict[str, Any] = {
                "name": name,
                "tier": tier,
                "place": place,
                "state": str(self.folder / tier / "hub"),
                "public_url": f"http://localhost:{port}",
                "listen": {"hosts": ["127.0.0.1"], "port": port},
                "media": {"port": media},
                "metrics": {"enabled": False},
                "discovery": {"enabled": False},
                "log": {"level": "warning"},
            }
            if tier == "bureau":
                settings["trust"] = {"root": root}
            found.append((name, _write(self.folder / f"{tier}.toml", settings), port))
            port = _free(port + 1, socket.SOCK_STREAM)
            media = _free(media + 1, socket.SOCK_DGRAM)
        return found[::-1]

    async def _grow(self, root: Path, configs: Sequence[Path]) -> None:
        self.say("Joining the three hubs ...")
        county, town, village = configs
        await demo_tree.join(town, county, demo_tree.TOWN)
        await demo_tree.join(village, town, demo_tree.VILLAGE)
        await demo_tree.trust(root, configs, county)

    async def _join(self, here: Office, home: Home) -> None:
        """A household with its owner, and its box enrolled and running."""
        await commands.add_household(here, home.name)
        await household_commands.add_owner(here, home.owner, home.name, None)
        code = await household_commands.sign_in_code(here, home.owner, None, typed=False)
        self._links.append((f"{home.owner}, owner in {home.name}", code[-1]))
        await self._enrol(here, home)

    async def _enrol(self, here: Office, home: Home) -> None:
        self.say(f"Enrolling the home agent of {home.name} ...")
        code = (await commands.new_enrolment(here, home.name, typed=False))[-1]
        folder = self.folder / home.name
        config = _write(
            folder / "agent.toml",
            {
                "state": str(folder / "state"),
                "lan": {"enabled": False},
                "log": {"level": "warning"},
                "cameras": home.cameras,
            },
        )
        enrolling = await self._program("home_agent", "enrol", config, code)
        _, said = await enrolling.communicate()
        if enrolling.returncode:
            raise DemoError(f"{home.name} could not be enrolled: {said.decode().strip()}")
        await self._start(f"the home agent of {home.name}", "home_agent", "run", config)

    async def _cameras_come(self, here: Office) -> None:
        """Until every camera has a picture, or says why it has none."""
        wanted = sum(len(home.cameras) for home in self.homes) + len(LANE)
        self.say(f"Waiting for {wanted} cameras ...")
        ends = SYSTEM_CLOCK.monotonic() + READY_WITHIN
        known: list[CameraRow] = []
        while SYSTEM_CLOCK.monotonic() < ends and not self.stop.is_set():
            known = await here.catalogue.read(cameras.everything)
            if sum(_has_settled(row) for row in known) >= wanted:
                break
            await self._pause()
        for row in known:
            if not row.online:
                self.say(
                    f"{row.name} has no picture ({row.trouble or 'no word yet'}): see its page."
                )

    async def _show(self, here: Office, configs: Sequence[Path]) -> None:
        county, town, village = configs
        self.say("\nReady. Each link signs in once; take a private window for each person:\n")
        for who, link in self._links:
            self.say(f"  {who}:  {link}")
        self.say(
            "\nOn duty one signs in with a key. The link adds it; then open a shift, and look:\n"
        )
        clerk = demo_tree.CLERKS[0]
        links = [
            (f"{clerk}, {demo_tree.COMMITTEE}", await demo_tree.key_link(here, clerk)),
            (f"{demo_tree.ENGINEER}, engineer", await demo_tree.engineer(here)),
            *[
                (f"{each.officer}, {each.name}", await demo_tree.officer(config, each))
                for each, config in ((demo_tree.STATION, town), (demo_tree.BUREAU, county))
            ],
            (f"{demo_tree.AUDITOR}, {demo_tree.OVERSIGHT}", await demo_tree.auditor(county)),
        ]
        for who, link in links:
            self.say(f"  {who}:  {link}")
        place = f"--config {village}"
        self.say("\nFor another device two clerks of the village make another link:")
        self.say(f"  {_command()} codes sign-in {HOMES[0].owner} --by {clerk} {place}")
        self.say(f"  {_command()} people confirm ID --by {demo_tree.CLERKS[1]} {place}")
        self.say("\nCtrl-C stops everything.")

    async def _answers(self, port: int) -> None:
        ends = SYSTEM_CLOCK.monotonic() + READY_WITHIN
        while SYSTEM_CLOCK.monotonic() < ends and not self.stop.is_set():
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await self._pause()
                continue
            writer.close()
            await writer.wait_closed()
            return
        raise DemoError(self._ended or "the hub did not start")

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(0.2):
                await self.stop.wait()
        except TimeoutError:
            pass

    async def _start(self, name: str, package: str, command: str, config: Path) -> None:
        """A program that runs until the demo ends; the demo ends when the program does."""
        process = await self._program(package, command, config)
        _ = self.supervisor.once(name, self._follow(name, process))
        self._stack.push_async_callback(self._end, process)

    async def _follow(self, name: str, process: Process) -> None:
        status = await process.wait()
        if not self.stop.is_set():
            self._ended = f"{name} ended by itself (exit status {status})"
            self.stop.set()

    async def _end(self, process: Process) -> None:
        self.stop.set()
        if process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(STOP_WITHIN):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _program(self, package: str, command: str, config: Path, *more: str) -> Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", package, command, "--config", str(config), *more),
            stdin=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE if command == "enrol" else None,
            stdout=asyncio.subprocess.DEVNULL if command == "enrol" else None,
            start_new_session=True,  # Ctrl-C is the demo's to pass on, in order
        )


def run(urls: Sequence[str], port: int | None, say: Say) -> None:
    """The demo, until Ctrl-C. `urls`: more cameras for the first household. Raises DemoError."""
    with tempfile.TemporaryDirectory(prefix="village-demo-") as folder:
        asyncio.run(_run(Path(folder), urls, port, say))


async def _run(folder: Path, urls: Sequence[str], port: int | None, say: Say) -> None:
    homes = [_with_cameras(folder, HOMES[0], urls), *HOMES[1:]]
    supervisor = Supervisor()
    demo = Demo(
        folder=folder,
        port=_free(FIRST_PORT, socket.SOCK_STREAM) if port is None else _asked(port),
        media_port=_free(FIRST_MEDIA_PORT, socket.SOCK_DGRAM),
        homes=homes,
        say=say,
        supervisor=supervisor,
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, demo.stop.set)
    try:
        await demo.run()
    finally:
        await supervisor.stop()


def _command() -> str:
    """This program as somebody in this folder can type it."""
    program = Path(sys.argv[0]).absolute()
    here = Path.cwd()
    return str(program.relative_to(here) if program.is_relative_to(here) else program)


def _has_settled(row: CameraRow) -> bool:
    return row.online or row.trouble not in (None, Trouble.CONNECTING, Trouble.AGENT_OFFLINE)


def _with_cameras(folder: Path, home: Home, urls: Sequence[str]) -> Home:
    """With the given addresses as cameras; a password in one goes to a file of its own."""
    more = {f"own-{index}": _camera(folder, index, url) for index, url in enumerate(urls, 1)}
    return Home(home.name, home.owner, {**home.cameras, **more})


def _camera(folder: Path, index: int, url: str) -> dict[str, Any]:
    try:
        parts = urlsplit(url)
        host, number = parts.hostname, parts.port
    except ValueError as error:
        raise DemoError(f"the camera's address is malformed: {error}") from error
    if parts.scheme not in ("rtsp", "rtsps") or not host:
        raise DemoError("a camera's address begins with rtsp:// or rtsps://")
    shown = f"[{host}]" if ":" in host else host
    place = f"{shown}:{number}" if number else shown
    main = urlunsplit((parts.scheme, place, parts.path, parts.query, ""))
    table = {"name": f"自有摄像头 {index}", "main": main}
    if parts.username is None:
        return table
    secret = folder / f"camera-{index}.password"
    secret.touch(mode=0o600)
    secret.write_text(unquote(parts.password or ""))
    return {**table, "user": unquote(parts.username), "password_file": str(secret)}


def _write(path: Path, settings: Mapping[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_toml(settings), encoding="utf-8")
    return path


def _toml(table: Mapping[str, Any], prefix: str = "") -> str:
    """Strings, numbers, lists and tables; strings as in JSON, whose form TOML shares."""
    lines = [
        f"{key} = {json.dumps(value, ensure_ascii=False)}"
        for key, value in table.items()
        if not isinstance(value, Mapping)
    ]
    for key, value in table.items():
        if isinstance(value, Mapping):
            lines += [f"[{prefix}{key}]", _toml(value, f"{prefix}{key}.")]
    return "\n".join(lines)


def _free(first: int, kind: socket.SocketKind) -> int:
    """The first port from `first` on that nobody uses on any address of this machine."""
    for port in range(first, first + 100):
        if all(_is_free(address, port, kind) for address in ["127.0.0.1", *local_addresses()]):
            return port
    raise DemoError(f"no free port from {first} on")


def _asked(port: int) -> int:
    """The port that was asked for. Raises DemoError when it cannot be had."""
    if not 1 <= port <= 65535:
        raise DemoError(f"--port {port} is outside 1 to 65535")
    if not _is_free("127.0.0.1", port, socket.SOCK_STREAM):
        raise DemoError(
            f"port {port} cannot be used here: another program has it, or it is reserved"
        )
    return port


def _is_free(address: str, port: int, kind: socket.SocketKind) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, kind) as trying:
        try:
            trying.bind((address, port))
        except OSError:
            return False
    return True
