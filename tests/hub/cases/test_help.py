"""Help requests by villagers, through the API (PRM-9, PRM-17): a lost cow."""

import json
from typing import Any

import pytest
from sqlmodel import select

from tests.hub.cases.cast import CLERK, FANG, NOW, VILLAGE, villager
from tests.hub.cases.story import AREA, HOUR, Village
from tests.hub.cases.walks_of_villagers import THING
from village_core.permits import Role
from village_hub import keys
from village_hub.cases.help import KIND, Take, begin
from village_hub.cases.matter import StepRefused
from village_hub.catalogue.audit_models import AuditEntry
from village_hub.catalogue.store import Session

NEAR = {"area": AREA, "contact": "the committee, 0731 1234567", "no_gathering": True}
DAY = 24 * HOUR / 1000  # s


async def asked(village: Village) -> str:
    made = await village.do("wang", "help-requests", json=village.thing())
    return f"help-requests/{made['id']}"


async def taken(village: Village) -> str:
    path = await asked(village)
    await village.do("clerk", f"{path}/take")
    return path


async def test_from_the_cow_to_the_answer(village: Village) -> None:
    """The committee is told, takes it, answers in words; the asker reads each step."""
    path, square = await asked(village), await village.square()
    assert "help_asked" in await village.told("clerk")
    assert (await village.do("clerk", f"{path}/take"))["state"] == "taken"
    said = {"words": "she went down the lane to the river at five", "cameras": [square]}
    assert (await village.do("clerk", f"{path}/answer", json=said))["state"] == "answered"
    await village.do("clerk", f"{path}/close", json={"words": "she is back home"})
    shown = (await village.ask("wang", "GET", path)).body
    steps = [(each["step"], each["words"]) for each in shown["steps"]]
    assert steps == [("take", ""), ("answer", said["words"]), ("close", "she is back home")]
    assert shown["steps"][1]["cameras"] == [{"id": square, "name": "Square"}]
    assert (shown["state"], shown["taken_by"]["name"]) == ("closed", "clerk")
    assert {"help_taken", "help_answered", "help_closed"} <= await village.told("wang")


async def test_an_answer_names_cameras_of_public_places_or_households_were_asked(
    village: Village,
) -> None:
    path = await taken(village)
    bare = {"words": "nobody has seen her"}
    assert await village.code("clerk", f"{path}/answer", json=bare) == "422 nothing_looked_at"
    for camera in (village.homes["zhou"].camera, "made-up"):
        said = {**bare, "cameras": [camera]}
        assert await village.code("clerk", f"{path}/answer", json=said) == "422 not_public"
    await village.do("clerk", f"{path}/ask-near", json=NEAR)
    assert (await village.do("clerk", f"{path}/answer", json=bare))["state"] == "answered"


async def test_households_near_are_asked_as_in_any_public_ask(village: Village) -> None:
    """PRM-9, PRM-20: after a second person's review; who asked for help is not shown who is
    asked, and when it is over nobody is asked any more."""
    path, unit = await taken(village), village.people["clerk"].unit
    village.people["ma"] = await village.hub.staff(Role.COMMITTEE, unit=unit, name="ma")
    (ask,) = (await village.do("clerk", f"{path}/ask-near", json=NEAR))["asks"]
    assert (await village.ask("zhou", "GET", "public-answers")).body["items"] == []
    assert await village.code("clerk", f"public-asks/{ask}/publish") == "422 self_approval"
    await village.do("ma", f"public-asks/{ask}/publish")
    question = await village.asked("zhou")
    shown = (await village.ask("zhou", "GET", question)).body
    assert (shown["purpose"], shown["what"].split(":")[0]) == ("lost", village.thing()["thing"])
    seen = await village.ask("wang", "GET", path)
    assert [each["step"] for each in seen.body["steps"]] == ["take", "ask_near"]
    assert seen.body["asks"] == []
    assert (await village.ask("wang", "GET", f"public-asks/{ask}")).status == 404
    await village.do("wang", f"{path}/withdraw")
    assert (await village.ask("zhou", "GET", question)).body["state"] == "over"
    assert (await village.ask("clerk", "GET", f"public-asks/{ask}")).body["state"] == "closed"


