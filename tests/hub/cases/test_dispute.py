"""Disputes between villagers, through the API (PRM-22)."""

import json
from typing import Any

import pytest
from sqlmodel import select

from tests.hub.cases.cast import CLERK, NOW, WANG, ZHOU
from tests.hub.cases.story import HOUR, Village
from tests.hub.cases.walks_of_villagers import LOOKED, MEI, THING
from village_hub import keys
from village_hub.cases.dispute import KIND, Dispute, Join, Party, Seen, begin
from village_hub.cases.matter import StepRefused
from village_hub.catalogue import matters
from village_hub.catalogue.audit_models import AuditEntry
from village_hub.catalogue.store import Session

DAY = 24 * HOUR / 1000  # s


async def filed(village: Village) -> str:
    made = await village.do("wang", "disputes", json=village.thing())
    return f"disputes/{made['id']}"


async def joined(village: Village) -> str:
    path = await filed(village)
    await village.do("clerk", f"{path}/join", json={"household": village.homes["zhou"].id})
    return path


async def looked(village: Village, path: str, camera: str) -> Any:
    window = village.window()
    said = {"cameras": [camera], "words": "the wall stands at six and lies at seven", **window}
    return await village.do("clerk", f"{path}/look", json=said)


async def read_by_both(village: Village, path: str) -> list[dict[str, Any]]:
    found = [(await village.ask(who, "GET", path)).body for who in ("wang", "zhou")]
    for each in found:
        each.pop("acts")  # whoever filed it may take it back
    return found


async def test_both_are_told_what_was_looked_at_and_see_the_same(village: Village) -> None:
    """PRM-22, from end to end."""
    path, square = await joined(village), await village.square()
    assert (await looked(village, path, square))["state"] == "looked"
    for who in ("wang", "zhou"):
        assert {"dispute_joined", "dispute_looked"} <= await village.told(who)
    one, other = await read_by_both(village, path)
    assert one == other
    assert one["looks"][0]["cameras"] == [{"id": square, "name": "Square"}]
    assert (await village.do("clerk", f"{path}/seen", json={"party": "other"}))["state"] == "looked"
    again = {"json": {"party": "other"}}
    assert await village.code("clerk", f"{path}/seen", **again) == "409 seen_already"
    assert (await village.do("clerk", f"{path}/seen", json={"party": "asker"}))["state"] == "seen"
    one, other = await read_by_both(village, path)
    assert one == other
    assert sorted(one["seen"]) == ["asker", "other"]


async def test_what_one_saw_before_does_not_count_when_more_is_looked_at(village: Village) -> None:
    """PRM-22: the same for both."""
    path, square = await joined(village), await village.square()
    await looked(village, path, square)
    await village.do("clerk", f"{path}/seen", json={"party": "asker"})
    assert (await looked(village, path, square))["seen"] == []
    found = await village.do("clerk", f"{path}/seen", json={"party": "other"})
    assert (found["state"], found["seen"]) == ("looked", ["other"])


async def test_neither_reads_who_the_other_is(village: Village) -> None:
    """The form asks for place, time and thing; who it is, is said at the window."""
    path = await joined(village)
    for who in ("wang", "zhou"):
        shown = await village.ask(who, "GET", path)
        assert (shown.body["asked_by"], shown.body["other"]) == (None, None)
        assert village.homes["zhou"].id not in shown.text
        assert village.people["wang"].person not in shown.text
    shown = (await village.ask("clerk", "GET", path)).body
    assert shown["asked_by"]["name"] == "wang"
    assert shown["other"] == village.homes["zhou"].id
    body = village.thing(person="Zhou")
    assert await village.code("wang", "disputes", json=body) == "422 bad_body"
    body = village.thing(no_person=False)
    assert await village.code("wang", "disputes", json=body) == "422 bad_body"


async def test_the_other_knows_from_when_they_are_asked(village: Village) -> None:
    path = await filed(village)
    assert "dispute_filed" in await village.told("clerk")
    assert (await village.ask("zhou", "GET", path)).status == 404
    assert (await village.ask("zhou", "GET", "disputes")).body["items"] == []
    await village.do("clerk", f"{path}/join", json={"household": village.homes["zhou"].id})
    for who in ("wang", "zhou", "clerk", "auditor"):
        assert len((await village.ask(who, "GET", "disputes")).body["items"]) == 1
    assert await village.code("zhou", f"{path}/withdraw") == "403 not_yours"


