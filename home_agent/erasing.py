"""Erasing what a box knows of its household (DEV-10): whole, or not begun.

A mark is written first. A box that is switched off half way finds the mark at the next start of
anything, and goes on erasing before it does anything else: what is there is the old, or nothing.

Only what an agent writes is erased, and by name: a wrong `state` in the settings costs nobody a
folder of theirs.
"""

import os
import re
from pathlib import Path

MARK = "erasing"
FILES = (  # the keys first
    *("household.key", "node.key", "node.key.new", "household.json", "lan.pem"),
    *("enrolment.json", "owners.json", "owners.damaged", "grants.json", "grants.damaged"),
    *("openings.json", "sos.json", "alarms.json", "permits.jsonl", "permits.1.jsonl", "told.json"),
    *("switch.json", "cameras.json", "devices.json"),
)
PASSWORDS = "passwords"
SOCKET = "control.sock"  # whoever made it removes it
PART = re.compile(r"\..+\.([0-9a-f]{8}|[0-9a-f]{16})")  # of an atomic write that was cut off


def begin(folder: Path) -> None:
    """From here on it is erased, whatever happens. Raises OSError."""
    handle = os.open(folder / MARK, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    os.close(handle)
    _sync(folder)


def is_begun(folder: Path) -> bool:
    return (folder / MARK).exists()


def finish(folder: Path) -> list[str]:
    """Names of what is left, because no agent wrote it. Raises OSError; then it can be repeated."""
    for path in [folder / name for name in FILES] + _parts(folder):
        _erase(path)
    passwords = folder / PASSWORDS
    if passwords.is_dir() and not passwords.is_symlink():
        for path in sorted(passwords.iterdir()):
            _erase(path)
        _sync(passwords)
        passwords.rmdir()
    _sync(folder)
    (folder / MARK).unlink(missing_ok=True)
    _sync(folder)
    return sorted(path.name for path in folder.iterdir() if path.name != SOCKET)


def _parts(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if PART.fullmatch(path.name)]


def _erase(path: Path) -> None:
    """Overwritten once, then removed: no more can be done from here on a memory card."""
    if path.is_symlink() or not path.exists():
        path.unlink(missing_ok=True)
        return
    with path.open("r+b") as file:
        size = path.stat().st_size
        while size > 0:
            size -= file.write(bytes(min(size, 1 << 20)))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
