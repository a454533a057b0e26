"""The running agent's Unix socket (STATE/control.sock, 0600): what `home-agent` asks of it.

One JSON line in, one out, then closed:
    {"do": "off"} {"do": "on", "code": "XXXX-XXXX"} {"do": "status"} {"do": "sos"}
    {"do": "grants"} {"do": "stop", "id": "..."} {"do": "give", "id": "...", "code": "..."} ...
    {"ok": true, ...} or {"ok": false, "why": "a sentence"}
"""

import asyncio
import contextlib
import json
import logging
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from home_agent.household import CodeError
from home_agent.state import StateError
from home_agent.switch import Switch

log = logging.getLogger(__name__)

NAME = "control.sock"
LARGEST = 4096
TIMEOUT = 15.0

Status = Callable[[], dict[str, Any]]
OwnersDo = Literal["owners", "owner_give", "owner_refuse", "owner_remove"]


class Command(BaseModel):
    model_config = ConfigDict(extra="forbid")

    do: Literal["off", "on", "status", "sos", "grants", "stop", "give", "refuse"] | OwnersDo
    id: str = Field(default="", max_length=80)
    code: str = Field(default="", max_length=100, repr=False)


class ControlError(Exception):
    """The running agent said no, or did not answer; the sentence says which."""


class NotRunningError(ControlError):
    """No agent runs on this state folder."""


More = Callable[[Command], Awaitable[dict[str, Any]]]
"""Raises CodeError, StateError or ControlError."""


@asynccontextmanager
async def open_control(
    folder: Path, switch: Switch, status: Status, more: More | None = None
) -> AsyncIterator[None]:
    """Serve the socket; raises ControlError when another agent already does. `more` does what is
    not the switch's."""
    path = folder / NAME
    listener = await asyncio.to_thread(_bind, path)
    control = _Control(switch, status, more)
    server = await asyncio.start_unix_server(control.serve, sock=listener, limit=LARGEST)
    try:
        yield
    finally:
        server.close()
        await server.wait_closed()
        path.unlink(missing_ok=True)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """No agent runs on this folder, nor begins to. Raises ControlError when one does."""
    if not folder.is_dir():
        raise ControlError(f"there is no state folder {folder}: nothing is to be erased")
    listener = _bind(folder / NAME)
    try:
        listener.listen()  # else it would pass for what a killed agent left
        yield
    finally:
        listener.close()
        (folder / NAME).unlink(missing_ok=True)


async def ask(folder: Path, command: Command) -> dict[str, Any]:
    """The running agent's answer. Raises NotRunningError or ControlError."""
    try:
        async with asyncio.timeout(TIMEOUT):
            reader, writer = await asyncio.open_unix_connection(str(folder / NAME), limit=1 << 20)
            try:
                writer.write(command.model_dump_json().encode() + b"\n")
                line = await reader.readline()
            finally:
                writer.close()
                await writer.wait_closed()
        answer = json.loads(line)
    except (FileNotFoundError, ConnectionError) as error:
        raise NotRunningError("no agent is running on this state folder") from error
    except (OSError, ValueError) as error:
        raise ControlError(f"the running agent did not answer: {error}") from error
    if not isinstance(answer, dict) or not answer.get("ok"):
        raise ControlError(answer.get("why", "no answer") if isinstance(answer, dict) else "no")
    return answer


class _Control:
    def __init__(self, switch: Switch, status: Status, more: More | None) -> None:
        self._switch = switch
        self._status = status
        self._more = more

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError):  # the command went away
                answer = await self._answer(reader)
                writer.write(json.dumps(answer, ensure_ascii=False).encode() + b"\n")
                await writer.drain()
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader) -> dict[str, Any]:
        try:
            async with asyncio.timeout(TIMEOUT):
                command = Command.model_validate_json(await reader.readline())
            return {"ok": True, **await self._do(command)}
        except (CodeError, StateError, ControlError) as error:
            return {"ok": False, "why": str(error)}
        except (ValidationError, ValueError, TimeoutError):
            return {"ok": False, "why": "not a command of this version"}

    async def _do(self, command: Command) -> dict[str, Any]:
        if command.do == "off":
            await self._switch.turn_off("command")
        elif command.do == "on":
            await self._switch.turn_on(command.code, "console", "command")
        elif command.do != "status":
            if self._more is None:
                raise ControlError("this agent does no such thing")
            return await self._more(command)
        return self._status()


def _bind(path: Path) -> socket.socket:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            path.unlink(missing_ok=True)  # left by an agent that was killed
        except OSError as error:
            raise ControlError(f"{path} cannot be used: {error}") from error
        else:
            raise ControlError(f"an agent already runs on {path.parent}: stop it first")
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(str(path))
        os.chmod(path, 0o600)  # the folder itself lets nobody else in
    except OSError as error:
        listener.close()
        raise ControlError(f"{path} cannot be made: {error}") from error
    return listener
