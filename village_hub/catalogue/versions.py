"""Optimistic versions: of two who edit the same row from the same state, the second is told.

    row = session.get(CameraRecord, camera_id)
    changed(row, expected)      # the version that the caller has read; raises Stale
    row.purpose = purpose

The transaction (see store.py) sees to it that the row is still so when it commits. SQLAlchemy's own
counter (`version_id_col`) is not used: it would count every change, an agent's status too, and
knows only what this transaction has read, not what a person had on the screen.
"""

from typing import Protocol, TypeVar

NEW = 0  # the version of what is not there yet


class Stale(Exception):  # noqa: N818 - a state of the catalogue
    """It was changed since it was read; `now` is its version."""

    def __init__(self, now: int) -> None:
        super().__init__(f"it is at version {now} now")
        self.now = now


class Versioned(Protocol):
    version: int


V = TypeVar("V", bound=Versioned)


def changed(row: V | None, expected: int) -> None:
    """Count this change. Raises Stale unless the row is the version that the caller has read; a row
    that is not there yet is version 0."""
    now = row.version if row is not None else NEW
    if now != expected:
        raise Stale(now)
    if row is not None:
        row.version = now + 1
