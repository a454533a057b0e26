"""Preserves, and what persons concerned ask, through the API (PRM-12, PRM-18)."""

from tests.hub.cases.story import AREA, HOUR, Village
from village_hub import keys
from village_hub.catalogue import matters


async def test_a_preserve_shows_nothing_of_cameras_or_households(village: Village) -> None:
    """PRM-18."""
    path = await village.preserve()
    shown = await village.ask("li", "GET", path)
    for home in village.homes.values():
        assert home.id not in shown.text
        assert home.camera not in shown.text
    (hold,) = await village.hub.app[keys.CATALOGUE].read(matters.holds, village.hub.clock.utc_ms())
    assert hold.place == AREA["place"]


async def test_households_are_told_a_second_person_confirms_and_nobody_else_knows(
    village: Village,
) -> None:
    """PRM-18."""
    path = await village.preserve()
    readers = {
        name for name in village.people if (await village.ask(name, "GET", path)).status == 200
    }
    assert readers == {"li", "chen", "zhao", "sun", "gu", "auditor", "wang", "zhou"}
    assert await village.code("li", f"{path}/confirm") == "422 self_approval"
    assert await village.code("wang", f"{path}/confirm") == "403 not_yours"
    assert (await village.do("chen", f"{path}/confirm"))["state"] == "confirmed"
    village.hub.clock.turn(7 * 24 * HOUR / 1000)
    await village.hub.app[keys.DESK].look()
    assert (await village.ask("wang", "GET", path)).body["state"] == "ended"


async def test_unconfirmed_it_lapses_after_a_day(village: Village) -> None:
    """PRM-18."""
    path = await village.preserve()
    village.hub.clock.turn(24 * HOUR / 1000)
    await village.hub.app[keys.DESK].look()
    assert (await village.ask("wang", "GET", path)).body["state"] == "lapsed"
    now = village.hub.clock.utc_ms()
    assert await village.hub.app[keys.CATALOGUE].read(matters.holds, now) == []


async def test_only_police_of_the_place_preserve(village: Village) -> None:
    body = {"incident": "110-0042", "area": AREA, **village.window()}
    for who, code in (
        ("other", "403 scope"),
        ("clerk", "403 scope"),
        ("wang", "403 scope"),
        ("engineer", "403 no_basis"),
        ("auditor", "403 no_basis"),
    ):
        assert await village.code(who, "preserves", json=body) == code


async def test_a_person_concerned_asks_and_the_village_decides(village: Village) -> None:
    """PRM-12."""
    body = {
        "place": AREA["place"],
        "where": "the square",
        "what": "I fell over a cable at the stage.",
        "relation": "injured",
        **village.window(),
    }
    made = await village.do("wang", "concerned", json=body)
    path = f"concerned/{made['id']}"
    for who in ("zhou", "li", "engineer"):
        assert (await village.ask(who, "GET", path)).status == 404
    assert await village.code("clerk", "concerned", json=body) == "403 not_on_duty"
    private = {"cameras": [village.homes["zhou"].camera], "words": "Monday at nine"}
    assert await village.code("clerk", f"{path}/approve", json=private) == "422 not_public"
    square = await village.square()
    await village.do("clerk", f"{path}/approve", json={**private, "cameras": [square]})
    shown = (await village.ask("wang", "GET", path)).body
    assert (shown["state"], shown["words"], shown["cameras"]) == ("approved", "Monday at nine", [])
    seen = {"words": "with Wang; others were blurred"}
    assert (await village.do("clerk", f"{path}/viewed", json=seen))["state"] == "viewed"
    assert len((await village.ask("wang", "GET", "concerned")).body["items"]) == 1
    assert len((await village.ask("clerk", "GET", "concerned")).body["items"]) == 1
