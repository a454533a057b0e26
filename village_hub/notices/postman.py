"""Delivers what is queued: looks every second, hands each attempt to its carrier, notes the result.

An attempt is begun in the database before it is made, so that a crash loses none: after its lease
it is made again under the same reference.
"""

import asyncio
import logging
from collections.abc import Mapping

from village_core.clock import Clock
from village_core.jobs import Supervisor
from village_hub.catalogue import notices
from village_hub.catalogue.notices import NoticeRow
from village_hub.catalogue.store import Catalogue, Session
from village_hub.notices import delivery
from village_hub.notices.carriers import Carrier, Letter, Result, write
from village_hub.notices.contacts import Contact
from village_hub.notices.kinds import Channel
from village_hub.notices.phone_keys import PhoneKeys

log = logging.getLogger(__name__)

LOOKS_EVERY = 1.0  # seconds: an SOS call must not wait longer
MOST_AT_ONCE = 50  # attempts under way
KEEPS = 3 * 366 * 24 * 3600 * 1000  # ms: as the records of consent and disclosure (NDR 12)
FORGETS_EVERY = 3600 * 1000  # ms

Taken = tuple[NoticeRow, Channel, Contact | None]


class Postman:
    """One job; what is under way runs beside it, so that a slow carrier holds up nobody."""

    def __init__(
        self,
        catalogue: Catalogue,
        carriers: Mapping[Channel, Carrier],
        phone_keys: PhoneKeys,
        supervisor: Supervisor,
        clock: Clock,
    ) -> None:
        self._catalogue = catalogue
        self._carriers = carriers
        self._phone_keys = phone_keys
        self._supervisor = supervisor
        self._clock = clock
        self._under_way: set[asyncio.Task[None]] = set()
        self._forgot = 0  # UTC ms

    async def run(self) -> None:
        while True:
            await self.once()
            await self._clock.sleep(LOOKS_EVERY)

    async def once(self) -> None:
        """Begin what is due, fail what is overdue, forget what is old."""
        now = self._clock.utc_ms()
        room = MOST_AT_ONCE - len(self._under_way)
        for row, channel, contact in await self._catalogue.write(take, now, room):
            offered = self._phone_keys.offered(row.kind, row.whom)
            letter = write(row, channel, contact, offered)
            task = self._supervisor.once(f"notice {row.id}", self._carry(letter))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        for row in await self._catalogue.write(notices.fail_overdue, now, MOST_AT_ONCE):
            log.warning("notice %s, %s to %s, reached nobody in time", row.id, row.kind, row.whom)
        if now - self._forgot > FORGETS_EVERY:
            await self._catalogue.write(notices.forget, now - KEEPS)
            self._forgot = now

    async def finish(self) -> None:
        """What is under way is cut off; it is made again after its lease."""
        under_way = list(self._under_way)
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    async def _carry(self, letter: Letter) -> None:
        carrier = self._carriers.get(letter.channel)
        result = await carrier.carry(letter) if carrier else Result.IMPOSSIBLE
        await self._catalogue.write(note, letter.reference, result, self._clock.utc_ms())


def take(session: Session, now: int, limit: int) -> list[Taken]:
    """Attempts whose time has come, begun, each with its addressee's contact."""
    return [
        (row, channel, notices.contact(session, row.holder))
        for row, channel in notices.take(session, now, limit)
    ]


def note(session: Session, reference: str, result: Result, now: int) -> None:
    """What became of an attempt, as its carrier or a receipt says. What is no longer under way is
    past changing, but for the good news that it arrived."""
    row, channel = _named(session, reference)
    if row is None or channel is None:
        return
    progress = row.progress
    if result is Result.ARRIVED:
        notices.keep(session, row.id, delivery.arrived(progress, channel, now))
    elif not progress.given_up and row.reference(progress.channel) == reference:
        if result is Result.ACCEPTED:
            progress = delivery.accepted(progress, now)
        else:
            for_good = result is Result.IMPOSSIBLE
            progress = delivery.bounced(progress, now, for_good=for_good)
        notices.keep(session, row.id, progress)


def _named(session: Session, reference: str) -> tuple[NoticeRow | None, Channel | None]:
    notice_id, _, rest = reference.partition(".")
    name = rest.partition(".")[0]
    known = name in set(Channel)
    return notices.find(session, notice_id), Channel(name) if known else None
