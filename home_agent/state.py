"""The one state folder of an agent: 0700, its files 0600, every write atomic.

    node.key household.key     Ed25519, PKCS#8 PEM; the household's never leaves the box (PRM-21)
    enrolment.json             the hub: id, url, pinned key
    cameras.json               config key -> camera id
    switch.json                the privacy switch
    household.json             hash of the household's code
    passwords/KEY              a camera's password, first line
    lan.pem                    the LAN page's certificate and key
    grants.json                what the household gave, what is stopped, drafts that wait
    owners.json                the owners that were confirmed at home
    sos.json                   the last SOS, and whether it was sent
    alarms.json                how the cameras' alarm inputs stood when last heard
    openings.json              what an SOS or an emergency has open, and how many there were today
    permits.jsonl              who was let see what (the older half in permits.1.jsonl)
    told.json                  how far the hub has read that log
    devices.json               addresses by which ONVIF cameras were found
    erasing                    a reset is under way (erasing.py, which names all of these)

Functions here block on the disk for a moment: services call them in a thread.
"""

import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from home_agent import erasing

T = TypeVar("T", bound=BaseModel)


class StateError(Exception):
    """The state folder cannot be used; the sentence says which file, why and what to do."""


class Stored(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CameraIds(Stored):
    ids: dict[str, str] = {}


class State:
    """The folder; `open` makes it when absent and refuses one that others can read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def open(cls, folder: Path) -> "State":
        """Raises StateError."""
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            mode = folder.stat().st_mode
        except OSError as error:
            raise StateError(
                f"the state folder {folder} cannot be made: {error.strerror}"
            ) from error
        if not stat.S_ISDIR(mode):
            raise StateError(f"{folder} is not a folder")
        if stat.S_IMODE(mode) & 0o077:
            raise StateError(f"others can read the state folder {folder}: chmod 700 it")
        state = cls(folder)
        if erasing.is_begun(folder):
            state.erase()  # a reset that was cut off
        return state

    def erase(self) -> list[str]:
        """All that an agent ever wrote here; names of what is left. Raises StateError: then the
        next start goes on with it."""
        try:
            erasing.begin(self.folder)
            return erasing.finish(self.folder)
        except OSError as error:
            raise StateError(f"{self.folder} cannot be erased: {error.strerror}") from error

    def path(self, name: str) -> Path:
        return self.folder / name

    def read_bytes(self, name: str) -> bytes | None:
        """The file's bytes; None when not there. Raises StateError, also if others may read."""
        path = self.path(name)
        try:
            with path.open("rb") as file:
                if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                    raise StateError(f"others can read {path}: chmod 600 it")
                return file.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StateError(f"{path} cannot be read: {error.strerror}") from error

    def write_bytes(self, name: str, data: bytes) -> None:
        """Whole or not at all, also when the power fails. Raises StateError."""
        path = self.path(name)
        part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            _write_durably(part, data)
            part.replace(path)
            _sync_folder(path.parent)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise StateError(f"{path} cannot be written: {error.strerror}") from error

    def read(self, name: str, kind: type[T]) -> T | None:
        """A JSON document; None when it is not there. Raises StateError when it is damaged."""
        data = self.read_bytes(name)
        if data is None:
            return None
        try:
            return kind.model_validate_json(data)
        except ValidationError as error:
            said = error.errors(include_input=False, include_url=False)[0]["msg"]
            raise StateError(
                f"{self.path(name)} is damaged ({said}): restore or remove it"
            ) from error

    def write(self, name: str, document: BaseModel) -> None:
        self.write_bytes(name, document.model_dump_json().encode())

    def remove(self, name: str) -> None:
        try:
            self.path(name).unlink(missing_ok=True)
            _sync_folder(self.folder)
        except OSError as error:
            raise StateError(f"{self.path(name)} cannot be removed: {error.strerror}") from error

    def camera_ids(self, wanted: dict[str, str], make: Callable[[], str]) -> dict[str, str]:
        """Ids by config key; `wanted` gives a fixed id or "". New ones are made and kept.

        Ids of cameras that left the config are kept too: a camera that comes back is the same one.
        """
        kept = self.read("cameras.json", CameraIds) or CameraIds()
        ids = dict(kept.ids)
        for key, fixed in wanted.items():
            ids[key] = fixed or ids.get(key) or make()
        if ids != kept.ids:
            self.write("cameras.json", CameraIds(ids=ids))
        mine = {key: ids[key] for key in wanted}
        if len(set(mine.values())) < len(mine):
            raise StateError("two cameras have the same id: correct `id` in the settings")
        return mine

    def password(self, key: str) -> str | None:
        """The password kept for a camera: the first line of passwords/KEY."""
        data = self.read_bytes(f"passwords/{key}")
        if data is None:
            return None
        try:
            lines = data.decode().splitlines()
        except UnicodeDecodeError as error:
            raise StateError(f"{self.path(f'passwords/{key}')} is not text") from error
        return lines[0] if lines else ""


def _write_durably(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
