"""Giving: a wish, a draft in plain words, one tap, the home's signature (PRM-3, PRM-5, PRM-21)."""

from typing import Any

import pytest

from tests.hub.authenticator import SecurityKey
from tests.hub.consent.home import DAY, SITE, Home, ask, assertion, connected, new_home, passkey
from tests.hub.support import Hub, Viewer, until
from village_core.grant_tokens import ByPasskey
from village_core.grants import GrantTerms
from village_core.messages import GrantList, GrantNote
from village_core.permits import Role
from village_hub import keys
from village_hub.catalogue import audit, grants, notices
from village_hub.consent.states import STEPS, Act, DraftState, step


async def sees(hub: Hub, viewer: Viewer, camera: str, **look: Any) -> tuple[int, str]:
    """Whether a still can be had, and why not."""
    answer = await hub.ask(
        "GET", f"/api/v1/cameras/{camera}/still", params=look, headers=viewer.headers
    )
    hub.client.session.cookie_jar.clear()
    code = "" if answer.status == 200 else (await answer.json())["code"]
    return answer.status, code


async def son(hub: Hub, name: str = "Ming") -> Viewer:
    return await hub.sign_in(await hub.named(name))


async def test_one_tap_gives_and_the_one_named_sees(home: Home) -> None:
    """PRM-5, PRM-21: nothing is shared by the draft, only by what the home signed."""
    hub, ming = home.hub, await son(home.hub)
    draft = await home.draft(home.family(ming.person))
    assert (draft["state"], draft["online"]) == ("open", True)
    assert (await sees(hub, ming, home.yard, purpose="family"))[0] == 404
    given = await home.confirm(draft)
    assert given["state"] == "given"
    assert await sees(hub, ming, home.yard, purpose="family") == (200, "")
    note = home.box.drafts[0]
    assert isinstance(note.confirmed, ByPasskey)
    assert note.confirmed.person == home.owner.person


async def test_the_draft_says_all_of_it_in_plain_words(home: Home) -> None:
    """PRM-3: recipient's name, contact, what, why, how long, how to stop; in both languages."""
    ming = await son(home.hub)
    draft = await home.draft(home.family(ming.person))
    for language, parts in {
        "zh": ["Ming", "138 0000 0000", "实时画面", "院子", "看看家里", "您停止为止", "按停止"],
        "en": ["Ming", "138 0000 0000", "live picture", "院子", "the day you stop it"],
    }.items():
        said = " ".join(draft["sentences"][language])
        assert [part for part in parts if part not in said] == []
    safe = "You may say no: nothing else changes."
    assert draft["sentences"]["en"][-1] == safe


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"cameras": ["somebody-elses"]}, "unfit_camera"),
        ({"kind": "live", "purpose": "lost", "until": 2 * DAY}, "unfit_too_long"),
        ({"purpose": "case"}, "unfit_purpose"),
        ({"actions": ["export"]}, "unfit_action"),
        ({"kind": "carer", "purpose": "care", "until": 2 * DAY}, "unfit_hours"),
        ({"recipient": {"person": "", "contact": "1"}}, "bad_recipient"),
    ],
)
async def test_a_wish_beyond_the_kinds_limits_is_refused(
    home: Home, change: dict[str, Any], code: str
) -> None:
    """PRM-5."""
    ming = await son(home.hub)
    wish = home.family(ming.person, **change)
    if "until" in wish:
        wish["until"] += home.hub.clock.utc_ms()
    assert (await home.draft(wish, 422))["code"] == code


async def test_the_inside_is_agreed_to_apart(home: Home) -> None:
    """PRM-3, PRM-13."""
    ming = await son(home.hub)
    wish = home.family(ming.person, cameras=[home.room])
    assert (await home.draft(wish, 422))["code"] == "unfit_sensitive"
    draft = await home.draft({**wish, "sensitive": True})
    assert any("inside your home" in line for line in draft["sentences"]["en"])


