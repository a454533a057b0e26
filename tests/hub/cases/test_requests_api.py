"""Requests through the API: each in their part, and nobody else (PRM-8, PRM-10)."""

import io
import json
from typing import Any

import pytest
from sqlmodel import select

from tests.hub.cases.story import AREA, HOUR, PDF, Village
from village_hub import keys
from village_hub.cases.scans import LARGEST
from village_hub.catalogue.audit_models import AuditEntry
from village_hub.catalogue.store import Session

DAY = 24 * HOUR


async def test_from_the_draft_to_the_last_answer(village: Village) -> None:
    """PRM-8."""
    path = await village.filed()
    assert await village.code("chen", f"{path}/approve") == "403 not_yours"
    assert (await village.do("zhao", f"{path}/approve"))["state"] == "approved"
    wang, zhou = village.homes["wang"], village.homes["zhou"]
    seen = (await village.ask("wang", "GET", path)).body
    assert [part["camera"] for part in seen["parts"]] == [wang.camera]
    assert (seen["notice"], seen["asked_by"]["name"]) == ("2026-0007", "li")
    await village.do("wang", f"{path}/countersign", json={"household": wang.id})
    asker = (await village.ask("li", "GET", path)).body
    assert [part["camera"] for part in asker["parts"]] == [wang.camera]  # answers only
    await village.do("zhou", f"{path}/refusal", json={"household": zhou.id, "words": "no"})
    done = (await village.ask("li", "GET", path)).body
    assert done["state"] == "answered"
    assert [part["answer"] for part in done["parts"]] == ["countersigned", "refusal_noted"]