async def test_households_are_not_asked_for_ever(village: Village) -> None:
    path = await taken(village)
    for _ in range(3):
        await village.do("clerk", f"{path}/ask-near", json=NEAR)
    assert await village.code("clerk", f"{path}/ask-near", json=NEAR) == "422 asked_enough"


async def test_it_asks_for_place_time_and_thing_and_never_for_a_person(village: Village) -> None:
    """PRM-14, PRM-22: there is no field for one, and who asks has to say so."""
    fields = set(type(THING).model_fields)
    assert fields == {"place", "where", "thing", "what", "begin", "end", "no_person"}
    for more, code in (
        ({"no_person": False}, "422 bad_body"),
        ({"person": "a man in a red coat"}, "422 bad_body"),
        ({"end": village.window()["begin"]}, "422 window"),
        ({"begin": 0, "end": 1000}, "422 window"),
    ):
        body = village.thing(**more)
        assert await village.code("wang", "help-requests", json=body) == code


async def test_nobody_else_knows_of_it(village: Village) -> None:
    """IDOR: not the neighbour, not police, not the engineer."""
    path = await taken(village)
    for who in ("zhou", "li", "sun", "engineer", "other"):
        assert (await village.ask(who, "GET", path)).status == 404
        assert (await village.ask(who, "GET", "help-requests")).body["items"] == []
        for act, said in (
            ("take", {}),
            ("answer", {"json": {"words": "no"}}),
            ("ask-near", {"json": NEAR}),
            ("close", {"json": {"words": "no"}}),
            ("withdraw", {}),
        ):
            assert await village.code(who, f"{path}/{act}", **said) == "404 no_such_matter"
    assert await village.code("wang", f"{path}/close", json={"words": "mine"}) == "403 not_yours"
    assert await village.code("clerk", f"{path}/withdraw") == "403 not_yours"
    body = village.thing()
    assert await village.code("clerk", "help-requests", json=body) == "403 not_on_duty"
    assert (await village.ask("auditor", "GET", path)).status == 200


async def test_a_clerk_of_another_village_sees_nothing(village: Village) -> None:
    path = await asked(village)
    village.people["far"] = await village.hub.staff(
        Role.COMMITTEE, place="430121102299", name="far"
    )
    assert (await village.ask("far", "GET", path)).status == 404
    assert await village.code("far", f"{path}/take") == "404 no_such_matter"


async def test_untaken_it_expires_with_a_sentence(village: Village) -> None:
    path = await asked(village)
    village.hub.clock.turn(3 * DAY)
    await village.hub.app[keys.DESK].look()
    assert (await village.ask("wang", "GET", path)).body["state"] == "expired"
    notices = (await village.ask("wang", "GET", "me/notices?language=en")).body["items"]
    (text,) = [each["text"] for each in notices if each["kind"] == "help_expired"]
    assert "no answer in time" in text
    assert "village office" in text
    village.people["ma"] = await village.hub.staff(Role.COMMITTEE, place=VILLAGE, name="ma")
    assert "help_expired" in await village.told("ma")


async def test_the_log_knows_what_was_looked_at(village: Village) -> None:
    """AUD-1."""
    path, square = await taken(village), await village.square()
    said = {"words": "down the lane", "cameras": [square]}
    await village.do("clerk", f"{path}/answer", json=said)

    def acts(session: Session) -> dict[str, dict[str, Any]]:
        found = [json.loads(text) for text in session.exec(select(AuditEntry.document))]
        return {each["action"]: each for each in found}

    entry = (await village.hub.app[keys.CATALOGUE].read(acts))["help_answered"]
    assert entry["camera"] == square
    assert (entry["who"]["name"], entry["second"]["name"]) == ("clerk", "wang")
    assert (entry["footage_from"], entry["footage_to"]) == tuple(village.window().values())


async def test_one_villager_does_not_bury_the_committee(village: Village) -> None:
    for _ in range(20):
        await asked(village)
    found = await village.code("wang", "help-requests", json=village.thing())
    assert found == "422 too_many_open"


def test_a_clerk_does_not_look_after_their_own() -> None:
    """PRM-11."""
    own = begin(THING, villager("clerk"), NOW).matter
    with pytest.raises(StepRefused) as refused:
        KIND.step(own, Take(), CLERK, NOW)
    assert refused.value.code == "self_approval"
    assert KIND.may(begin(THING, FANG, NOW).matter, CLERK) == ["take"]
