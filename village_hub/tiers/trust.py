"""The county's trust list as this hub holds it: taken in, kept, handed on below (IDN-4).

Without one nobody of another hub is anybody here.
"""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from village_core.clock import Clock
from village_core.keys import PublicKey, write_new
from village_core.tokens import Claims, Kind, TokenError
from village_core.trust import Entry, ForeignVerifier, TrustList, read_trust_list

log = logging.getLogger(__name__)

FILE = "trust.jwt"
Learn = Callable[[str], Awaitable[None]]
LOOK_EVERY = 2.0  # seconds between looks for a list that the command line installed


class Trust:
    """`root`: the county's root key as it is known now; None: nobody is believed. `learn_root`
    pins the one that the hub above gives."""

    def __init__(
        self,
        hub: str,
        state: Path,
        root: Callable[[], PublicKey | None],
        learn_root: Learn,
        clock: Clock,
    ) -> None:
        self.on_new: list[Callable[[str], None]] = []  # the list as signed
        self._hub = hub
        self._path = state / FILE
        self._root = root
        self._learn_root = learn_root
        self._clock = clock
        self._text = ""
        self._list: TrustList | None = None
        self._alone = asyncio.Lock()  # the hub above may give one list twice at once
        self._seen: tuple[int, str | None] | None = None

    @property
    def text(self) -> str:
        """As signed; "" before there is one."""
        return self._text

    def place_of(self, issuer: str) -> str | None:
        """What a hub is for, by the list."""
        entries = self._list.entries if self._list else ()
        return next((each.place for each in entries if each.issuer == issuer), None)

    def nearest(self, place: str) -> Entry | None:
        """The hub that keeps a place's matters: the one with the narrowest place around it."""
        entries = self._list.entries if self._list else ()
        around = [each for each in entries if place.startswith(each.place)]
        return max(around, key=lambda each: len(each.place), default=None)

    def verify(self, kind: Kind, text: str) -> Claims:
        """What a hub that the list names says of its own people, to this hub. Raises TokenError."""
        if self._list is None:
            raise TokenError("no_trust_list")
        return ForeignVerifier(self._hub, self._list, {}, self._clock).verify(kind, text)

    def letter(self, text: str) -> Claims:
        """What a hub that the list names wrote to this one: true also if its clock is wrong. Raises
        TokenError."""
        if self._list is None:
            raise TokenError("no_trust_list")
        claims = ForeignVerifier(self._hub, self._list, {}, None).verify(Kind.LETTER, text)
        if claims.expires_at * 1000 <= self._clock.utc_ms():
            raise TokenError("expired")
        return claims

    async def take(self, text: str, root: str | None = None) -> None:
        """A list from above, kept; `root` is believed where none is known. Raises TokenError: not
        by the root, over, or an older one."""
        async with self._alone:
            if text == self._text:
                return
            if root is not None and self._root() is None:
                await self._learn_root(root)
            found = self._read(text)
            await asyncio.to_thread(_write, self._path, text)
            self._hold(text, found)

    async def watch(self) -> None:
        """A job: the list that stands in the file, from the start on."""
        while True:
            await self._look()
            await self._clock.sleep(LOOK_EVERY)

    async def _look(self) -> None:
        root = self._root()
        seen = (await asyncio.to_thread(_changed, self._path), root.text if root else None)
        if seen == self._seen:
            return
        self._seen = seen
        text = await asyncio.to_thread(_read, self._path)
        if not text or text == self._text:
            return
        try:
            self._hold(text, self._read(text))
        except TokenError as error:
            log.warning("the trust list in %s is not accepted: %s", self._path, error.code)

    def _read(self, text: str) -> TrustList:
        root = self._root()
        if root is None:
            raise TokenError("no_root")
        return read_trust_list(text, root, self._clock, held=self._list)

    def _hold(self, text: str, found: TrustList) -> None:
        self._text, self._list = text, found
        log.info("trust list %d: %d hubs", found.number, len(found.entries))
        for callback in self.on_new:
            callback(text)


def install(state: Path, text: str, root: PublicKey, clock: Clock) -> TrustList:
    """By the command line; a running hub takes it up. Raises TokenError, OSError."""
    path = state / FILE
    held = None
    if before := _read(path):
        try:
            held = read_trust_list(before, root, clock)
        except TokenError:
            held = None  # over, or of another root
    found = read_trust_list(text, root, clock, held=held)
    _write(path, text)
    return found


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _write(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    write_new(new, f"{text}\n".encode())
    os.replace(new, path)
