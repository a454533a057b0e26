"""`home-agent reset` (DEV-10): the box forgets its household, and leaves its village.

The hub is told first, with the key that is erased then; when it cannot be reached, the village has
to take the box off its list itself. No agent may run meanwhile: it would write again what it knows.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from home_agent.boxclock import BoxClock
from home_agent.config import Config
from home_agent.control import alone
from home_agent.enrol import stored_enrolment
from home_agent.parent import Parent
from home_agent.state import State, StateError
from village_core.line import PARENT_ERRORS

TELL_FOR = 10.0  # seconds
WHAT = (
    "the keys of this box and of the household, whom the household shares with, its owners,",
    "the log of who looked, SOS calls, the household's code, the cameras' passwords kept here,",
    "and that this box belongs to a village.",
)

Confirm = Callable[[str], Awaitable[bool]]


async def reset(config: Config, confirm: Confirm, *, yes: bool) -> int:
    """Raises ControlError while an agent runs, StateError when it cannot be erased."""
    folder = config.state
    with alone(folder):
        print("This erases:", *(f"  {line}" for line in WHAT), sep="\n")
        print("What others were allowed ends. It cannot be taken back.", flush=True)
        if not yes and not await confirm("Erase it all?"):
            print("Nothing was erased.")
            return 1
        state = await asyncio.to_thread(State.open, folder)
        told = await _tell_hub(state)
        left = await asyncio.to_thread(state.erase)
    print(*_said(folder, told, left), sep="\n")
    return 0


async def _tell_hub(state: State) -> str:
    """What became of it, in words; never fails: a household may always erase its box."""
    try:
        found = await asyncio.to_thread(stored_enrolment, state)
    except StateError:
        return "Its enrolment is damaged: ask the village to take this box off its list."
    if found is None:
        return "It was enrolled at no hub."
    enrolment, key = found
    clock = BoxClock()
    parent = Parent(enrolment, enrolment.url, key, clock)
    try:
        async with asyncio.timeout(TELL_FOR):
            clock.learn((await parent.line.vouch()).utc_ms)
            await parent.leave()
    except PARENT_ERRORS as error:
        return (
            f"{enrolment.hub_name} could not be told ({error}): ask the village to take box"
            f" {enrolment.agent} off its list."
        )
    finally:
        await parent.close()
    return f"{enrolment.hub_name} knows that this box has left."


def _said(folder: Path, told: str, left: list[str]) -> list[str]:
    lines = [f"Erased: all that this box knew of the household, in {folder}.", told]
    if left:
        lines.append(f"Not the agent's, and still there: {', '.join(left)}.")
    lines.append(
        "The settings file is still there: take the cameras' addresses and passwords out of it."
    )
    return lines
