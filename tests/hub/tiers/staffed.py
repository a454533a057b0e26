"""Three hubs in a line with people: a home and a clerk in the village, officers of the county."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tests.hub.cases.story import HOUR, PDF
from tests.hub.support import Hub, Viewer
from tests.support.tree import COUNTY, TOWN, WEST, hub_of, joined, trusted
from village_core.keys import SigningKey
from village_core.permits import Role
from village_hub import keys
from village_hub.catalogue import audit_reading
from village_hub.catalogue.models import Household
from village_hub.catalogue.store import Session
from village_hub.config import TrustConfig

ROOT = SigningKey.make()
NOTHING: Mapping[str, Any] = MappingProxyType({})


class Tree:
    """Three hubs; a home in the village, its owner, a clerk; four officers of the county."""

    def __init__(self, county: Hub, town: Hub, west: Hub) -> None:
        self.county, self.town, self.west = county, town, west
        self.people: dict[str, tuple[Hub, Viewer]] = {}
        self.home = self.camera = ""

    async def settle(self) -> "Tree":
        text = trusted(1, ROOT, self.county, self.town, self.west)
        for hub in (self.county, self.town, self.west):
            await hub.app[keys.TRUST].take(text, ROOT.public.text)
        unit = await self.county.unit("bureau", COUNTY)
        for name in ("li", "chen", "zhao"):
            staff = await self.county.staff(Role.BUREAU_OFFICER, unit=unit, name=name)
            self.people[name] = self.county, staff
        self.people["gu"] = (
            self.county,
            await self.county.staff(Role.BUREAU_OFFICER, place=COUNTY, name="gu"),
        )
        self.people["clerk"] = (
            self.west,
            await self.west.staff(Role.COMMITTEE, place=WEST, name="clerk"),
        )
        self.home = await self.west.household("Wang")
        await self.west.app[keys.CATALOGUE].write(_stands_in, self.home, f"{WEST}001")
        self.camera, _ = await self.west.push_camera(self.home, "gate")
        person = await self.west.person(self.home, "wang")
        self.people["wang"] = self.west, await self.west.sign_in(person)
        return self

    async def ask(self, who: str, method: str, path: str, **more: Any) -> tuple[int, Any]:
        hub, viewer = self.people[who]
        headers = {**viewer.headers, **more.pop("headers", {})}
        answer = await hub.ask(method, f"/api/v1/{path}", headers=headers, **more)
        hub.client.session.cookie_jar.clear()
        json = "json" in answer.content_type
        return answer.status, await answer.json() if json else await answer.read()

    async def do(self, who: str, path: str, **more: Any) -> Any:
        status, body = await self.ask(who, "POST", path, **more)
        assert status < 300, body
        return body

    async def code(self, who: str, path: str, **more: Any) -> str:
        status, body = await self.ask(who, "POST", path, **more)
        return f"{status} {body['code']}"

    def named(self, who: str) -> dict[str, str]:
        hub, viewer = self.people[who]
        return {"issuer": hub.id, "id": viewer.person, "name": who}

    def window(self) -> dict[str, int]:
        end = self.west.clock.utc_ms() - HOUR
        return {"begin": end - 12 * HOUR, "end": end}

    def terms(self, **more: Any) -> dict[str, Any]:
        return {
            "officers": [self.named("li"), self.named("chen")],
            "approver": self.named("zhao"),
            "notice": "2026-0007",
            "case_type": "theft",
            "case_no": "A2026-0042",
            "legal_basis": "CRP 62",
            "place": WEST,
            "cameras": [{"camera": self.camera, **self.window()}],
            "return_by": self.west.clock.utc_ms() + 20 * 24 * HOUR,
            **more,
        }

    async def filed(self, scan: bytes = PDF) -> str:
        made = await self.do("li", "requests", json=self.terms())
        path = f"requests/{made['id']}"
        status, body = await self.ask(
            "li", "PUT", f"{path}/scan", data=scan, headers={"Content-Type": "application/pdf"}
        )
        assert status == 200, body
        await self.do("li", f"{path}/file")
        return path

    async def entries(self, hub: Hub) -> list[tuple[str, str, str]]:
        """Who did what at a hub: (issuer, name, action)."""

        def found(session: Session) -> list[tuple[str, str, str]]:
            each = audit_reading.each(session, audit_reading.Wanted())
            return [(e.who.issuer, e.who.name, e.action) for e in each if e.who is not None]

        return await hub.app[keys.CATALOGUE].read(found)


@asynccontextmanager
async def staffed(
    folder: Path, town: Mapping[str, Any] = NOTHING, west: Mapping[str, Any] = NOTHING
) -> AsyncIterator[Tree]:
    """`town`, `west`: settings of these hubs."""
    root = TrustConfig(root=ROOT.public.text)
    async with (
        hub_of(folder, COUNTY, trust=root) as county,
        hub_of(folder, TOWN, **town) as town_hub,
        hub_of(folder, WEST, **west) as west_hub,
    ):
        await joined(town_hub, county)
        await joined(west_hub, town_hub)
        yield await Tree(county, town_hub, west_hub).settle()


def _stands_in(session: Session, household: str, place: str) -> None:
    session.get_one(Household, household).place = place
