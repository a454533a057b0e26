"""What a key on a phone brings about: stop, no, or "I am coming" to an SOS. Never yes (PRM-23).

A part that can carry one out says so by `on(kind, outcome, handler)` when it starts. Only what the
data of `due.KEYS` names can be registered, and only what is registered is offered in a call.
"""

import logging
from collections.abc import Awaitable, Callable

from village_core.clock import Clock
from village_hub.catalogue import notices
from village_hub.catalogue.notices import NoticeRow
from village_hub.catalogue.store import Catalogue
from village_hub.errors import NotFound
from village_hub.notices import sentences
from village_hub.notices.due import KEY_OF, KEYS, outcomes
from village_hub.notices.kinds import Channel, Kind, Outcome, Whom

log = logging.getLogger(__name__)

# Carries it out. The gateway may bring one key several times: the second time changes nothing.
OnKey = Callable[[NoticeRow, Outcome], Awaitable[None]]
BY_PHONE = frozenset({Channel.VOICE, Channel.SMS})


class PhoneKeys:
    """The registry, and the way of one pressed key to its handler."""

    def __init__(self, catalogue: Catalogue, clock: Clock) -> None:
        self._catalogue = catalogue
        self._clock = clock
        self._handlers: dict[tuple[Kind, Outcome], OnKey] = {}

    def on(self, kind: Kind, outcome: Outcome, handler: OnKey) -> None:
        """Raises ValueError for what no key may bring about."""
        if outcome not in KEYS.get(kind, ()):
            raise ValueError(f"no key may bring about {outcome} for {kind}")
        if (kind, outcome) in self._handlers:
            raise ValueError(f"{outcome} for {kind} has a handler")
        self._handlers[kind, outcome] = handler

    def offered(self, kind: Kind, whom: Whom) -> tuple[Outcome, ...]:
        """What this addressee can bring about by key here and now."""
        return tuple(one for one in outcomes(kind, whom) if (kind, one) in self._handlers)

    async def pressed(self, reference: str, digit: str) -> str:
        """The sentence to say to whoever pressed it. Raises NotFound for what was never sent."""
        row, channel = await self._sent(reference)
        contact = await self._catalogue.read(notices.contact, row.holder)
        language = contact.language if contact else "zh"
        outcome = self._outcome(row, channel, digit)
        now = self._clock.utc_ms()
        await self._catalogue.write(notices.arrive, row.id, channel, now)  # somebody is there
        if outcome is None:
            return sentences.done(language, None)
        await self._handlers[row.kind, outcome](row, outcome)
        if outcome is not Outcome.ACCEPT_SOS_CALL:
            await self._catalogue.write(notices.keep_answer, row.id, outcome)
        return sentences.done(language, outcome)

    def _outcome(self, row: NoticeRow, channel: Channel, digit: str) -> Outcome | None:
        offered = self.offered(row.kind, row.whom)
        if channel is not Channel.VOICE:  # IDN-11: a text message's sender is easily forged
            offered = tuple(one for one in offered if one is not Outcome.ACCEPT_SOS_CALL)
        return next((one for one in offered if KEY_OF[one] == digit), None)

    async def _sent(self, reference: str) -> tuple[NoticeRow, Channel]:
        notice_id, _, rest = reference.partition(".")
        row = await self._catalogue.read(notices.find, notice_id)
        name = rest.partition(".")[0]
        if row is None or row.progress.attempts == 0 or name not in BY_PHONE:
            raise NotFound("no such notice was sent by phone")
        return row, Channel(name)