async def test_what_is_filed_is_what_the_terms_say_whoever_is_quick(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PRM-8: terms that are amended while they are filed; the approver reads 12 hours, and two days
    would be opened."""
    window = village.window()
    wide = {**window, "begin": window["end"] - 2 * DAY}
    camera = village.homes["wang"].camera
    path = await village.drafted(cameras=[{"camera": camera, **wide}])
    scan = {"data": PDF, "headers": {"Content-Type": "application/pdf"}}
    assert (await village.ask("li", "PUT", f"{path}/scan", **scan)).status == 200
    assert await village.code("li", f"{path}/file") == "422 window"
    desk, act = village.hub.app[keys.DESK], village.hub.app[keys.DESK].act

    async def overtaken(*taken: Any) -> Any:
        monkeypatch.setattr(desk, "act", act)
        narrow = village.request(cameras=[{"camera": camera, **window}])
        assert (await village.ask("li", "PUT", f"{path}/terms", json=narrow)).status == 200
        return await act(*taken)

    monkeypatch.setattr(desk, "act", overtaken)
    assert await village.code("li", f"{path}/file") == "412 matter_moved"
    assert (await village.ask("li", "GET", path)).body["state"] == "draft"


async def test_who_sees_a_request_and_who_does_not(village: Village) -> None:
    """PRM-2: nobody by standing above."""
    path = await village.filed()

    async def readers() -> set[str]:
        names = sorted(village.people)
        return {name for name in names if (await village.ask(name, "GET", path)).status == 200}

    unit = {"li", "chen", "zhao"}
    assert await readers() == unit | {"auditor"}
    await village.do("zhao", f"{path}/approve")
    assert await readers() == unit | {"auditor", "clerk", "wang", "zhou"}
    listed = {
        name: len((await village.ask(name, "GET", "requests")).body["items"])
        for name in village.people
    }
    assert {name for name, count in listed.items() if count} == unit | {
        *("auditor", "clerk", "wang", "zhou")
    }


async def test_a_delay_hides_it_from_the_household_until_it_is_over(village: Village) -> None:
    """PRM-10."""
    until = village.hub.clock.utc_ms() + 5 * DAY
    ground = "the household is related to the suspect"
    path = await village.filed(delay={"ground": ground, "until": until})
    assert await village.code("gu", f"{path}/approve") == "403 not_yours"
    assert await village.code("zhao", f"{path}/delay") == "403 not_yours"
    await village.do("sun", f"{path}/delay")
    await village.do("zhao", f"{path}/approve")
    assert (await village.ask("wang", "GET", path)).status == 404
    assert (await village.ask("wang", "GET", "requests")).body["items"] == []
    body = {"household": village.homes["wang"].id}
    assert await village.code("wang", f"{path}/countersign", json=body) == "404 no_such_matter"
    assert (await village.ask("auditor", "GET", path)).body["delay"]["granted"]["name"] == "sun"
    renewal = {"until": until + 10 * DAY, "ground": "the suspect is still at large"}
    assert await village.code("sun", f"{path}/delay-renewal", json=renewal) == "422 self_approval"
    await village.do("gu", f"{path}/delay-renewal", json=renewal)
    village.hub.clock.turn(6 * DAY / 1000)
    assert (await village.ask("wang", "GET", path)).status == 404
    village.hub.clock.turn(10 * DAY / 1000)
    seen = await village.ask("wang", "GET", path)
    assert (seen.status, seen.body["delay"]) == (200, None)


async def test_an_area_is_resolved_by_the_village_and_the_asker_sees_answers_only(
    village: Village,
) -> None:
    """PRM-18."""
    sought = {"area": AREA, **village.window()}
    path = await village.filed(cameras=[], sought=sought)
    await village.do("zhao", f"{path}/approve")
    wang, zhou = village.homes["wang"], village.homes["zhou"]
    cameras = [{"camera": home.camera, **village.window()} for home in (wang, zhou)]
    assert await village.code("li", f"{path}/resolve", json={"cameras": cameras}) == "403 not_yours"
    unknown = [{"camera": "none", **village.window()}]
    assert await village.code("clerk", f"{path}/resolve", json={"cameras": unknown}) == (
        "422 bad_place"
    )
    await village.do("clerk", f"{path}/resolve", json={"cameras": cameras})
    assert (await village.ask("li", "GET", path)).body["parts"] == []
    await village.do("wang", f"{path}/countersign", json={"household": wang.id})
    shown = (await village.ask("li", "GET", path)).body["parts"]
    assert [part["camera"] for part in shown] == [wang.camera]


async def test_naming_a_camera_does_not_tell_whether_it_exists(village: Village) -> None:
    """PRM-2."""
    shown = []
    for camera in (village.homes["wang"].camera, "no-such-camera"):
        path = await village.filed(cameras=[{"camera": camera, **village.window()}])
        await village.do("zhao", f"{path}/approve")
        seen = (await village.ask("li", "GET", path)).body
        shown.append({name: value for name, value in seen.items() if name != "id"})
    assert shown[0] == shown[1]


@pytest.mark.parametrize(
    ("data", "kind", "status"),
    [
        (b"MZ program", "application/pdf", 415),
        (PDF, "image/png", 415),
        (PDF, "text/html", 415),
        (b"%PDF-" + b"0" * LARGEST, "application/pdf", 413),
        (b"\x89PNG\r\n\x1a\n picture", "image/png", 200),
        (b"\xff\xd8\xff picture", "image/jpeg", 200),
    ],
    ids=["a program", "another kind", "a page", "too large", "png", "jpeg"],
)
async def test_a_scan_is_what_it_says_and_of_its_size(
    village: Village, data: bytes, kind: str, status: int
) -> None:
    path = await village.drafted()
    headers = {"Content-Type": kind}
    found = await village.ask("li", "PUT", f"{path}/scan", data=io.BytesIO(data), headers=headers)
    assert found.status == status, found.text


async def test_a_scan_is_kept_for_its_readers_and_for_no_one_else(village: Village) -> None:
    path = await village.filed()
    folder = village.hub.app[keys.CONFIG].state / "scans"
    (file,) = folder.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (await village.ask("zhao", "GET", f"{path}/scan")).text.encode() == PDF
    for who in ("wang", "clerk", "auditor", "other", "engineer"):
        assert (await village.ask(who, "GET", f"{path}/scan")).status == 404
    later = await village.ask(
        "li", "PUT", f"{path}/scan", data=PDF, headers={"Content-Type": "application/pdf"}
    )
    assert (later.status, later.body["code"]) == (409, "out_of_turn")


async def test_of_two_who_decide_at_once_one_is_told_how_it_stands(village: Village) -> None:
    path = await village.filed()
    etag = (await village.ask("zhao", "GET", path)).etag
    await village.do("zhao", f"{path}/approve", headers={"If-Match": etag})
    late = await village.ask(
        "zhao", "POST", f"{path}/refuse", json={"words": "no ground"}, headers={"If-Match": etag}
    )
    assert (late.status, late.body["code"]) == (412, "matter_moved")
    assert "approved" in late.body["detail"]
    wrong = await village.ask("zhao", "POST", f"{path}/approve", headers={"If-Match": "new"})
    assert (wrong.status, wrong.body["code"]) == (400, "bad_if_match")


async def test_asking_twice_with_one_key_makes_one_request(village: Village) -> None:
    key = {"Idempotency-Key": "request-of-monday"}
    body = village.request()
    first = await village.do("li", "requests", json=body, headers=key)
    again = await village.do("li", "requests", json=body, headers=key)
    assert first == again
    assert len((await village.ask("li", "GET", "requests")).body["items"]) == 1


async def test_lists_come_in_pages_newest_first(village: Village) -> None:
    made = [(await village.drafted()).removeprefix("requests/") for _ in range(3)]
    first = (await village.ask("li", "GET", "requests?limit=2")).body
    rest = (await village.ask("li", "GET", f"requests?limit=2&after={first['next']}")).body
    found = [item["id"] for item in first["items"] + rest["items"]]
    assert sorted(found) == sorted(made)
    assert (len(first["items"]), rest["next"]) == (2, None)


async def test_what_is_not_whole_is_refused_with_its_code_and_stays_a_draft(
    village: Village,
) -> None:
    path = await village.drafted(officers=[village.named("li")])
    assert await village.code("li", f"{path}/file") == "422 need_two"
    terms = village.request()
    assert (await village.ask("li", "PUT", f"{path}/terms", json=terms)).status == 200
    assert await village.code("li", f"{path}/file") == "422 no_notice"
    assert (await village.ask("li", "GET", path)).body["state"] == "draft"


@pytest.mark.parametrize("who", ["wang", "clerk", "auditor", "engineer", "other"])
async def test_nobody_else_makes_a_request(village: Village, who: str) -> None:
    found = await village.ask(who, "POST", "requests", json=village.request())
    assert found.status == 403
    tried = await village.hub.app[keys.CATALOGUE].read(tries)
    assert village.people[who].person in {each["who"]["id"] for each in tried}


def tries(session: Session) -> list[dict[str, dict[str, str]]]:
    """AUD-1: denied attempts, too."""
    found = [json.loads(text) for text in session.exec(select(AuditEntry.document))]
    return [each for each in found if each["action"].startswith("try.")]
