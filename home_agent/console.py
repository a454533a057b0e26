"""What the running agent does for `home-agent grants`, `owners` and `sos` (control.py).

Stopping and calling for help need nothing; giving, and new owners, need the household's code: who
holds the box for a visit is not the household.
"""

from typing import TYPE_CHECKING, Any

from home_agent import consent_view
from home_agent.control import Command, ControlError
from village_core.uplink import Refused

if TYPE_CHECKING:
    from home_agent.agent import Agent


class Console:
    def __init__(self, agent: "Agent") -> None:
        self._agent = agent
        self._does = {
            "stop": self._stop,
            "give": self._give,
            "refuse": self._refuse,
            "owner_give": self._owner_give,
            "owner_refuse": self._owner_refuse,
            "owner_remove": self._owner_remove,
            "sos": self._sos,
        }

    async def do(self, command: Command) -> dict[str, Any]:
        """Raises CodeError, StateError or ControlError."""
        does = self._does.get(command.do)
        if does is not None:
            await does(command)
        return consent_view.consent(self._agent)

    async def _stop(self, command: Command) -> None:
        _found(await self._agent.consent.stop(command.id, "command"))

    async def _give(self, command: Command) -> None:
        await self._agent.household.check(command.code, "console")
        try:
            _found(await self._agent.consent.give(command.id) is not None)
        except Refused as error:
            raise ControlError(str(error)) from error

    async def _refuse(self, command: Command) -> None:
        _found(await self._agent.consent.refuse(command.id))

    async def _owner_give(self, command: Command) -> None:
        await self._agent.household.check(command.code, "console")
        _found(await self._agent.consent.confirm_owner(command.id))

    async def _owner_refuse(self, command: Command) -> None:
        _found(await self._agent.consent.refuse_owner(command.id))

    async def _owner_remove(self, command: Command) -> None:
        await self._agent.household.check(command.code, "console")
        _found(await self._agent.consent.remove_owner(command.id))

    async def _sos(self, _: Command) -> None:
        await self._agent.sos.press("command")


def _found(found: bool) -> None:  # noqa: FBT001 - an answer, no choice of behaviour
    if not found:
        raise ControlError("there is none with this id: see the list")
