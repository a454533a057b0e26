"""A household disputes a line of its own log (AUD-4), through the API."""

import asyncio
from datetime import datetime
from typing import Any

import pytest
from sqlmodel import select

from tests.hub.cases.cast import AUDITOR, LI, NOW, VILLAGE, WANG
from tests.hub.cases.story import Village
from tests.hub.cases.walks_of_villagers import LINE, LOG_DISPUTE
from village_core.ids import new_id
from village_core.permits import Role
from village_hub import keys
from village_hub.audit.anomalies import HERE
from village_hub.audit.entry import Entry, EntryKind, Who
from village_hub.cases.log_dispute import KIND, AnswerDispute, Finding, begin
from village_hub.cases.matter import StepRefused
from village_hub.catalogue import audit
from village_hub.catalogue.notice_models import Notice
from village_hub.catalogue.store import Session

WHY = {"words": "nobody told us of any case"}
ANSWER = {"finding": "not_in_order", "words": "the officer had no case; it was reported"}
DAY = 24 * 3600


async def looked(village: Village, household: str, **more: Any) -> str:
    """The id of a line: Li watched the gate of this household."""
    hub = village.hub
    entry = Entry.model_validate(
        {
            "id": new_id(hub.clock),
            "utc_ms": hub.clock.utc_ms(),
            "kind": EntryKind.VIEW_START,
            "action": "live",
            "result": "allowed",
            "who": Who(issuer=hub.id, id=village.people["li"].person, name="Li"),
            "camera_name": "Gate",
            "household": household,
            **more,
        }
    )
    await hub.app[keys.CATALOGUE].write(audit.append, entry)
    return entry.id


async def disputed(village: Village, who: str = "wang") -> str:
    line = await looked(village, village.homes[who].id)
    made = await village.do(who, f"me/log/{line}/dispute", json=WHY)
    return f"log-disputes/{made['id']}"


def told(session: Session) -> list[str]:
    return list(session.exec(select(Notice.kind)))


async def test_from_the_line_to_the_answer(village: Village) -> None:
    """AUD-4: the household disputes, the auditor is told and answers, the household reads it."""
    path = await disputed(village)
    shown = (await village.ask("auditor", "GET", path)).body
    assert "Gate" in shown["line"]["text"]["en"]
    assert "Li" in shown["line"]["text"]["zh"]
    assert (shown["words"], shown["asked_by"]["name"]) == (WHY["words"], "wang")
    assert shown["acts"] == ["answer"]
    await village.do("auditor", f"{path}/answer", json=ANSWER)
    shown = (await village.ask("wang", "GET", "log-disputes")).body["items"][0]
    assert (shown["state"], shown["finding"], shown["answer"]) == (
        "answered",
        ANSWER["finding"],
        ANSWER["words"],
    )
    kinds = await village.hub.app[keys.CATALOGUE].read(told)
    assert {"log_disputed", "log_dispute_answered"} <= set(kinds)
    lines = (await village.ask("wang", "GET", "me/log")).body["items"]
    assert {"log_disputed", "log_dispute_answered"} <= {each["action"] for each in lines}
    assert await village.code("auditor", f"{path}/answer", json=ANSWER) == "409 matter_over"


async def test_three_working_days_then_the_auditor_is_reminded(village: Village) -> None:
    """AUD-4, AUD-5: late, it stays open and is an anomaly until it is answered."""
    path = await disputed(village)
    due = (await village.ask("wang", "GET", path)).body["due"]
    opened = village.hub.clock.utc_ms()
    assert 3 * DAY * 1000 <= due - opened <= 6 * DAY * 1000
    assert datetime.fromtimestamp(due / 1000, HERE).hour == 0
    village.hub.clock.turn((due - opened) / 1000)
    await village.hub.app[keys.DESK].look()
    village.people["auditor"] = await village.hub.staff(Role.AUDITOR, place=VILLAGE, name="auditor")
    shown = (await village.ask("wang", "GET", path)).body
    assert (shown["state"], shown["due"]) == ("late", None)
    assert "log_dispute_late" in await village.hub.app[keys.CATALOGUE].read(told)
    odd = (await village.ask("auditor", "GET", "audit/anomalies?days=30")).body["items"]
    assert [each["refs"] for each in odd if each["kind"] == "dispute_unanswered"] == [[shown["id"]]]
    await village.do("auditor", f"{path}/answer", json=ANSWER)
    odd = (await village.ask("auditor", "GET", "audit/anomalies?days=30")).body["items"]
    assert [each for each in odd if each["kind"] == "dispute_unanswered"] == []


