"""What hubs below write to people of this one, and what people here answer to hubs below: notices,
and who comes to an SOS."""

import logging
from collections.abc import Mapping
from typing import Any

from village_core.clock import Clock
from village_hub.access.crossing import MATTERS
from village_hub.catalogue import far, people, units
from village_hub.catalogue.far import Far
from village_hub.catalogue.store import Session
from village_hub.errors import HubError
from village_hub.notices import abroad, port, rings
from village_hub.notices.abroad import Said
from village_hub.notices.port import About, Event, Notice, To
from village_hub.tiers.books import CannotTake
from village_hub.tiers.letters import Letters
from village_hub.tiers.trust import Trust

log = logging.getLogger(__name__)


class FarNotices:
    def __init__(self, letters: Letters, trust: Trust, place: str, clock: Clock) -> None:
        self._trust = trust
        self._place = place
        self._clock = clock
        letters.takers[abroad.NOTICE] = self._take
        letters.takers[rings.ANSWER] = self._answered

    def _take(self, session: Session, writer: str, body: Mapping[str, Any]) -> None:
        place = self._trust.place_of(writer) or ""
        if not place.startswith(self._place):
            raise CannotTake("not_below")
        said = Said.model_validate(body)
        to = _to(session, said)
        event = Event(said.kind, About(said.about_kind, said.about_id), said.at, said.params)
        try:
            port.tell(session, Notice(event, said.whom, to))
        except (KeyError, ValueError, HubError) as error:
            raise CannotTake("no_such_notice") from error
        if path := MATTERS.get(said.about_kind):
            kept = Far(said.about_id, path, writer, place, said.at)
            far.keep(session, kept, to.person or to.unit or "")

    def _answered(self, session: Session, writer: str, body: Mapping[str, Any]) -> None:
        said = rings.Answer.model_validate({**body, "hub": writer})
        try:
            rings.answer(session, said, self._clock.utc_ms())
        except HubError as error:
            raise CannotTake("not_rung") from error


def _to(session: Session, said: Said) -> To:
    if said.person is not None and people.person(session, said.person) is not None:
        return To.one(said.person)
    if said.unit is not None and units.find(session, said.unit) is not None:
        return To.duty(said.unit)
    raise CannotTake("nobody")
