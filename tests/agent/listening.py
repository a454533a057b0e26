"""The helpers of a camera's events run in threads: quick, and their lines are counted."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from home_agent import onvif, onvif_events
from home_agent.onvif import Heard, Listen
from home_agent.onvif_helper.__main__ import answer
from home_agent.onvif_helper.listening import Listener, trouble_of


def in_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onvif, "_run_helper", _answered)
    monkeypatch.setattr(onvif_events, "run_helper", _listening)


async def _answered(question: bytes) -> bytes:
    told = await asyncio.to_thread(answer, question)
    return told.model_dump_json().encode()


@asynccontextmanager
async def _listening(question: bytes) -> AsyncIterator[asyncio.StreamReader]:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 20)

    def say(heard: Heard) -> None:
        line = heard.model_dump_json().encode() + b"\n"
        loop.call_soon_threadsafe(reader.feed_data, line)

    listener = Listener(Listen.model_validate_json(question), say)
    running = loop.run_in_executor(None, lambda: say(trouble_of(listener)))
    try:
        yield reader
    finally:
        await asyncio.to_thread(listener.leave)
        await running