async def test_only_a_line_of_ones_own_log_is_disputed(village: Village) -> None:
    """IDOR: another's line is no line; on duty one has no household."""
    line = await looked(village, village.homes["wang"].id)
    nobodys = await looked(village, "", kind=EntryKind.ACT)
    for who, entry, code in (
        ("zhou", line, "404 no_such_line"),
        ("wang", nobodys, "404 no_such_line"),
        ("wang", "made-up", "404 no_such_line"),
        ("li", line, "403 not_on_duty"),
        ("auditor", line, "403 not_on_duty"),
    ):
        assert await village.code(who, f"me/log/{entry}/dispute", json=WHY) == code


async def test_nobody_else_knows_or_answers(village: Village) -> None:
    """IDOR; police, the village and engineers are not told that they are disputed."""
    path = await disputed(village)
    for who in ("zhou", "li", "chen", "sun", "clerk", "engineer", "other"):
        assert (await village.ask(who, "GET", path)).status == 404
        assert (await village.ask(who, "GET", "log-disputes")).body["items"] == []
        for act in ("answer", "withdraw"):
            said = {"json": ANSWER} if act == "answer" else {}
            assert await village.code(who, f"{path}/{act}", **said) == "404 no_such_matter"
    assert await village.code("wang", f"{path}/answer", json=ANSWER) == "403 not_yours"


async def test_a_line_is_disputed_once_until_it_is_answered(village: Village) -> None:
    """The same key gives the same answer; another try is told that it is open."""
    line = await looked(village, village.homes["wang"].id)
    address = f"me/log/{line}/dispute"
    once = {"Idempotency-Key": "one-dispute-1"}
    first = await village.do("wang", address, json=WHY, headers=once)
    assert await village.do("wang", address, json=WHY, headers=once) == first
    assert await village.code("wang", address, json=WHY) == "409 already_disputed"
    await village.do("wang", f"log-disputes/{first['id']}/withdraw")
    again = await village.do("wang", address, json=WHY)
    assert again["id"] != first["id"]


async def test_nobody_buries_the_auditor(village: Village) -> None:
    for _ in range(20):
        await disputed(village)
    line = await looked(village, village.homes["wang"].id)
    found = await village.code("wang", f"me/log/{line}/dispute", json=WHY)
    assert found == "422 too_many_open"


async def test_of_those_at_once_only_as_many_as_may_be_come_through(village: Village) -> None:
    """Two phones press at the same moment: counted where they are written."""
    home = village.homes["wang"].id
    line = await looked(village, home)
    lines = [line, line, line, *[await looked(village, home) for _ in range(22)]]
    tries = (village.ask("wang", "POST", f"me/log/{each}/dispute", json=WHY) for each in lines)
    said = [answer.status for answer in await asyncio.gather(*tries)]
    assert said.count(201) == 20
    assert said[:3].count(201) <= 1
    assert set(said) <= {201, 409, 422}


async def test_a_member_who_is_no_owner_sees_what_they_disputed(village: Village) -> None:
    """Each of the household reads its log (AUD-4), so each may dispute it; owners see it too."""
    home = village.homes["wang"]
    member = await village.hub.member(home.id, "Mei")
    village.people["mei"] = await village.hub.sign_in(member)
    line = await looked(village, home.id)
    made = await village.do("mei", f"me/log/{line}/dispute", json=WHY)
    for who in ("mei", "wang"):
        (shown,) = (await village.ask(who, "GET", "log-disputes")).body["items"]
        assert shown["id"] == made["id"]


@pytest.mark.parametrize("by", ["whose look it was", "who disputed it"])
def test_nobody_answers_for_themselves(by: str) -> None:
    """PRM-11."""
    auditor = AUDITOR.key
    line = LINE.model_copy(update={"by": auditor if by == "whose look it was" else LI.key})
    asker = WANG.model_copy(update={"id": AUDITOR.id}) if by == "who disputed it" else WANG
    dispute = begin(LOG_DISPUTE, line, "wang", asker, NOW).matter
    assert AUDITOR.holds(Role.AUDITOR)
    with pytest.raises(StepRefused) as refused:
        KIND.step(dispute, AnswerDispute(finding=Finding.IN_ORDER, words="fine"), AUDITOR, NOW)
    assert refused.value.code == "self_approval"
