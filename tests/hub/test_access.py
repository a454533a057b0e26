"""The decision, the only maker of permits, the audit entry, and what ends when (PRM-1, MED-17)."""

import ast
import asyncio
import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hub.support import OFFER, SDP, Hub, bearer, camera_note, until
from village_core.permits import Action, CameraClass, Purpose, Quality, Role
from village_hub import keys
from village_hub.access.audit import AuditFailed
from village_hub.access.facts import Basis, CameraFacts, Permit, Reason, Refusal, Subject
from village_hub.access.guard import Guard
from village_hub.access.identity import MediaCaller, PersonCaller
from village_hub.access.rules import PERMIT_LIFE_MS, decide
from village_hub.audit.entry import Entry
from village_hub.catalogue import audit, cameras, people
from village_hub.catalogue.rows import CameraRow
from village_hub.errors import Overloaded, Refused

pytestmark = pytest.mark.both_databases

NOW = 1_795_000_000_000
GATE = CameraFacts("gate", "home")
OWNER = Subject("hub", "fang")


def basis(*owners: tuple[str, str]) -> Basis:
    return Basis("d-1", "hub", Quality.SUB, "s-1", owners=frozenset(owners))


@pytest.mark.parametrize("action", [Action.LIVE, Action.STILL])
def test_an_owner_sees_the_households_own_cameras(action: Action) -> None:
    """Code O; seed vector 4: no link to anywhere is asked for."""
    verdict = decide(OWNER, GATE, action, Purpose.OWN_VIEW, NOW, basis(("hub", "fang")))
    assert isinstance(verdict, Permit)
    assert (verdict.basis, verdict.outside, verdict.until) == ("O", False, NOW + PERMIT_LIFE_MS)
    assert (verdict.id, verdict.via, verdict.quality, verdict.sign_in) == (
        *("d-1", "hub", Quality.SUB),
        "s-1",
    )


def test_seed_vector_1_an_officer_with_nothing_has_no_basis() -> None:
    officer = Subject("county", "li", "bureau", frozenset({Role.BUREAU_OFFICER}), place="110101")
    gate = CameraFacts("gate", "home", CameraClass.H_OUT)
    verdict = decide(officer, gate, Action.LIVE, Purpose.CASE, NOW, basis(("hub", "fang")))
    assert verdict == Refusal(Reason.NO_BASIS)


def test_an_owner_may_not_publish_for_the_camera() -> None:
    verdict = decide(OWNER, GATE, Action.PUBLISH, Purpose.OWN_VIEW, NOW, basis(("hub", "fang")))
    assert verdict == Refusal(Reason.NO_BASIS)


def test_the_same_name_at_another_issuer_is_somebody_else() -> None:
    stranger = Subject("another-hub", "fang")
    verdict = decide(stranger, GATE, Action.LIVE, Purpose.OWN_VIEW, NOW, basis(("hub", "fang")))
    assert verdict == Refusal(Reason.NO_BASIS)


def test_another_purpose_is_refused_as_such() -> None:
    """Seed vector 16's code: the basis holds, the purpose does not; a word that is none neither."""
    for purpose in (Purpose.OVERSIGHT, None):
        verdict = decide(OWNER, GATE, Action.LIVE, purpose, NOW, basis(("hub", "fang")))
        assert verdict == Refusal(Reason.PURPOSE)


names = st.sampled_from(["a", "b", "c", ""])


@given(names, names, st.sampled_from(Action), st.sets(st.tuples(names, names), max_size=4))
def test_whatever_is_not_in_the_table_is_denied(
    issuer: str, who: str, action: Action, owners: set[tuple[str, str]]
) -> None:
    """PRM-1, property-tested."""
    subject = Subject(issuer, who, roles=frozenset({Role.COMMITTEE, Role.TOWNSHIP}), place="1")
    verdict = decide(subject, GATE, action, Purpose.OWN_VIEW, NOW, basis(*owners))
    allowed = (issuer, who) in owners and action is not Action.PUBLISH
    assert isinstance(verdict, Permit) is allowed


def test_permits_are_made_in_one_place() -> None:
    """Only `decide` builds them (at another node: `across` reads its answer), and only the guard
    hands them out."""
    makers = {
        path.name
        for path in Path("village_hub").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Permit"
    }
    deciders = {
        path.name
        for path in Path("village_hub").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and any(name.name == "decide" for name in node.names)
    }
    assert makers == {"rules.py", "across.py"}
    assert deciders == {"guard.py"}


