"""Looks that cross hubs, without media: who decides, who writes it down, who ends it (IDN-8, AUD-1,
MED-17). Three real hubs and the HTTP between them; pictures: tests/flows/test_tree.py."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.hub.support import OFFER, SDP, Hub, Viewer, bearer, until
from tests.support.tree import (
    COUNTY,
    TOWN,
    WEST,
    connected,
    hub_of,
    joined,
    known,
    lane,
    trusted,
)
from village_core.exchange import Look, LookAsked, OnShift, exchange
from village_core.keys import SigningKey
from village_core.permits import Action, Purpose, Quality, Role
from village_core.tokens import Issuer
from village_hub import keys
from village_hub.audit.entry import Entry
from village_hub.catalogue import audit_reading
from village_hub.catalogue.store import Session
from village_hub.config import TrustConfig
from village_hub.tiers import tie
from village_hub.tiers.from_above import TrustNote

REASON = {"purpose": "public_security", "reason": "a van in the lane"}
ROOT = SigningKey.make()


@dataclass
class Tree:
    county: Hub
    town: Hub
    west: Hub
    camera: str

    async def trust(self, number: int = 1, *found: Hub) -> None:
        """The list goes down by itself."""
        text = trusted(number, ROOT, *(found or (self.county, self.town, self.west)))
        await self.county.app[keys.TRUST].take(text)
        below = [self.town.app[keys.TRUST], self.west.app[keys.TRUST]]
        await until(lambda: all(each.text == text for each in below))


@pytest.fixture
async def tree(tmp_path: Path) -> AsyncIterator[Tree]:
    root = TrustConfig(root=ROOT.public.text)
    async with (
        hub_of(tmp_path, COUNTY, trust=root) as county,
        hub_of(tmp_path, TOWN) as town,
        hub_of(tmp_path, WEST) as west,
    ):
        await joined(town, county)
        await joined(west, town)
        camera = await lane(west)
        await known(county, camera)
        yield Tree(county, town, west, camera)


async def test_a_village_that_joined_before_its_township_did_learns_the_countys_root(
    tmp_path: Path,
) -> None:
    """Once: a root that is pinned is not changed from above."""
    root = TrustConfig(root=ROOT.public.text)
    async with (
        hub_of(tmp_path, COUNTY, trust=root) as county,
        hub_of(tmp_path, TOWN) as town,
        hub_of(tmp_path, WEST) as west,
    ):
        await joined(west, town)
        await connected(west, town)
        await joined(town, county)
        await Tree(county, town, west, "").trust()
        upward = west.app[keys.UPWARD]
        assert upward.tie is not None
        assert upward.tie.root == ROOT.public.text
        assert await asyncio.to_thread(tie.read, west.app[keys.CONFIG].state) == upward.tie
        await upward.learn_root(SigningKey.make().public.text)
        assert upward.tie.root == ROOT.public.text


async def officer(hub: Hub, role: Role = Role.BUREAU_OFFICER, *, shift: bool = True) -> Viewer:
    viewer = await hub.staff(role, place=hub.app[keys.CONFIG].place, name="Officer Zhao")
    if shift:
        await hub.shift(viewer)
    return viewer


async def watch(
    hub: Hub, who: Viewer, camera: str, said: dict[str, str] | None = None
) -> tuple[int, str]:
    """The status, and the session's address or the code why not."""
    path = f"/api/v1/cameras/{camera}/media-token"
    token = await hub.ask("POST", path, json=said or REASON, headers=who.headers)
    if token.status != 200:
        return token.status, (await token.json())["code"]
    headers = {**bearer((await token.json())["token"]), "Content-Type": SDP}
    answer = await hub.ask("POST", f"/whep/{camera}", data=OFFER, headers=headers)
    if answer.status != 201:
        return answer.status, (await answer.json())["code"]
    return 201, answer.headers["Location"]


async def entries(hub: Hub, kind: str = "decision") -> list[Entry]:
    def of_looks(session: Session) -> list[Entry]:
        found = audit_reading.each(session, audit_reading.Wanted())
        return [each for each in found if each.kind == kind and each.action == "live"]

    return await hub.app[keys.CATALOGUE].read(of_looks)


async def until_ended(hub: Hub) -> None:
    async def written() -> bool:
        return bool(await entries(hub, "view_end"))

    await until(written)


def lent(hub: Hub) -> list[Any]:
    return hub.app[keys.LIVE].above.sessions()


