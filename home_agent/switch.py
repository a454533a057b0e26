"""The privacy switch: while it is off, nothing leaves the home, whatever the hub says.

Off needs nothing and holds at once, before it is written down; on needs the household's code. A
switch whose file is damaged is off. Button and lamp are in panel.py, the command in control.py.
"""

import asyncio
import logging
from collections.abc import Callable

from home_agent.household import Household
from home_agent.state import State, StateError, Stored

log = logging.getLogger(__name__)

FILE = "switch.json"

Listener = Callable[[], None]


class SwitchState(Stored):
    off: bool


class Switch:
    """`listen` callbacks run at once in the turn that switches, before anything is awaited."""

    def __init__(self, state: State, household: Household) -> None:
        self._state = state
        self._household = household
        self._listeners: list[Listener] = []
        self.off = _stored(state)

    def listen(self, listener: Listener) -> None:
        self._listeners.append(listener)

    async def turn_off(self, how: str) -> None:
        """Raises StateError when it could not be written down: it is off all the same."""
        log.warning("the privacy switch was turned off (%s)", how)
        self._set(off=True)
        await asyncio.to_thread(self._state.write, FILE, SwitchState(off=True))

    async def turn_on(self, code: str, place: str, how: str) -> None:
        """Raises CodeError, or StateError: it then stays off."""
        await self._household.check(code, place)
        await asyncio.to_thread(self._state.write, FILE, SwitchState(off=False))
        log.warning("the privacy switch was turned on (%s)", how)
        self._set(off=False)

    def _set(self, *, off: bool) -> None:
        if off == self.off:
            return
        self.off = off
        for listener in self._listeners:
            listener()


def _stored(state: State) -> bool:
    try:
        kept = state.read(FILE, SwitchState)
    except StateError as error:
        log.error("%s; the privacy switch is off until it is turned on", error)  # noqa: TRY400
        return True
    return kept is not None and kept.off