class Book:
    """An audit store that a test can read, or break."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.kept: list[Entry] = []
        self.broken = False

    @property
    def failing(self) -> bool:
        return self.broken

    def keep(self, entry: Entry) -> None:
        self.kept.append(entry)

    async def write(self, entry: Entry) -> None:
        if self.broken:
            raise AuditFailed("the disk is full")
        self.entries.append(entry)


async def a_camera(hub: Hub) -> tuple[CameraRow, str]:
    household = await hub.household()
    person = await hub.person(household)
    camera, _ = await hub.push_camera(household)
    row = await hub.app[keys.CATALOGUE].read(cameras.find, camera)
    assert row is not None
    return row, person


async def test_every_decision_is_written_down_before_it_counts(hub: Hub) -> None:
    """AUD-1; denied attempts too."""
    book, (camera, person) = Book(), await a_camera(hub)
    guard = Guard(hub.id, hub.app[keys.CATALOGUE], book, hub.clock)
    owner = PersonCaller(Subject(hub.id, person), "s-1")
    permit = await guard.permit(owner, camera, Quality.SUB, Action.LIVE)
    stranger = MediaCaller(Subject(hub.id, "li"), "s-2", camera.id, Action.LIVE)
    with pytest.raises(Refused) as refused:
        await guard.permit(stranger, camera, Quality.MAIN, Action.LIVE)
    assert refused.value.code == "no_basis"
    allowed, denied = book.entries
    assert (allowed.id, allowed.result, allowed.basis) == (permit.id, "allowed", "O")
    assert denied.who is not None
    assert (denied.result, denied.basis, denied.who.id) == ("no_basis", "", "li")
    assert denied.household == camera.household
    assert denied.camera_name == "Phone"


async def test_when_nothing_can_be_written_only_the_household_sees(hub: Hub) -> None:
    """AUD-2: fail closed for everyone else."""
    book, (camera, person) = Book(), await a_camera(hub)
    book.broken = True
    guard = Guard(hub.id, hub.app[keys.CATALOGUE], book, hub.clock)
    owner = PersonCaller(Subject(hub.id, person), "s-1")
    permit = await guard.permit(owner, camera, Quality.SUB, Action.LIVE)
    assert not permit.outside
    with pytest.raises(Overloaded):
        await guard.permit(
            PersonCaller(Subject(hub.id, "li"), "s"), camera, Quality.SUB, Action.LIVE
        )
    assert [each.result for each in book.kept] == ["allowed", "no_basis"]  # written later


async def test_the_log_has_the_decision_and_no_token(
    hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    """AUD-9."""
    caplog.set_level(logging.DEBUG)
    household, viewer = await hub.owner()
    camera, secret = await hub.push_camera(household)
    _, token = await hub.watch(viewer, camera)
    kept = await hub.app[keys.CATALOGUE].read(lambda session: [*audit.Chain(session, "serve")])
    written = [each.link.document for each in kept]
    assert any(camera in each and '"result":"allowed"' in each for each in written)
    text = caplog.text + "".join(written)
    assert camera in text
    cookie = viewer.headers["Cookie"].removeprefix("village=")
    for hidden in (token["Authorization"].split()[1], secret, cookie):
        assert hidden not in text


async def test_permits_are_renewed_while_sign_in_and_basis_hold(hub: Hub) -> None:
    household, viewer = await hub.owner()
    camera, _ = await hub.push_camera(household)
    await hub.watch(viewer, camera)
    first = hub.live.sessions()[0].permit
    await hub.app[keys.RENEWAL].look()
    assert hub.live.renewals == []  # not due yet
    hub.clock.turn(61)
    await hub.app[keys.RENEWAL].look()
    assert first is not None
    assert [each.id for each in hub.live.renewals] == [first.id]
    assert hub.live.renewals[0].until == hub.clock.utc_ms() + PERMIT_LIFE_MS
    assert len(hub.live.sessions()) == 1


async def test_signing_out_ends_what_was_watched(hub: Hub) -> None:
    """MED-17: within 5 s; here at once."""
    household, viewer = await hub.owner()
    other = await hub.sign_in(viewer.person)
    camera, _ = await hub.push_camera(household)
    await hub.watch(viewer, camera)
    await hub.watch(other, camera)
    await hub.ask("POST", "/api/v1/sign-out", headers=viewer.headers)
    await until(lambda: len(hub.live.ended) == 1, seconds=1.5)
    assert hub.live.ended[0][1] == "signed_out"
    assert len(hub.live.sessions()) == 1  # the other browser's goes on


async def test_losing_the_household_ends_what_was_watched(hub: Hub) -> None:
    """MED-17, from another process: the command line."""
    household, viewer = await hub.owner()
    camera, _ = await hub.push_camera(household)
    await hub.watch(viewer, camera)
    await hub.app[keys.CATALOGUE].write(people.remove_person, viewer.person, hub.clock.utc_ms())
    await until(lambda: not hub.live.sessions(), seconds=5)


async def test_a_camera_that_is_gone_is_watched_by_nobody(hub: Hub) -> None:
    household, viewer = await hub.owner()
    agent = await hub.enrolled(household)
    note = camera_note()
    await hub.tell(agent, note)
    await hub.watch(viewer, note.id)
    await hub.tell(agent)
    await hub.app[keys.RENEWAL].look()
    assert [reason for _, reason in hub.live.ended] == ["no_basis"]


async def test_a_revoked_publish_token_ends_its_push(hub: Hub) -> None:
    camera, secret = await hub.push_camera(await hub.household())
    headers = {**bearer(secret), "Content-Type": SDP}
    await hub.ask("POST", f"/whip/{camera}", data=OFFER, headers=headers)
    ticket = {**hub.ticket(camera), "Content-Type": SDP}
    await hub.ask("POST", f"/whip/{camera}", data=OFFER, headers=ticket)
    await hub.app[keys.RENEWAL].look()
    assert len(hub.live.sessions()) == 2
    now = hub.clock.utc_ms()
    assert await hub.app[keys.CATALOGUE].write(cameras.revoke_publish_tokens, camera, now) == 1
    await hub.app[keys.RENEWAL].look()
    assert [reason for _, reason in hub.live.ended] == ["revoked"]
    assert len(hub.live.sessions()) == 1  # the ticket's own


async def test_a_session_that_ended_by_itself_does_not_stop_the_look(hub: Hub) -> None:
    household, viewer = await hub.owner()
    camera, _ = await hub.push_camera(household)
    await hub.watch(viewer, camera)
    await hub.watch(viewer, camera)
    sessions = hub.live.sessions()
    hub.live.sessions = lambda: sessions  # type: ignore[method-assign]
    hub.live.open.pop(sessions[0].id)
    await hub.app[keys.CATALOGUE].write(people.remove_person, viewer.person, hub.clock.utc_ms())
    await hub.app[keys.RENEWAL].look()
    assert len(hub.live.ended) == 1
    await asyncio.sleep(0)
