"""Makes checkpoints, at least hourly and on 1,000 entries, and lets old entries go (AUD-3).

In the database and, for whoever rewrites that, in `STATE/audit/checkpoints.jsonl`.
"""

import asyncio
import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from village_core.clock import Clock
from village_core.keys import PublicKey
from village_core.tokens import Issuer
from village_hub.audit.chain import Head
from village_hub.audit.signing import Checkpoint, CheckpointError, digest, read, sign
from village_hub.catalogue import audit, audit_keeping
from village_hub.catalogue.audit_keeping import NOTHING_HELD, Held, Last, Make
from village_hub.catalogue.store import Catalogue, Session

log = logging.getLogger(__name__)

FILE = Path("audit") / "checkpoints.jsonl"  # below the hub's state folder
T = TypeVar("T")
LOOKS_EVERY = 10.0  # seconds
EVERY = 3600.0  # seconds
ON_ENTRIES = 1000
RETIRES_EVERY = 24 * 3600.0
KEPT_MS = 3 * 366 * 24 * 3600 * 1000  # RET: 3 years


class Checkpoints:
    """`run` is its job. `held` says what an open case keeps longer; `tell` is told of each one, in
    the transaction that keeps it."""

    def __init__(
        self,
        catalogue: Catalogue,
        issuer: Issuer,
        key: PublicKey,
        file: Path,
        clock: Clock,
        held: Callable[[Session], Held] = lambda _: NOTHING_HELD,
    ) -> None:
        self._catalogue = catalogue
        self._issuer = issuer
        self._key = key
        self._file = file
        self._clock = clock
        self._held = held
        self._alone = asyncio.Lock()  # one after the other, in the file as well
        self._made_at: float | None = None
        self._entries = 0  # that the last one covered
        self._retired_at = clock.monotonic()
        self.tell: list[Callable[[Session, str], None]] = []

    async def run(self) -> None:
        """A job."""
        while True:
            await self.look()
            await self._clock.sleep(LOOKS_EVERY)

    async def look(self) -> None:
        """Make what is due."""
        now = self._clock.monotonic()
        heads = await self._catalogue.read(audit.heads)
        entries = sum(head.seq + 1 for head in heads.values())
        waited = self._made_at is None or now - self._made_at >= EVERY
        if waited or entries - self._entries >= ON_ENTRIES:
            await self.make()
        if now - self._retired_at >= RETIRES_EVERY:
            self._retired_at = now
            await self.retire(self._clock.utc_ms() - KEPT_MS)

    async def make(self) -> str:
        """Sign the heads of all chains as they are now."""
        async with self._alone:
            following = await self._following()
            text, made = await self._catalogue.write(
                self._and_tell, lambda session: audit_keeping.add_checkpoint(session, following)
            )
            self._made_at = self._clock.monotonic()
            self._entries = sum(head.seq + 1 for head in made.heads.values())
            await self._copy()
        return text

    async def retire(self, before: int) -> int:
        """Let entries from before this time go, those of open cases and what follows them not:
        a chain stays in one piece. How many went."""
        async with self._alone:
            following = await self._following()
            gone = await self._catalogue.write(
                self._and_tell,
                lambda session: audit_keeping.retire(session, before, self._held, following),
            )
            if gone:
                log.info("%d entries of the audit log were old enough to go", gone)
                await self._copy()
        return gone

    def _and_tell(self, session: Session, work: Callable[[Session], T]) -> T:
        last = audit_keeping.last_number(session)
        done = work(session)
        if self.tell:
            for text in audit_keeping.checkpoints(session, last):
                for tell in self.tell:
                    tell(session, text)
        return done

    async def _following(self) -> Make:
        """Makes the next checkpoint, knowing what is in the file."""
        in_file = await asyncio.to_thread(self._last_in_file)
        return lambda heads, begins, last: self._next(heads, begins, last, in_file)

    def _next(
        self, heads: dict[str, Head], begins: dict[str, Head], last: Last, in_file: str | None
    ) -> tuple[str, Checkpoint]:
        """The checkpoint that follows the later of the two. Chains begin where that one said, or
        later (`begins`), whatever the tables say."""
        number, text = last or (-1, None)
        found, other = self._known(text), self._known(in_file)
        if other is not None and (found is None or other.number > found.number):
            found, text = other, in_file
        made = Checkpoint(
            number=max(number, found.number if found else -1) + 1,
            prev=digest(text),
            utc_ms=self._clock.utc_ms(),
            heads=heads,
            begins={**(found.begins if found else {}), **begins},
        )
        return sign(self._issuer, made), made

    def _known(self, text: str | None) -> Checkpoint | None:
        if text is None:
            return None
        try:
            return read(text, self._key)
        except CheckpointError as error:
            log.error("a checkpoint of the audit log is %s", error)  # noqa: TRY400
            return None

    async def _copy(self) -> None:
        """Append to the file what it lacks."""
        last = self._known(await asyncio.to_thread(self._last_in_file))
        since = last.number if last else -1
        texts = await self._catalogue.read(audit_keeping.checkpoints, since)
        await asyncio.to_thread(append_lines, self._file, texts)

    def _last_in_file(self) -> str | None:
        lines = read_lines(self._file)
        return lines[-1] if lines else None


def read_lines(file: Path) -> list[str]:
    """The checkpoints in the file; what is no line of ours is left out."""
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    found = []
    for line in text.splitlines():
        try:
            found.append(str(json.loads(line)["checkpoint"]))
        except (ValueError, TypeError, KeyError):
            log.warning("%s has a line that is no checkpoint", file)
    return found


def append_lines(file: Path, texts: list[str]) -> None:
    """On the disk when it returns."""
    if not texts:
        return
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.writelines(json.dumps({"checkpoint": text}) + "\n" for text in texts)
        out.flush()
        os.fsync(out.fileno())
