"""One alarm input: when a camera's word about it is a call for help. Pure.

A call is the change from the quiet state to the other. A camera also tells how its inputs stand
whenever it is listened to anew; that is a call only if the contact was known to be quiet before, so
that neither a start of the box nor a lost connection calls, and nothing pressed meanwhile is lost.
"""

from dataclasses import dataclass
from enum import StrEnum

from home_agent.onvif import InputState


class Standing(StrEnum):
    UNKNOWN = "unknown"  # nothing was heard of it since the box listens
    UNREADABLE = "unreadable"  # what was heard last makes no sense
    QUIET = "quiet"
    ALARM = "alarm"


@dataclass(slots=True)
class Contact:
    """`known` is its LogicalState when last heard, maybe before a restart."""

    token: str
    quiet: bool  # the LogicalState in which nobody calls
    known: bool | None = None
    standing: Standing = Standing.UNKNOWN

    def hear(self, said: InputState, *, first: bool) -> bool:
        """Whether this is a call. `first`: it came with the first answer of a subscription."""
        if said.operation == "deleted":  # the camera has the input no more
            self.standing = Standing.UNKNOWN
            return False
        if said.logical is None:
            self.standing = Standing.UNREADABLE
            return False
        before, self.known = self.known, said.logical
        self.standing = Standing.QUIET if said.logical == self.quiet else Standing.ALARM
        if self.standing is Standing.QUIET:
            return False
        if before is None:
            return said.operation == "changed" or (not said.operation and not first)
        return before == self.quiet
