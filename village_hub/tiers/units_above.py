"""The units above that answer for this hub's place: asked for at the hub above, which adds its own
to those that it was told of; kept for when the line is down."""

import logging

from village_core.clock import Clock
from village_core.line import PARENT_ERRORS
from village_core.units_above import MOST, UnitNote, UnitsAbove
from village_hub.catalogue import far, units
from village_hub.catalogue.far import UnitAbove
from village_hub.catalogue.staff_rows import UnitKind
from village_hub.catalogue.store import Catalogue, CatalogueError, Session
from village_hub.tiers.parent import Upward

log = logging.getLogger(__name__)

PATH = "/api/v1/node/units"
LOOK_EVERY = 2.0  # seconds between looks for whether the line came up
ASK_EVERY = 60.0  # seconds
TOLD = (UnitKind.STATION, UnitKind.TOWNSHIP, UnitKind.BUREAU)
ASK_ERRORS = (*PARENT_ERRORS, CatalogueError)


def told_to(session: Session, hub: str, place: str) -> UnitsAbove:
    """What a hub below, of `place`, is told by this one."""
    own = [
        UnitAbove(row.id, hub, row.kind, row.name, row.place)
        for row in units.everything(session)
        if row.kind in TOLD and row.place and place.startswith(row.place)
    ]
    found = [*own, *far.units(session)][:MOST]
    return UnitsAbove(
        units=tuple(
            UnitNote(id=each.id, hub=each.hub, kind=each.kind, name=each.name, place=each.place)
            for each in found
        )
    )


class AskingUnits:
    def __init__(self, upward: Upward, catalogue: Catalogue, place: str, clock: Clock) -> None:
        self._upward = upward
        self._catalogue = catalogue
        self._place = place
        self._clock = clock
        self._not_before = float("-inf")
        upward.on_up.append(self.at_once)

    async def run(self) -> None:
        """A job."""
        while True:
            if self._upward.connected and self._clock.monotonic() >= self._not_before:
                await self._ask()
            await self._clock.sleep(LOOK_EVERY)

    def at_once(self) -> None:
        """Ask at the next look."""
        self._not_before = float("-inf")

    async def _ask(self) -> None:
        self._not_before = self._clock.monotonic() + ASK_EVERY
        try:
            said = await self._upward.parent().ask("GET", PATH, None, UnitsAbove)
            await self._catalogue.write(far.put_units, self._usable(said))
        except ASK_ERRORS as error:
            log.info("the hub above did not say its units: %s", error)

    def _usable(self, said: UnitsAbove) -> list[UnitAbove]:
        """Of kinds that this version knows, and of this place; each once."""
        found = {
            (each.id, each.hub): UnitAbove(
                each.id, each.hub, UnitKind(each.kind), each.name, each.place
            )
            for each in said.units
            if each.kind in TOLD and self._place.startswith(each.place)
        }
        return list(found.values())