async def test_only_owners_give_and_strangers_hear_of_no_household(home: Home) -> None:
    """PRM-1: the table's column; IDOR."""
    hub = home.hub
    member = await hub.sign_in(await hub.member(home.household))
    stranger, ming = await son(hub, "Zhao"), await son(hub)
    wish = home.family(ming.person)
    path = f"/api/v1/households/{home.household}/drafts"
    assert (await ask(hub, "POST", path, member, wish, 403))["code"] == "no_basis"
    assert (await ask(hub, "POST", path, stranger, wish, 404))["code"] == "no_such_household"
    draft = await home.draft(wish)
    for who, status in ((stranger, 404), (ming, 404), (member, 403)):
        await ask(hub, "GET", f"/api/v1/drafts/{draft['id']}", who, None, status)
        body = assertion(home.key, draft["challenge"])
        await ask(hub, "POST", f"/api/v1/drafts/{draft['id']}/confirm", who, body, status)
        await ask(hub, "DELETE", f"/api/v1/drafts/{draft['id']}", who, None, status)
    assert home.box.drafts == []


async def test_a_passkey_of_somebody_else_or_over_other_terms_confirms_nothing(home: Home) -> None:
    """PRM-21."""
    hub, ming = home.hub, await son(home.hub)
    draft = await home.draft(home.family(ming.person))
    other = await home.draft(home.family(ming.person, actions=["live"]))
    path = f"/api/v1/drafts/{draft['id']}/confirm"
    his, unverified = await passkey(hub, ming), SecurityKey(SITE, verified=False, id=home.key.id)
    unverified.private, unverified.rp = home.key.private, home.key.rp
    for body in (
        assertion(his, draft["challenge"]),
        assertion(home.key, other["challenge"]),
        assertion(unverified, draft["challenge"]),
        assertion(
            SecurityKey("https://evil.test", id=home.key.id, private=home.key.private),
            draft["challenge"],
        ),
    ):
        assert (await ask(hub, "POST", path, home.owner, body, 403))["code"] == "not_asserted"
    assert home.box.drafts == []
    assert (await home.confirm(draft))["state"] == "given"


async def test_a_home_that_is_offline_gets_it_when_it_connects(hub: Hub) -> None:
    home = await new_home(hub)
    ming = await son(hub)
    draft = await home.draft(home.family(ming.person))
    waits = await home.confirm(draft)
    assert (waits["state"], waits["online"]) == ("sending", False)
    async with connected(home.box):

        async def given() -> bool:
            path = f"/api/v1/drafts/{draft['id']}"
            found: bool = (await ask(hub, "GET", path, home.owner))["state"] == "given"
            return found

        await until(given)
    assert await sees(hub, ming, home.yard, purpose="family") == (200, "")


async def test_the_home_refuses_and_the_owner_reads_why(home: Home) -> None:
    home.box.says, home.box.code = 403, "unknown_passkey"
    ming = await son(home.hub)
    after = await home.confirm(await home.draft(home.family(ming.person)))
    assert (after["state"], after["refused"]) == ("refused", "unknown_passkey")
    assert (await sees(home.hub, ming, home.yard, purpose="family"))[0] == 404


async def test_confirmed_at_home_it_waits_for_the_yes_there(home: Home) -> None:
    """PRM-21: on the box's own page. The home tells of it by its list; a no there is told too."""
    hub, ming = home.hub, await son(home.hub)
    home.box.says = 202
    one, two = [await home.draft(home.family(ming.person, why=why)) for why in ("a", "b")]
    for draft in (one, two):
        after = await ask(hub, "POST", f"/api/v1/drafts/{draft['id']}/at-home", home.owner, {})
        assert after["state"] == "waiting"
    text = home.box.sign(home.box.drafts[0].terms)
    said = GrantList(grants=(GrantNote(id="x", draft=one["id"], grant=text),), refused=(two["id"],))
    assert (await home.box.tell(said))[0] == 200
    states = [
        (await ask(hub, "GET", f"/api/v1/drafts/{draft['id']}", home.owner))["state"]
        for draft in (one, two)
    ]
    assert states == ["given", "refused"]
    assert await sees(hub, ming, home.yard, purpose="family") == (200, "")


