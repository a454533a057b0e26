"""A village with its people, for stories told through the API."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tests.hub.cases.cast import TOWNSHIP, VILLAGE
from tests.hub.support import Hub, Viewer
from village_core.permits import Role
from village_hub import keys
from village_hub.catalogue.models import Household
from village_hub.catalogue.store import Session

AREA = {
    "place": VILLAGE,
    "words": "the lane by the old well",
    "latitude": 28.3,
    "longitude": 113.1,
    "radius": 200,
}
HOUR = 3600 * 1000


@dataclass
class Home:
    id: str
    camera: str
    owner: Viewer


@dataclass
class Answer:
    status: int
    body: Any
    etag: str
    text: str


class Village:
    """Two homes, a committee, a station with three officers, one officer of the county, an auditor
    and an engineer; all of them signed in at this hub."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.people: dict[str, Viewer] = {}
        self.homes: dict[str, Home] = {}

    async def settle(self) -> "Village":
        hub = self.hub
        for name in ("wang", "zhou"):
            self.homes[name] = await self._home(name)
            self.people[name] = self.homes[name].owner
        station = await hub.unit("station", TOWNSHIP)
        committee = await hub.unit("committee", VILLAGE)
        for name in ("li", "chen", "zhao"):
            self.people[name] = await hub.staff(Role.STATION_OFFICER, unit=station, name=name)
        for name, role, place in (
            ("sun", Role.BUREAU_OFFICER, VILLAGE[:6]),
            ("gu", Role.BUREAU_OFFICER, VILLAGE[:6]),
            ("other", Role.STATION_OFFICER, "430121105"),
            ("auditor", Role.AUDITOR, VILLAGE),
            ("engineer", Role.ENGINEER, TOWNSHIP),
        ):
            self.people[name] = await hub.staff(role, place=place, name=name)
        self.people["clerk"] = await hub.staff(Role.COMMITTEE, unit=committee, name="clerk")
        return self

    async def _home(self, name: str) -> Home:
        household = await self.hub.household(name)
        await self.hub.app[keys.CATALOGUE].write(_stands_in, household, VILLAGE + "001")
        camera, _ = await self.hub.push_camera(household, f"{name}'s gate")
        owner = await self.hub.sign_in(await self.hub.person(household, name))
        return Home(household, camera, owner)

    async def square(self) -> str:
        """A camera of the committee's, of a public place."""
        household, unit = await self.hub.household("the square"), self.people["clerk"].unit

        def belongs(session: Session) -> None:
            row = session.get_one(Household, household)
            row.place, row.unit_id = VILLAGE, unit

        await self.hub.app[keys.CATALOGUE].write(belongs)
        return (await self.hub.push_camera(household, "Square"))[0]

    async def ask(self, who: str, method: str, path: str, **more: Any) -> Answer:
        headers = {**self.people[who].headers, **more.pop("headers", {})}
        response = await self.hub.ask(method, f"/api/v1/{path}", headers=headers, **more)
        self.hub.client.session.cookie_jar.clear()  # a renewed cookie is not the next person's
        text = await response.text()
        json = "json" in response.content_type
        body = await response.json() if json else None
        return Answer(response.status, body, response.headers.get("ETag", ""), text)

    async def do(self, who: str, path: str, **more: Any) -> Any:
        """A POST that is to succeed."""
        found = await self.ask(who, "POST", path, **more)
        assert found.status < 300, found.text
        return found.body

    async def code(self, who: str, path: str, **more: Any) -> str:
        """A POST that is to be refused."""
        found = await self.ask(who, "POST", path, **more)
        assert found.status >= 400, found.text
        return f"{found.status} {found.body['code']}"

    def window(self) -> dict[str, int]:
        end = self.hub.clock.utc_ms() - HOUR
        return {"begin": end - 12 * HOUR, "end": end}

    def named(self, who: str) -> dict[str, str]:
        return {"issuer": self.hub.id, "id": self.people[who].person, "name": who}

    def request(self, **more: Any) -> dict[str, Any]:
        return {
            "officers": [self.named("li"), self.named("chen")],
            "approver": self.named("zhao"),
            "notice": "2026-0007",
            "case_type": "theft",
            "case_no": "A2026-0042",
            "legal_basis": "CRP 62",
            "place": VILLAGE,
            "cameras": [{"camera": home.camera, **self.window()} for home in self.homes.values()],
            "return_by": self.hub.clock.utc_ms() + 20 * 24 * HOUR,
            **more,
        }

    async def drafted(self, **more: Any) -> str:
        made = await self.do("li", "requests", json=self.request(**more))
        return f"requests/{made['id']}"

    async def filed(self, **more: Any) -> str:
        path = await self.drafted(**more)
        scan = await self.ask(
            "li", "PUT", f"{path}/scan", data=PDF, headers={"Content-Type": "application/pdf"}
        )
        assert scan.status == 200, scan.text
        await self.do("li", f"{path}/file")
        return path

    async def preserve(self) -> str:
        made = await self.do(
            "li", "preserves", json={"incident": "110-0042", "area": AREA, **self.window()}
        )
        return f"preserves/{made['id']}"

    def thing(self, **more: Any) -> dict[str, Any]:
        """What a villager says of something lost, or in dispute."""
        return {
            "place": VILLAGE,
            "where": "the lane by the old well",
            "thing": "a brown cow with one white ear",
            "what": "The gate stood open and she was gone when we woke up.",
            "no_person": True,
            **self.window(),
            **more,
        }

    async def told(self, who: str) -> set[str]:
        """The kinds of notices that somebody finds on the page."""
        found = await self.ask(who, "GET", "me/notices?limit=200")
        return {each["kind"] for each in found.body["items"]}

    def public_ask(self, **more: Any) -> dict[str, Any]:
        return {
            "incident": "110-0042",
            "contact": "Officer Li, 0731 1234567",
            "what": "A red tricycle was taken from the well on Monday night.",
            "purpose": "case",
            "no_gathering": True,
            "area": AREA,
            **self.window(),
            **more,
        }

    async def published(self) -> str:
        made = await self.do("li", "public-asks", json=self.public_ask())
        await self.do("chen", f"public-asks/{made['id']}/publish")
        return f"public-asks/{made['id']}"

    async def asked(self, who: str) -> str:
        """The path of the question that this household has."""
        (found,) = (await self.ask(who, "GET", "public-answers")).body["items"]
        return f"public-answers/{found['id']}"


PDF = b"%PDF-1.7\n" + b"0" * 2000
Acts = Callable[[], Awaitable[Any]]


def _stands_in(session: Session, household: str, place: str) -> None:
    session.get_one(Household, household).place = place
