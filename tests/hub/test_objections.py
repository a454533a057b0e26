"""Objections in the API (PRM-19): without an account, by the code on the sign."""

from typing import Any

import pytest
from sqlmodel import select

from tests.hub.support import Agent, Hub, Viewer, camera_note
from village_core.permits import CameraClass, Role
from village_hub import commands, keys
from village_hub.cases.matter import DAY
from village_hub.catalogue import camera_records, signs
from village_hub.catalogue.models import Household
from village_hub.catalogue.sign_models import Receipt
from village_hub.commands import Office

PLACE = "430121102203"
SIGN = "BCDFGHJK"
PICTURE = "ab" * 32
WORDS: dict[str, Any] = {"words": "my gate is in this picture", "contact": "Zhou, 138"}
RECORD = {
    "version": 0,
    "camera_class": "H-OUT",
    "place": "yard",
    "purpose": "看住院子里的鸡",
    "installer": "王师傅",
    "sign_placed": True,
    "mask_needed": False,
}


class Yard:
    """A household's camera with a sign, on record and approved, in a village with a committee."""

    def __init__(self, hub: Hub, agent: Agent, camera: str, owner: Viewer, clerk: Viewer) -> None:
        self.hub, self.agent, self.camera = hub, agent, camera
        self.owner, self.clerk = owner, clerk

    async def ask(
        self, method: str, path: str, who: Viewer | None = None, **body: Any
    ) -> tuple[int, Any]:
        said = {"json": body} if method != "GET" else {}
        headers = who.headers if who else {}
        answer = await self.hub.ask(method, f"/api/v1{path}", headers=headers, **said)
        return answer.status, await answer.json()

    async def file(self, sign: str = SIGN) -> tuple[int, Any]:
        return await self.ask("POST", f"/signs/{sign}/objections", None, **WORDS)

    async def paused(self) -> bool:
        row = await self.hub.app[keys.CATALOGUE].read(camera_records.find, self.camera)
        return row is not None and row.objection is not None

    async def record(self) -> None:
        path = f"/cameras/{self.camera}/record"
        assert (await self.ask("PUT", path, self.owner, **RECORD))[0] == 200
        view = {"version": 1, "picture_sha256": PICTURE}
        assert (await self.ask("POST", f"{path}/approval", self.owner, **view))[0] == 200


@pytest.fixture
async def yard(hub: Hub) -> Yard:
    household = await hub.household()
    agent = await hub.enrolled(household)
    note = camera_note(camera_class=CameraClass.H_OUT)
    assert await hub.tell(agent, note) == 204

    def place(session: Any) -> None:
        session.get_one(Household, household).place = PLACE

    await hub.app[keys.CATALOGUE].write(place)
    await hub.app[keys.CATALOGUE].write(signs.sign_of, note.id, SIGN)
    owner = await hub.sign_in(await hub.person(household))
    return Yard(hub, agent, note.id, owner, await hub.staff(Role.COMMITTEE, place=PLACE))


async def test_from_the_sign_to_the_view_that_both_approved(yard: Yard) -> None:
    """PRM-19, from end to end."""
    await yard.record()
    status, filed = await yard.file("bcdf-ghjk")
    assert (status, sorted(filed)) == (201, ["answer_by", "receipt"])
    assert await yard.paused()
    status, listed = await yard.ask("GET", "/objections", yard.owner)
    (shown,) = listed["items"]
    assert (shown["words"], shown["contact"], shown["acts"]) == (WORDS["words"], "", ["answer"])
    path = f"/objections/{shown['id']}"
    assert (await yard.ask("GET", path, yard.clerk))[1]["contact"] == WORDS["contact"]
    for who in (yard.owner, yard.clerk):
        assert (await yard.ask("POST", f"{path}/answer", who, words="turned away"))[0] == 200
    other = await yard.ask("POST", f"{path}/approve-view", yard.owner, picture_sha256="cd" * 32)
    assert (other[0], other[1]["code"]) == (409, "other_view")
    view = {"picture_sha256": PICTURE}
    assert (await yard.ask("POST", f"{path}/approve-view", yard.owner, **view))[0] == 200
    assert await yard.paused()
    assert (await yard.ask("POST", f"{path}/approve-view", yard.clerk, **view))[0] == 200
    assert not await yard.paused()
    status, state = await yard.ask("POST", "/objections/state", receipt=filed["receipt"].lower())
    assert (state["state"], state["mediator_words"]) == ("settled", "turned away")