async def test_an_officer_of_the_county_sees_a_lane_of_a_village(tree: Tree) -> None:
    """Decided in the village, in the officer's own name; written down at both ends."""
    await tree.trust()
    zhao = await officer(tree.county)
    assert (await watch(tree.county, zhao, tree.camera))[0] == 201
    (session,) = lent(tree.west)
    assert session.permit.subject.key == (tree.county.id, zhao.person)
    assert (session.permit.basis, session.permit.via) == ("D", tree.county.id)
    assert session.permit.outside
    for hub in (tree.county, tree.west):
        (entry,) = await entries(hub)
        assert entry.who is not None
        assert (entry.who.id, entry.who.name) == (zhao.person, "Officer Zhao")
        assert (entry.result, entry.reason, entry.permit) == (
            "allowed",
            REASON["reason"],
            session.id,
        )
        (began,) = await entries(hub, "view_start")
        assert began.permit == session.id
    assert await entries(tree.town) == []  # it passes on, and decides nothing
    assert tree.town.app[keys.LIVE].above.find(session.id) is not None


async def test_the_village_decides_and_says_why_not(tree: Tree) -> None:
    await tree.trust()
    zhao = await officer(tree.county)
    assert await watch(tree.county, zhao, tree.camera, {**REASON, "reason": ""}) == (
        403,
        "no_reason",
    )
    assert await watch(tree.county, zhao, tree.camera, {"purpose": "own_view"}) == (403, "purpose")
    for hub in (tree.county, tree.west):
        assert sorted(each.result for each in await entries(hub)) == ["no_reason", "purpose"]
    assert lent(tree.west) == []


async def test_who_is_not_on_duty_does_not_even_find_it(tree: Tree) -> None:
    """PRM-11: nor does anybody see it who only may know that it is there."""
    await tree.trust()
    for role in (Role.ENGINEER, Role.ADMIN):
        who = await officer(tree.county, role)
        assert (await watch(tree.county, who, tree.camera))[0] in (403, 404)
    assert lent(tree.west) == []
    idle = await officer(tree.county, shift=False)
    assert await watch(tree.county, idle, tree.camera) == (404, "no_such_camera")


async def test_without_a_trust_list_nobody_of_another_hub_is_anybody(tree: Tree) -> None:
    zhao = await officer(tree.county)
    assert await watch(tree.county, zhao, tree.camera) == (403, "untrusted")
    (entry,) = await entries(tree.county)
    assert entry.result == "untrusted"
    assert lent(tree.west) == []


async def test_a_hub_that_the_list_does_not_name_is_not_believed(tree: Tree) -> None:
    await tree.trust(1, tree.town, tree.west)
    assert await watch(tree.county, await officer(tree.county), tree.camera) == (403, "untrusted")


async def test_an_older_list_does_not_come_back(tree: Tree) -> None:
    await tree.trust(2)
    old = trusted(1, ROOT, tree.town, tree.west)
    answer = await tree.town.app[keys.CHILDREN].ask(tree.west.id, "PUT", "/trust", _list(old))
    assert (answer.status, (answer.body or {})["code"]) == (403, "untrusted")
    forged = trusted(3, SigningKey.make(), tree.town, tree.west)
    answer = await tree.town.app[keys.CHILDREN].ask(tree.west.id, "PUT", "/trust", _list(forged))
    assert answer.status == 403
    assert (await watch(tree.county, await officer(tree.county), tree.camera))[0] == 201


async def test_a_hub_in_between_invents_nobody(tree: Tree) -> None:
    """It may ask for its own people only, whatever it writes into a token (IDN-4, IDN-8)."""
    await tree.trust()
    for issuer in (tree.county.id, tree.town.id):
        status, code = await invented(tree, issuer, Role.BUREAU_OFFICER, COUNTY)
        assert (status, code) == (403, "untrusted")
    status, code = await invented(tree, tree.town.id, Role.TOWNSHIP, COUNTY)
    assert (status, code) == (403, "untrusted")  # beyond its own place
    status, _ = await invented(tree, tree.town.id, Role.TOWNSHIP, TOWN)
    assert status == 200  # this is in its power: the log names it, and the county's list binds it
    (entry,) = [each for each in await entries(tree.west) if each.result == "allowed"]
    assert entry.who is not None
    assert entry.who.issuer == tree.town.id


async def test_a_token_is_for_one_camera_and_one_hub(tree: Tree) -> None:
    await tree.trust()
    other = await lane(tree.west)
    token = a_token(tree, tree.county.id, tree.county.app[keys.NODE].key)
    assert await asked(tree, token, other) == (400, "token_elsewhere")
    far = a_token(tree, tree.county.id, tree.county.app[keys.NODE].key, owner=tree.town.id)
    assert await asked(tree, far) == (403, "untrusted")
    assert await asked(tree, None) == (401, "no_token")
    assert await asked(tree, "x.y.z") == (403, "untrusted")


