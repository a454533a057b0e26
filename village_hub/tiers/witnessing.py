"""Checkpoints of the audit log, exchanged with the hubs above and below (AUD-3): each holds what
the others signed, and says so when one signs another history."""

import logging
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from village_core.clock import Clock
from village_core.keys import PublicKey
from village_core.tokens import LARGEST
from village_hub.audit import making
from village_hub.audit.signing import CheckpointError, read
from village_hub.audit.witness import Known, fork
from village_hub.catalogue import audit, books, hubs, witness
from village_hub.catalogue.store import Session
from village_hub.tiers.books import Books, CannotTake
from village_hub.tiers.parent import Upward

log = logging.getLogger(__name__)

KIND = "checkpoint"
FORKED = "log_forked"


class _Note(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    checkpoint: str = Field(max_length=LARGEST)


class Witnessing:
    def __init__(self, lines: Books, upward: Upward, clock: Clock) -> None:
        self._lines = lines
        self._upward = upward
        self._clock = clock
        lines.takers[KIND] = self._take

    def tell(self, session: Session, text: str) -> None:
        """Every hub beside this one, of a checkpoint that is being made."""
        for peer in self._lines.peers(session):
            note = _Note(checkpoint=text).model_dump()
            books.write(session, peer, KIND, note, self._clock.utc_ms())

    def _take(self, session: Session, peer: str, body: Mapping[str, Any]) -> None:
        text = _Note.model_validate(body).checkpoint
        key = self._key(session, peer)
        if key is None:
            raise CannotTake("no_such_hub")
        try:
            said = read(text, key)
        except CheckpointError as error:
            raise CannotTake("not_signed") from error
        before = _known(witness.before(session, peer, said.number), key)
        same = _known(witness.of_number(session, peer, said.number, text), key)
        why = fork(before, same, (text, said))
        now = self._clock.utc_ms()
        witness.keep(session, peer, said.number, text, now)
        witness.thin(session, now)
        if why is not None:
            log.error("the log of hub %s was rewritten: %s", peer, why)
            about = {"hub": peer, "checkpoint": said.number, "why": why}
            audit.append(session, making.system(self._clock, FORKED, about=about))

    def _key(self, session: Session, peer: str) -> PublicKey | None:
        tie = self._upward.tie
        if tie is not None and tie.hub == peer:
            return PublicKey.from_text(tie.hub_key)
        row = hubs.find(session, peer)
        return row.key if row is not None and not row.revoked else None


def _known(text: str | None, key: PublicKey) -> Known | None:
    """None also for one that an earlier key of the hub signed."""
    if text is None:
        return None
    try:
        return text, read(text, key)
    except CheckpointError:
        return None