async def test_a_home_that_signs_other_terms_gives_nothing(home: Home) -> None:
    """What the owner read is what stands, or nothing."""
    ming, zhao = await son(home.hub), await son(home.hub, "Zhao")
    other = await home.draft(home.family(zhao.person))
    home.box.says = 202
    await ask(home.hub, "POST", f"/api/v1/drafts/{other['id']}/at-home", home.owner, {})
    home.box.signs, home.box.says = home.box.drafts[0].terms, 201
    draft = await home.draft(home.family(ming.person))
    assert (await home.confirm(draft, 502))["code"] == "bad_grant"
    assert (await sees(home.hub, zhao, home.yard, purpose="family"))[0] == 404


async def test_silence_is_no(home: Home) -> None:
    """PRM-20: a draft that nobody confirms is over after 24 h."""
    ming = await son(home.hub)
    draft = await home.draft(home.family(ming.person))
    home.hub.clock.turn(24 * 3600 + 1)
    assert (await home.confirm(draft, 409))["code"] == "draft_over"
    await home.hub.app[keys.CONSENT].housekeeping.look()
    after = await ask(home.hub, "GET", f"/api/v1/drafts/{draft['id']}", home.owner)
    assert after["state"] == "expired"


async def test_a_withdrawn_draft_that_the_home_signs_all_the_same_is_stopped(hub: Hub) -> None:
    home = await new_home(hub)
    ming = await son(hub)
    draft = await home.draft(home.family(ming.person))
    await home.confirm(draft)
    await ask(hub, "DELETE", f"/api/v1/drafts/{draft['id']}", home.owner, None, 204)
    terms = GrantTerms.model_validate(draft["terms"])
    async with connected(home.box):
        assert home.box.drafts == []
        await home.box.gave(home.box.sign(terms), "x", draft["id"])
    (row,) = await hub.app[keys.CATALOGUE].read(grants.of_household, home.household)
    assert (row.status, row.why) == ("stopped", "withdrawn")


async def test_giving_is_in_the_log_and_both_are_told(home: Home) -> None:
    """AUD-1, PRM-23."""
    ming = await son(home.hub)
    grant = await home.give(home.family(ming.person))

    def told(session: Any) -> tuple[list[str], list[str]]:
        rows = notices.about(session, "grant", grant)
        entries = [each.entry for each in audit.Chain(session, audit.SERVE)]
        return (
            sorted(f"{row.kind}.{row.whom}" for row in rows),
            [each.action for each in entries if each.action.startswith("grant")],
        )

    kinds, acts = await home.hub.app[keys.CATALOGUE].read(told)
    assert kinds == ["grant_given.owner", "grant_given.recipient"]
    assert acts == ["grant_drafted", "grant_confirmed", "grant_given"]


async def test_the_committee_sees_at_its_hours_and_no_tier_above_inherits_it(home: Home) -> None:
    """PRM-2, PRM-5: away-watch is the committee's duty role's alone."""
    hub = home.hub
    unit = await hub.unit("committee")
    clerk = await hub.staff(Role.COMMITTEE, unit=unit)
    county = await hub.staff(Role.BUREAU_OFFICER)
    begin = (hub.clock.utc_ms() // 60_000 + 480) % 1440
    hours = [{"days": list(range(7)), "begin": begin - 10, "end": begin + 10}]
    await home.give(
        home.watch(unit, hours=hours, until=hub.clock.utc_ms() + 7 * DAY, actions=["live", "still"])
    )
    assert await sees(hub, clerk, home.yard, purpose="guard_home") == (200, "")
    assert (await sees(hub, county, home.yard, purpose="guard_home"))[0] == 404
    hub.clock.turn(3600)
    assert await sees(hub, clerk, home.yard, purpose="guard_home") == (404, "no_such_camera")


def test_a_draft_that_ended_stays_so() -> None:
    ended = {DraftState.GIVEN, DraftState.REFUSED, DraftState.WITHDRAWN}
    assert {state for state, _ in STEPS} & ended == set()
    assert step(DraftState.OPEN, Act.GIVE) is None  # nothing is given that nobody confirmed