async def test_the_same_look_asked_again_is_one_permit(tree: Tree) -> None:
    """And a name for a look is no way into another person's."""
    await tree.trust()
    key = tree.county.app[keys.NODE].key
    assert (await asked(tree, a_token(tree, tree.county.id, key)))[0] == 200
    assert (await asked(tree, a_token(tree, tree.county.id, key)))[0] == 200
    assert len(lent(tree.west)) == 1
    assert len(await entries(tree.west)) == 1
    status, code = await asked(tree, a_token(tree, tree.county.id, key, subject="another"))
    assert (status, code) == (409, "other_look")


async def test_who_leaves_gives_the_permit_back(tree: Tree) -> None:
    await tree.trust()
    zhao = await officer(tree.county)
    await watch(tree.county, zhao, tree.camera)
    (permit,) = [each.id for each in lent(tree.west)]
    tree.west.app[keys.LIVE].above.end(permit, "the peer left")
    await until_ended(tree.west)
    (ended,) = await entries(tree.west, "view_end")
    assert (ended.permit, ended.about["why"]) == (permit, "left")


async def test_what_the_village_takes_back_ends_at_the_county(tree: Tree) -> None:
    """MED-17 across hubs: an objection pauses sharing; the two above are told, and agree."""
    await tree.trust()
    await watch(tree.county, await officer(tree.county), tree.camera)
    (session,) = lent(tree.west)
    tree.west.app[keys.LIVE].above.over(session.id, "objection")
    await until(lambda: tree.county.live.open == {})
    assert tree.county.live.ended[0][1] == "objection"
    await until(lambda: tree.town.app[keys.LIVE].above.find(session.id) is None)


async def test_the_end_of_the_shift_ends_it_here_and_below(tree: Tree) -> None:
    await tree.trust()
    zhao = await officer(tree.county)
    await watch(tree.county, zhao, tree.camera)
    for hub in (tree.county, tree.town, tree.west):
        hub.clock.turn(9 * 3600)
    await until(lambda: tree.county.live.open == {})
    await until(lambda: lent(tree.west) == [])


async def test_it_is_renewed_while_somebody_watches(tree: Tree) -> None:
    await tree.trust()
    await watch(tree.county, await officer(tree.county), tree.camera)
    (session,) = lent(tree.west)
    before = session.permit.until
    for hub in (tree.west, tree.town, tree.county):
        hub.clock.turn(65)
    await until(lambda: any(each.permit.until > before for each in lent(tree.west)))
    (same,) = lent(tree.west)
    assert same.id == session.id
    await until(lambda: bool(tree.county.live.renewals))
    assert len(await entries(tree.west)) == 1


async def test_unasked_it_lapses_in_90_s(tree: Tree) -> None:
    await tree.trust()
    await watch(tree.county, await officer(tree.county), tree.camera)
    tree.west.clock.turn(91)
    await until(lambda: lent(tree.west) == [])
    await until_ended(tree.west)
    (ended,) = await entries(tree.west, "view_end")
    assert ended.about["why"] == "expired"


async def test_a_camera_that_nobody_has_any_more(tree: Tree) -> None:
    await tree.trust()
    zhao = await officer(tree.county)
    await tree.west.app[keys.SUPERVISOR].end("uplink")
    await until(lambda: not tree.town.app[keys.CHILDREN].online(tree.west.id))
    status, code = await watch(tree.county, zhao, tree.camera)
    assert (status, code) == (409, "agent_offline")


def a_token(tree: Tree, issuer: str, key: SigningKey, **more: Any) -> str:
    """As the county's hub would make it, but for what the test changes."""
    clock = tree.county.clock
    look = Look(
        id="a-look",
        camera=tree.camera,
        quality=Quality.SUB,
        action=Action.LIVE,
        purpose=Purpose.PUBLIC_SECURITY,
        reason="a van",
        shift=OnShift(id="s", ends=clock.utc_ms() + 3_600_000),
    )
    said = {
        "unit": "u",
        "unit_name": "Unit",
        "name": "Somebody",
        "roles": [more.get("role", Role.BUREAU_OFFICER).value],
        "place": more.get("place", COUNTY),
    }
    owner = more.get("owner", tree.west.id)
    return exchange(Issuer(issuer, key, clock), owner, more.get("subject", "p"), said, look)


async def asked(tree: Tree, token: str | None, camera: str | None = None) -> tuple[int, str]:
    answer = await tree.town.app[keys.CHILDREN].ask(
        tree.west.id,
        "POST",
        "/permits",
        LookAsked(camera=camera or tree.camera),
        authorization=token,
    )
    return answer.status, str((answer.body or {}).get("code", ""))


async def invented(tree: Tree, issuer: str, role: Role, place: str) -> tuple[int, str]:
    """The township's hub asks in somebody's name, with the only key that it has."""
    key = tree.town.app[keys.NODE].key
    return await asked(tree, a_token(tree, issuer, key, role=role, place=place))


def _list(text: str) -> Any:
    return TrustNote(list=text)
