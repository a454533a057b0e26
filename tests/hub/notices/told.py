"""Short ways to a hub in which people have phones and are told things."""

from dataclasses import dataclass
from typing import Any

from tests.hub.support import Hub, Viewer
from tests.support.gateway import GatewaySimulator
from village_hub import keys
from village_hub.catalogue import notices
from village_hub.catalogue.notices import NoticeRow
from village_hub.notices import port
from village_hub.notices.contacts import Contact
from village_hub.notices.kinds import Channel, Kind, Whom
from village_hub.notices.port import About, Event, Notice, To

PHONE = "+8613800138000"
OTHER = "+8613900139000"
SAID = {
    "who": "西村派出所李警官",
    "camera": "大门",
    "case": "2026-11",
    "until": "14:30",
    "home": "王家",
    "at": "14:02",
    "what": "一辆自行车",
}


@dataclass
class Told:
    """One household, its owner with a phone, and the gateway."""

    hub: Hub
    gateway: GatewaySimulator
    home: str
    owner: str
    viewer: Viewer

    @classmethod
    async def make(cls, hub: Hub, gateway: GatewaySimulator) -> "Told":
        gateway.hub = hub.origin
        home = await hub.household("王家")
        owner = await hub.person(home, "王")
        found = cls(hub, gateway, home, owner, await hub.sign_in(owner))
        await found.phone(owner, PHONE)
        return found

    async def phone(self, holder: str, number: str, *order: Channel, language: str = "zh") -> None:
        contact = Contact(holder, number, order, language)
        await self.hub.app[keys.CATALOGUE].write(notices.set_contact, contact, 1)

    async def tell(self, kind: Kind, whom: Whom = Whom.OWNER, to: To | None = None) -> str:
        event = Event(kind, About("thing", "t1"), self.hub.clock.utc_ms(), SAID)
        notice = Notice(event, whom, to or To.owners(self.home))
        [found] = await self.hub.app[keys.CATALOGUE].write(port.tell, notice)
        return found

    async def row(self, name: str) -> NoticeRow:
        found = await self.hub.app[keys.CATALOGUE].read(notices.find, name)
        assert found is not None
        return found

    async def listed(self, viewer: Viewer | None = None, query: str = "") -> list[dict[str, Any]]:
        headers = (viewer or self.viewer).headers
        response = await self.hub.ask("GET", f"/api/v1/me/notices{query}", headers=headers)
        assert response.status == 200, await response.text()
        items: list[dict[str, Any]] = (await response.json())["items"]
        return items
