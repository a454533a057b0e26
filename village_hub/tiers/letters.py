"""Letters to and from hubs that are not beside this one (village_core/letters.py): put into the
book of the next hub on the way, handed on, or read here.

    letters.takers["notice"] = take      # (session, who wrote it, body): in one transaction
"""

import json
import logging
from collections.abc import Mapping
from typing import Any

from village_core.clock import Clock
from village_core.letters import LINE, LetterLine, body_of, sign
from village_core.tokens import DAY, LONGEST, Issuer, Kind, TokenError
from village_hub.audit import making
from village_hub.catalogue import audit, books, hubs, letters
from village_hub.catalogue.letters import Letter
from village_hub.catalogue.store import Catalogue, Session
from village_hub.node import Node
from village_hub.tiers.books import Books, CannotTake, Taker
from village_hub.tiers.parent import Upward
from village_hub.tiers.trust import Trust

log = logging.getLogger(__name__)

LOOK_EVERY = 0.5  # seconds between looks for letters that somebody wrote
FORGET_EVERY = 3600.0  # seconds
WAITS_MS = 30 * DAY * 1000  # for a way to its reader
LIVES_MS = LONGEST[Kind.LETTER] * 1000


class Letters:
    def __init__(
        self,
        node: Node,
        upward: Upward,
        trust: Trust,
        catalogue: Catalogue,
        lines: Books,
        *,
        clock: Clock,
    ) -> None:
        self.takers: dict[str, Taker] = {}
        self._hub = node.id
        self._issuer = Issuer(node.id, node.key, clock)
        self._upward = upward
        self._trust = trust
        self._catalogue = catalogue
        self._lines = lines
        self._clock = clock
        self._forgot = clock.monotonic()
        lines.takers[LINE] = self._take

    async def run(self) -> None:
        """A job."""
        while True:
            await self.look()
            if self._clock.monotonic() - self._forgot >= FORGET_EVERY:
                self._forgot = self._clock.monotonic()
                await self._catalogue.write(letters.forget, self._clock.utc_ms() - LIVES_MS)
            await self._clock.sleep(LOOK_EVERY)

    async def look(self) -> None:
        """Every letter that has a way is put into that hub's book."""
        after = ""
        while found := await self._catalogue.read(letters.waiting, after):
            if await self._catalogue.write(self._send, found):
                self._lines.soon()
            after = found[-1].id

    def _send(self, session: Session, found: list[Letter]) -> int:
        return sum(self._put(session, letter) for letter in found)

    def _put(self, session: Session, letter: Letter) -> bool:
        now = self._clock.utc_ms()
        peer = self._way(session, letter.to)
        if peer is None and letter.written > now - WAITS_MS:
            return False
        letters.gone(session, letter.id)
        if peer is None:
            log.error("a letter to hub %s found no way in 30 days", letter.to)
            about = {"hub": letter.to, "kind": letter.kind or "of another hub"}
            audit.append(session, making.system(self._clock, "letter_lost", about=about))
            return False
        text = letter.body
        if letter.kind:
            text = sign(self._issuer, letter.to, letter.kind, json.loads(letter.body))
        line = LetterLine(to=letter.to, letter=text)
        books.write(session, peer, LINE, line.model_dump(), now)
        return True

    def _way(self, session: Session, to: str) -> str | None:
        """The hub beside this one towards `to`; None: it is not known where that is."""
        place = self._trust.place_of(to)
        if place is None:
            return None
        below = [row.id for row in hubs.living(session) if place.startswith(row.place)]
        tie = self._upward.tie
        return below[0] if below else tie.hub if tie else None

    def _take(self, session: Session, peer: str, body: Mapping[str, Any]) -> None:
        line = LetterLine.model_validate(body)
        if line.to == self._hub:
            self._read(session, line.letter)
        elif self._way(session, line.to) in (None, peer):
            raise CannotTake("no_way")
        else:
            letters.hand_on(session, line.to, line.letter, self._clock.utc_ms())

    def _read(self, session: Session, text: str) -> None:
        try:
            claims = self._trust.letter(text)
            said = body_of(claims)
        except TokenError as error:
            raise CannotTake(f"letter_{error.code}"[:40]) from error
        taker = self.takers.get(claims.subject)
        if taker is None:
            raise CannotTake("unknown_letter")
        if letters.take(session, claims.issuer, claims.id, self._clock.utc_ms()):
            taker(session, claims.issuer, said)