async def test_strangers_from_everywhere_bury_nobody(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PRM-19: one pauses the sharing; a hundred more would only call people. The window helps."""
    monkeypatch.setattr("village_hub.api.objections.MOST_OPEN", 1)
    monkeypatch.setattr("village_hub.api.objections.MOST_NOWHERE", 1)
    await yard.record()
    at_window = {**WORDS, "sign": SIGN}
    assert (await yard.ask("POST", "/objections", yard.clerk, **at_window))[0] == 201
    assert (await yard.file("ZZZZZZZZ"))[0] == 201
    for sign in (SIGN, "ZZZZZZZB"):
        status, refused = await yard.file(sign)
        assert (status, refused["code"]) == (429, "too_many")
    assert (await yard.ask("POST", "/objections", yard.clerk, **at_window))[0] == 201


async def test_a_sign_that_is_no_cameras_gets_the_same_answers(yard: Yard) -> None:
    """Whether there is a camera, and whether it is paused, a stranger does not learn here."""
    await yard.record()
    real, unreal = await yard.file(), await yard.file("ZZZZZZZZ")
    assert (real[0], sorted(real[1])) == (unreal[0], sorted(unreal[1]))
    assert real[1]["answer_by"] == unreal[1]["answer_by"]
    states = [
        await yard.ask("POST", "/objections/state", receipt=filed["receipt"])
        for _, filed in (real, unreal)
    ]
    assert states[0] == states[1]
    again = [await yard.file(), await yard.file("ZZZZZZZZ")]
    assert [(status, said["code"]) for status, said in again] == [(409, "already_open")] * 2
    for who in (yard.owner, yard.clerk):
        assert len((await yard.ask("GET", "/objections", who))[1]["items"]) == 1


async def test_one_source_files_a_few_an_hour(yard: Yard) -> None:
    tries = [(await yard.file(f"ZZZZZZ{letter}Z"))[0] for letter in "BCDFGH"]
    assert tries == [201] * 5 + [429]


async def test_wrong_receipts_are_counted(yard: Yard) -> None:
    body = {"receipt": "BBBB-BBBB-BBBB"}
    tries = [(await yard.ask("POST", "/objections/state", None, **body))[0] for _ in range(11)]
    assert tries == [404] * 10 + [429]


async def test_withdrawn_it_is_shared_again_unless_another_is_open(yard: Yard) -> None:
    await yard.record()
    _, first = await yard.file()
    at_window = {**WORDS, "sign": SIGN}
    status, second = await yard.ask("POST", "/objections", yard.clerk, **at_window)
    assert status == 201
    for filed, paused in ((first, True), (second, False)):
        taken = await yard.ask("POST", "/objections/withdrawal", receipt=filed["receipt"])
        assert (taken[0], taken[1]["state"]) == (200, "withdrawn")
        assert await yard.paused() is paused
    await yard.hub.app[keys.CATALOGUE].write(signs.forget_sources)
    assert await yard.hub.app[keys.CATALOGUE].read(sources) == [None, None]


def sources(session: Any) -> list[str | None]:
    return list(session.exec(select(Receipt.source)))


async def test_what_is_put_on_record_later_is_paused_too(yard: Yard) -> None:
    """Without a record nothing is shared anyway; with one, the objection still holds."""
    await yard.file()
    await yard.record()
    assert await yard.paused()


async def test_nobody_else_sees_or_answers_it(yard: Yard) -> None:
    """PRM-1: another villager's id is 404 to them."""
    await yard.file()
    (shown,) = (await yard.ask("GET", "/objections", yard.owner))[1]["items"]
    _, stranger = await yard.hub.owner("Zhou")
    far = await yard.hub.staff(Role.COMMITTEE, place="110101")
    police = await yard.hub.staff(Role.STATION_OFFICER, place=PLACE)
    for who in (stranger, far, police):
        assert (await yard.ask("GET", "/objections", who))[1]["items"] == []
        path = f"/objections/{shown['id']}"
        assert (await yard.ask("GET", path, who))[0] == 404
        assert (await yard.ask("POST", f"{path}/answer", who, words="no"))[0] == 404
        status, _ = await yard.ask("POST", "/objections", who, **WORDS, sign=SIGN)
        assert status == (201 if who is far else 403)
    auditor = await yard.hub.staff(Role.AUDITOR)
    assert (await yard.ask("GET", f"/objections/{shown['id']}", auditor))[1]["acts"] == []


async def test_late_it_stays_paused_and_the_auditor_is_told(yard: Yard) -> None:
    """PRM-19."""
    await yard.record()
    _, filed = await yard.file()
    yard.hub.clock.turn(7 * DAY / 1000)
    await yard.hub.app[keys.DESK].look()
    _, state = await yard.ask("POST", "/objections/state", receipt=filed["receipt"])
    assert state["state"] == "late"
    assert await yard.paused()


async def test_a_sign_keeps_its_code(yard: Yard) -> None:
    """DEV-15: what was printed stays right."""
    write = yard.hub.app[keys.CATALOGUE].write
    assert await write(signs.sign_of, yard.camera, "ZZZZZZZZ") == SIGN
    office = Office(
        yard.hub.app[keys.CONFIG],
        yard.hub.app[keys.NODE],
        yard.hub.app[keys.CATALOGUE],
        yard.hub.clock,
    )
    lines = await commands.camera_sign(office, yard.camera)
    assert lines[0].endswith("BCDF-GHJK")
    assert lines[1].endswith(f"/api/v1/signs/{SIGN}/objections")
