"""Processes that a bench starts, ended with it."""

import asyncio
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any


@asynccontextmanager
async def started(*command: str, **options: Any) -> AsyncIterator[Process]:
    """Runs until the end of the context."""
    process = await asyncio.create_subprocess_exec(*command, **options)
    try:
        yield process
    finally:
        await end(process)


async def end(process: Process, within: float = 10) -> None:
    """SIGTERM, and SIGKILL to one that does not heed it."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), within)
    except TimeoutError:
        process.kill()
        await process.wait()