async def test_nobody_else_knows_of_it(village: Village) -> None:
    """IDOR."""
    path, square = await joined(village), await village.square()
    household = village.homes["zhou"].id
    look = {"cameras": [square], "words": "no", **village.window()}
    for who in ("li", "sun", "engineer", "other"):
        assert (await village.ask(who, "GET", path)).status == 404
        assert (await village.ask(who, "GET", "disputes")).body["items"] == []
        for act, said in (
            ("join", {"household": household}),
            ("look", look),
            ("seen", {"party": "asker"}),
            ("close", {"words": "no"}),
            ("withdraw", None),
        ):
            assert await village.code(who, f"{path}/{act}", json=said) == "404 no_such_matter"
    for who in ("wang", "zhou"):
        assert await village.code(who, f"{path}/look", json=look) == "403 not_yours"
    body = village.thing()
    assert await village.code("clerk", "disputes", json=body) == "403 not_on_duty"


async def test_only_a_home_of_the_place_and_only_public_cameras(village: Village) -> None:
    path = await filed(village)
    far = await village.hub.household("far")
    for household in (far, "made-up"):
        said = {"household": household}
        assert await village.code("clerk", f"{path}/join", json=said) == "422 not_of_here"
    own = {"household": village.homes["wang"].id}
    assert await village.code("clerk", f"{path}/join", json=own) == "422 one_side"
    await village.do("clerk", f"{path}/join", json={"household": village.homes["zhou"].id})
    window = village.window()
    look = {"cameras": [village.homes["zhou"].camera], "words": "no", **window}
    assert await village.code("clerk", f"{path}/look", json=look) == "422 not_public"
    early = {**look, "cameras": [await village.square()], "begin": window["begin"] - HOUR}
    assert await village.code("clerk", f"{path}/look", json=early) == "422 window"


async def test_what_was_looked_at_stays_until_both_have_seen_it(village: Village) -> None:
    path, square = await joined(village), await village.square()
    await looked(village, path, square)
    read, now = village.hub.app[keys.CATALOGUE].read, village.hub.clock.utc_ms()
    (hold,) = await read(matters.holds, now)
    assert (hold.camera, hold.end) == (square, village.window()["end"])
    for party in ("asker", "other"):
        await village.do("clerk", f"{path}/seen", json={"party": party})
    assert await read(matters.holds, village.hub.clock.utc_ms()) == []


async def test_it_ends_by_agreement_by_whoever_filed_it_or_by_time(village: Village) -> None:
    first, second, third = [await joined(village) for _ in range(3)]
    await village.do("clerk", f"{first}/close", json={"words": "they agreed to share the wall"})
    await village.do("wang", f"{second}/withdraw")
    for _ in range(2):
        village.hub.clock.turn(15 * DAY)
        assert (await village.ask("zhou", "GET", third)).status == 200
        assert (await village.ask("wang", "GET", third)).status == 200
    await village.hub.app[keys.DESK].look()
    states = [(await village.ask("zhou", "GET", each)).body for each in (first, second, third)]
    assert [each["state"] for each in states] == ["closed", "withdrawn", "expired"]
    assert states[0]["words"] == "they agreed to share the wall"
    for who in ("wang", "zhou"):
        assert "dispute_closed" in await village.told(who)


async def test_the_log_knows_what_was_looked_at(village: Village) -> None:
    """AUD-1."""
    path, square = await joined(village), await village.square()
    await looked(village, path, square)

    def acts(session: Session) -> dict[str, dict[str, Any]]:
        found = [json.loads(text) for text in session.exec(select(AuditEntry.document))]
        return {each["action"]: each for each in found}

    known = await village.hub.app[keys.CATALOGUE].read(acts)
    assert known["dispute_looked"]["camera"] == square
    assert known["dispute_looked"]["who"]["name"] == "clerk"
    assert known["dispute_joined"]["household"] == village.homes["zhou"].id


def begun() -> Dispute:
    return begin(THING, WANG, NOW).matter


@pytest.mark.parametrize("by", [MEI, CLERK.model_copy(update={"id": WANG.id})])
def test_nobody_mediates_in_their_own_dispute(by: Any) -> None:
    """PRM-11: neither of the other's home, nor as the one who filed it."""
    join = Join(household="zhou", people=(ZHOU.key, MEI.key))
    dispute = KIND.step(begun(), join, CLERK, NOW).matter
    dispute = KIND.step(dispute, LOOKED, CLERK, NOW).matter
    for matter, act in ((begun(), join), (dispute, LOOKED), (dispute, Seen(party=Party.ASKER))):
        with pytest.raises(StepRefused) as refused:
            KIND.step(matter, act, by, NOW)
        assert refused.value.code == "self_approval"
