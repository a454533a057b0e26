"""The port through which every permission decision is written down, allowed or not (AUD-1, AUD-2);
`village_hub/audit/log.py` is it. And from where the request at hand came, for its entry."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

from village_hub.audit.entry import Entry


class AuditFailed(Exception):  # noqa: N818 - what happened
    """The entry could not be written: nobody from outside may see anything now (AUD-2)."""


class Audit(Protocol):
    @property
    def failing(self) -> bool:
        """Whether entries cannot be written at the moment."""
        ...

    async def write(self, entry: Entry) -> None:
        """In the log when it returns; raises AuditFailed."""
        ...

    def keep(self, entry: Entry) -> None:
        """Write it as soon as that is possible again, marked late."""
        ...


@dataclass(frozen=True, slots=True)
class CalledFrom:
    address: str = ""
    device: str = ""  # what the browser or program calls itself


NOWHERE = CalledFrom()
CALLED_FROM: ContextVar[CalledFrom] = ContextVar("CALLED_FROM", default=NOWHERE)
"""Of the request that this task answers; `guard.identify` sets it."""
