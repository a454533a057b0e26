"""When a camera's word about an alarm input is a call for help (PRM-6)."""

from typing import Literal

import pytest

from home_agent.contact import Contact, Standing
from home_agent.onvif import InputState

Operation = Literal["", "initialized", "changed", "deleted"]


def said(logical: bool | None, operation: Operation = "changed") -> InputState:
    return InputState(token="1", logical=logical, operation=operation)


@pytest.mark.parametrize(
    ("known", "operation", "first", "calls"),
    [
        (None, "initialized", True, False),
        (None, "initialized", False, False),
        (None, "", True, False),
        (None, "", False, True),  # the camera tells no initial states: then this is a change
        (None, "changed", True, True),
        (False, "initialized", True, True),  # pressed while nobody listened
        (False, "", True, True),
        (False, "changed", False, True),
        (True, "initialized", True, False),
        (True, "changed", False, False),  # told twice
    ],
)
def test_only_a_change_into_the_alarm_state_calls(
    known: bool | None, operation: Operation, first: bool, calls: bool
) -> None:
    for quiet in (False, True):
        before = known if known is None else known is not quiet
        contact = Contact("1", quiet, before)
        assert contact.hear(said(not quiet, operation), first=first) is calls
        assert str(contact.standing) == "alarm"
        assert not contact.hear(said(not quiet, operation), first=False)
        assert not contact.hear(said(quiet, operation), first=False)
        assert str(contact.standing) == "quiet"
        assert contact.hear(said(not quiet, operation), first=False)


def test_what_makes_no_sense_neither_calls_nor_is_taken_for_quiet() -> None:
    contact = Contact("1", quiet=False, known=False)
    assert not contact.hear(said(None), first=False)
    assert contact.standing is Standing.UNREADABLE
    assert contact.hear(said(True), first=False)
    assert not contact.hear(said(False, "deleted"), first=False)
    assert (contact.standing, contact.known) == (Standing.UNKNOWN, True)
