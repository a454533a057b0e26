"""Drives a `bench.viewers` or `bench.publishers` process from a bench."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bench.processes import started

LONGEST_LINE = 1 << 22  # bytes: a hundred bearers


class Driven:
    """One order, one answer."""

    def __init__(self, process: Process) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    async def order(self, within: float = 120, **order: Any) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        async with asyncio.timeout(within):
            line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError("the load generator ended")
        answer: dict[str, Any] = json.loads(line)
        return answer


@asynccontextmanager
async def driven(module: str) -> AsyncIterator[Driven]:
    command = (sys.executable, "-m", module)
    async with started(*command, stdin=PIPE, stdout=PIPE, limit=LONGEST_LINE) as process:
        yield Driven(process)
