"""Public asks through the API: no is safe (PRM-9, PRM-20)."""

import json
from typing import Any

from sqlmodel import select

from tests.hub.cases.story import HOUR, Village
from village_hub import keys
from village_hub.catalogue.audit_models import AuditEntry
from village_hub.catalogue.notice_models import Notice
from village_hub.catalogue.store import Session

ANYBODY_ELSE = ("li", "chen", "sun", "clerk", "engineer", "other", "auditor", "zhou")


async def everything_seen(village: Village, path: str) -> list[tuple[int, str, str]]:
    """Byte for byte, by everybody but the household itself."""
    found = []
    for who in ANYBODY_ELSE:
        for address in (path, "public-asks", "public-answers", "requests", "preserves"):
            answer = await village.ask(who, "GET", address)
            found.append((answer.status, answer.etag, answer.text))
    return found


def written(session: Session) -> tuple[int, int]:
    return (
        len(session.exec(select(AuditEntry.seq)).all()),
        len(session.exec(select(Notice.id)).all()),
    )


async def test_no_and_silence_look_the_same_to_everybody_else(village: Village) -> None:
    """PRM-20: byte-identical views, and nothing in the audit log or among the notices."""
    path = await village.published()
    question = await village.asked("wang")
    read = village.hub.app[keys.CATALOGUE].read
    before, books = await everything_seen(village, path), await read(written)
    assert (await village.do("wang", f"{question}/no"))["state"] == "put_away"
    assert await everything_seen(village, path) == before
    assert await read(written) == books
    await village.code("wang", f"{question}/take-back")
    assert await everything_seen(village, path) == before
    assert await read(written) == books


async def test_when_it_is_over_no_and_silence_still_look_the_same(village: Village) -> None:
    """PRM-20."""
    path = await village.published()
    await village.do("wang", f"{await village.asked('wang')}/no")
    await village.do("chen", f"{path}/close")
    states = [
        (await village.ask(who, "GET", "public-answers")).body["items"][0]["state"]
        for who in ("wang", "zhou")
    ]
    assert states == ["over", "over"]
    shown = (await village.ask("li", "GET", path)).body
    assert (shown["state"], shown["offers"]) == ("closed", [])


async def test_a_yes_is_an_offer_that_only_who_asked_sees(village: Village) -> None:
    """PRM-9."""
    path = await village.published()
    question, home = await village.asked("wang"), village.homes["wang"]
    offer = {"camera": home.camera, **village.window(), "words": "ask for my son"}
    await village.do("wang", f"{question}/offer", json=offer)
    for who in ("li", "chen"):
        (shown,) = (await village.ask(who, "GET", path)).body["offers"]
        assert (shown["household"], shown["words"]) == (home.id, "ask for my son")
    for who in ("auditor", "sun"):
        assert (await village.ask(who, "GET", path)).body["offers"] == []
    for who in ("clerk", "engineer", "other", "zhou"):
        assert (await village.ask(who, "GET", path)).status == 404
    await village.do("wang", f"{question}/take-back")
    assert (await village.ask("li", "GET", path)).body["offers"] == []


async def test_nobody_is_asked_before_a_second_person_has_reviewed_it(village: Village) -> None:
    """PRM-9."""
    made = await village.do("li", "public-asks", json=village.public_ask())
    path = f"public-asks/{made['id']}"
    assert (await village.ask("wang", "GET", "public-answers")).body["items"] == []
    assert await village.code("li", f"{path}/publish") == "422 self_approval"
    assert await village.code("other", f"{path}/publish") == "404 no_such_matter"
    await village.do("chen", f"{path}/reject", json={"words": "it is about a meeting"})
    assert (await village.ask("li", "GET", path)).body["reason"] == "it is about a meeting"
    assert (await village.ask("wang", "GET", "public-answers")).body["items"] == []


async def test_who_asks_has_to_declare_that_it_is_about_no_gathering(village: Village) -> None:
    """PRM-9, PRM-15."""
    for more, code in (
        ({"no_gathering": False}, "422 bad_body"),
        ({"purpose": "parking"}, "422 bad_body"),
        ({"purpose": "oversight"}, "422 purpose"),
    ):
        body = village.public_ask(**more)
        assert await village.code("li", "public-asks", json=body) == code


async def test_a_household_offers_its_own_cameras_within_the_window(village: Village) -> None:
    await village.published()
    question = await village.asked("wang")
    window = village.window()
    others: dict[str, Any] = {"camera": village.homes["zhou"].camera, **window}
    assert await village.code("wang", f"{question}/offer", json=others) == "422 no_such_camera"
    early = {**window, "begin": window["begin"] - HOUR, "end": window["end"] - HOUR}
    assert await village.code("wang", f"{question}/offer", json=early) == "422 window"
    phone = await village.do("wang", f"{question}/offer", json=window)
    assert phone["offered"]


async def test_an_answer_is_found_by_its_household_alone(village: Village) -> None:
    """PRM-20."""
    await village.published()
    question = await village.asked("wang")
    for who in ANYBODY_ELSE:
        assert (await village.ask(who, "GET", question)).status == 404
        assert await village.code(who, f"{question}/no") == "404 no_such_matter"


async def test_the_log_knows_who_asked_and_who_reviewed(village: Village) -> None:
    """AUD-1."""
    await village.published()

    def acts(session: Session) -> dict[str, dict[str, Any]]:
        found = [json.loads(text) for text in session.exec(select(AuditEntry.document))]
        return {each["action"]: each for each in found}

    known = await village.hub.app[keys.CATALOGUE].read(acts)
    entry = known["public_ask_published"]
    assert (entry["who"]["name"], entry["second"]["name"]) == ("chen", "li")
    assert entry["case"] == "110-0042"
    assert entry["source"]
