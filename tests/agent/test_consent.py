"""Consent enforced at home against a hub that says what it likes (PRM-21, IDN-15, MED-17)."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from home_agent.boxclock import BoxClock
from home_agent.config import ConsentConfig
from home_agent.consent import Consent
from home_agent.enrol import enrol_by_qr, household_key
from home_agent.state import State
from tests.agent import asking
from tests.agent.asking import HOUR, by_passkey, draft, family, given, outside, pinned_key, push
from tests.agent.home import Home, home, until
from tests.agent.hub_double import HUB
from village_core.clock import SYSTEM_CLOCK
from village_core.grant_tokens import AtHome, sign_grant
from village_core.grants import GrantTerms
from village_core.ids import new_id
from village_core.keys import SigningKey
from village_core.messages import StoppedNote
from village_core.permits import CameraClass
from village_core.tokens import Issuer


@pytest.fixture
async def at_home(tmp_path: Path) -> AsyncIterator[Home]:
    async with home(tmp_path, class_=CameraClass.H_OUT) as made:
        await until(lambda: made.agent.link.connected)
        await until(lambda: made.agent.cameras[made.camera].online)
        yield made


def told(at_home: Home) -> dict[str, Any]:
    """The last list of grants that the hub got."""
    nothing: dict[str, Any] = {"grants": [], "refused": [], "stopped": [], "owners": []}
    return at_home.hub.grant_lists[-1] if at_home.hub.grant_lists else nothing


# Giving


async def test_a_draft_waits_until_somebody_at_home_says_yes(at_home: Home) -> None:
    """Idempotent by the draft's id; the hub gets the grant on the list and by asking again."""
    said = draft(family(at_home.camera))
    for _ in range(2):
        assert (await at_home.hub.ask("POST", "/grants", said))["status"] == 202
    other = {**said, "terms": family(at_home.camera, why="something else")}
    assert (await at_home.hub.ask("POST", "/grants", other))["status"] == 409
    made = await at_home.agent.consent.give(said["id"])
    assert made is not None
    answer = await at_home.hub.ask("POST", "/grants", said)
    assert (answer["status"], answer["body"]) == (201, {"id": made.id, "grant": made.text})
    await until(lambda: any(each["grants"] for each in at_home.hub.grant_lists))
    (first,) = told(at_home)["grants"]
    assert (first["id"], first["draft"], first["stopped"]) == (made.id, said["id"], None)
    assert await at_home.agent.consent.give(said["id"]) is None


async def test_the_place_in_the_status_list_is_signed_into_the_grant(at_home: Home) -> None:
    """IDN-9: also when the yes is said at home, later."""
    place = {"idx": 7, "uri": "https://hub.test/api/v1/status-lists/1"}
    said = {**draft(family(at_home.camera)), "status": place}
    assert (await at_home.hub.ask("POST", "/grants", said))["status"] == 202
    made = await at_home.agent.consent.give(said["id"])
    assert made is not None
    grant = at_home.agent.consent.grants.standing()[made.id]
    assert grant.status is not None
    assert grant.status.model_dump() == place


async def test_a_no_at_home_is_told_and_stays_a_no(at_home: Home) -> None:
    said = draft(family(at_home.camera))
    await at_home.hub.ask("POST", "/grants", said)
    assert await at_home.agent.consent.refuse(said["id"])
    await until(lambda: said["id"] in told(at_home)["refused"])
    answer = await at_home.hub.ask("POST", "/grants", said)
    assert (answer["status"], answer["body"]["code"]) == (403, "refused")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"cameras": ["somebody-else's"]}, "camera"),
        ({"until": 5}, "over"),
        ({"actions": ["export"]}, "action"),
        ({"purpose": "case"}, "purpose"),
        ({"recipient": asking.POLICE}, "recipient"),
        ({"why": ""}, "words"),
    ],
)
async def test_what_no_household_may_agree_to_is_not_even_shown(
    at_home: Home, changes: dict[str, Any], code: str
) -> None:
    """PRM-5: the limits of each kind."""
    terms = family(at_home.camera, **changes)
    answer = await at_home.hub.ask("POST", "/grants", draft(terms))
    assert (answer["status"], answer["body"]["code"]) == (403, code)
    assert at_home.agent.consent.grants.ledger.waiting == ()


async def test_drafts_do_not_bury_each_other(at_home: Home) -> None:
    for number in range(20):
        said = draft(family(at_home.camera, why=f"number {number}"))
        assert (await at_home.hub.ask("POST", "/grants", said))["status"] == 202
    answer = await at_home.hub.ask("POST", "/grants", draft(family(at_home.camera)))
    assert (answer["status"], answer["body"]["code"]) == (429, "too_many_wait")


async def test_the_owner_s_passkey_gives_from_anywhere(at_home: Home) -> None:
    key = await pinned_key(at_home)
    terms = family(at_home.camera)
    said = draft(terms, confirmed=by_passkey(at_home, key, terms))
    answer = await at_home.hub.ask("POST", "/grants", said)
    assert answer["status"] == 201
    again = await at_home.hub.ask("POST", "/grants", said)
    assert again["body"] == answer["body"]


async def test_a_passkey_s_yes_is_good_for_what_it_was_said_to_and_once(at_home: Home) -> None:
    """A hub that keeps the owner's yes cannot give the same again after the owner stopped it."""
    key = await pinned_key(at_home)
    terms = family(at_home.camera)
    yes = by_passkey(at_home, key, terms)
    made = await at_home.hub.ask("POST", "/grants", draft(terms, confirmed=yes))
    await at_home.agent.consent.stop(made["body"]["id"], "lan")
    wider = {**terms, "actions": ["live", "still", "talk"]}
    for told, code in ((terms, "used"), (wider, "not_asserted")):
        answer = await at_home.hub.ask("POST", "/grants", draft(told, confirmed=yes))
        assert (answer["status"], answer["body"]["code"]) == (403, code)


async def test_only_a_verified_passkey_of_an_owner_on_the_hub_s_page_counts(at_home: Home) -> None:
    key = await pinned_key(at_home)
    terms = family(at_home.camera)
    stranger = asking.key_of(at_home)
    phishing = asking.key_of(at_home)
    phishing.id, phishing.private, phishing.origin = key.id, key.private, "https://hub.example"
    present = asking.key_of(at_home)
    present.id, present.private, present.verified = key.id, key.private, False
    tries = {
        "unknown_passkey": by_passkey(at_home, stranger, terms),
        "unknown_owner": by_passkey(at_home, key, terms, person="somebody"),
        "not_asserted": by_passkey(at_home, phishing, terms),
        "not_asserted ": by_passkey(at_home, present, terms),
        "not_asserted  ": {
            **by_passkey(at_home, key, terms),
            "assertion": asking.asserted(at_home, key, terms, rp="hub.example"),
        },
        "unknown_owner ": by_passkey(at_home, key, terms, issuer="hub-2"),
    }
    for code, confirmed in tries.items():
        answer = await at_home.hub.ask("POST", "/grants", draft(terms, confirmed=confirmed))
        assert (answer["status"], answer["body"]["code"]) == (403, code.strip())
    assert at_home.agent.consent.grants.ledger.given == ()


# Paper


async def on_paper(at_home: Home, **changes: Any) -> dict[str, Any]:
    terms = family(at_home.camera, not_before=asking.now() + 25 * HOUR, **changes)
    keys = [asking.key_of(at_home), asking.key_of(at_home)]
    clerks = [
        {
            "issuer": HUB,
            "person": f"clerk-{at}",
            "name": f"Clerk {at}",
            "assertion": asking.asserted(at_home, key, terms),
        }
        for at, key in enumerate(keys)
    ]
    confirmed = {"how": "window", "clerks": clerks, "scan": "a" * 64}
    return draft(terms, confirmed=confirmed, clerk_keys=[asking.public(key) for key in keys])


async def test_paper_counts_only_where_the_household_wants_it_and_after_a_day(
    at_home: Home,
) -> None:
    """PRM-21."""
    said = await on_paper(at_home)
    answer = await at_home.hub.ask("POST", "/grants", said)
    assert (answer["status"], answer["body"]["code"]) == (403, "no_window")
    await at_home.agent.consent.set_window(on=True)
    soon = await on_paper(at_home)
    soon["terms"]["not_before"] = asking.now() + HOUR
    answer = await at_home.hub.ask("POST", "/grants", soon)
    assert (answer["status"], answer["body"]["code"]) == (403, "too_soon")
    forged = {**said, "clerk_keys": said["clerk_keys"][:1]}
    answer = await at_home.hub.ask("POST", "/grants", forged)
    assert (answer["status"], answer["body"]["code"]) == (403, "not_asserted")
    assert (await at_home.hub.ask("POST", "/grants", said))["status"] == 201


async def test_paper_never_opens_a_room(tmp_path: Path) -> None:
    async with home(tmp_path) as at_home:  # H-IN: nothing was said of the camera
        await until(lambda: at_home.agent.link.connected)
        await at_home.agent.consent.set_window(on=True)
        said = await on_paper(at_home, sensitive=True)
        answer = await at_home.hub.ask("POST", "/grants", said)
        assert (answer["status"], answer["body"]["code"]) == (403, "class")


# Looking


async def test_a_grant_lets_its_recipient_look_and_its_end_ends_it(at_home: Home) -> None:
    """MED-17: stopped at home, the pictures end in the same turn, whatever the hub says."""
    name, text = await given(at_home, family(at_home.camera))
    assert await push(at_home, outside(at_home, text)) == "yes"
    await at_home.agent.consent.stop(name, "lan")
    assert asking.pushes(at_home.agent) == 0
    await until(lambda: bool(at_home.hub.arrivals[0].closed), 1.0)
    assert await push(at_home, outside(at_home, text)) == "stopped"
    await until(lambda: told(at_home)["stopped"] != [])
    assert told(at_home)["grants"][0]["stopped_by"] == "lan"


async def test_a_lying_hub_gains_nothing(at_home: Home) -> None:
    """A widened grant, another household's key, another camera, another person, an opening that
    was never raised, an owner nobody at home confirmed."""
    _, text = await given(at_home, family(at_home.camera))
    terms = GrantTerms.model_validate(family(at_home.camera, recipient=asking.SON))
    household = at_home.agent.link.enrolment
    assert household is not None
    other = Issuer(household.household, SigningKey.make(), SYSTEM_CLOCK)
    forged = sign_grant(other, HUB, terms, AtHome())
    head, body, signature = text.split(".")
    widened = ".".join([head, forged.split(".")[1], signature])
    lies = {
        "unknown_key": outside(at_home, forged),
        "wrong_signature": outside(at_home, widened),
        "malformed": outside(at_home, f"{head}.{body}"),
        "no_grant": outside(at_home),
        "wrong_recipient": outside(at_home, text, subject="cousin"),
        "purpose": outside(at_home, text, purpose="care"),
        "wrong_permit": outside(at_home, text, camera="another"),
        "sos_closed": asking.on_duty(at_home, "never-raised"),
        "class": outside(
            at_home, basis="D", unit="xicun", roles=["committee"], purpose="public_security"
        ),
        "clip_only": outside(at_home, basis="R", unit="station", roles=["station_officer"]),
        "unknown_owner": at_home.permit(subject="administrator"),
        "no_media": at_home.permit(roles=["admin"]),
    }
    for code, permit in lies.items():
        assert await push(at_home, permit) == code
        still = {"camera": at_home.camera, "to": {"url": at_home.url, "ticket": "t"}}
        shot = {**still, "permit": {**permit, "action": "still"}}
        assert (await at_home.hub.ask("POST", "/stills", shot))["body"]["code"] == code
    assert at_home.hub.arrivals == []


async def test_a_permit_ends_with_its_grant_whatever_it_says(at_home: Home) -> None:
    terms = family(at_home.camera, until=asking.now() + 4_000)
    _, text = await given(at_home, terms)
    assert await push(at_home, outside(at_home, text)) == "yes"
    await until(lambda: bool(at_home.hub.arrivals[0].closed), 8.0)
    assert asking.now() >= terms["until"]
    assert await push(at_home, outside(at_home, text)) == "expired"


async def test_one_permit_that_does_not_stand_takes_no_picture_from_the_others(
    at_home: Home,
) -> None:
    """The owner's view goes on; the hub is told whose does not."""
    own, operator = at_home.permit(), at_home.permit(subject="operator")
    answer = await at_home.hub.ask("POST", "/pushes", at_home.push(operator, own))
    assert (answer["status"], answer["body"]) == (
        202,
        {"refused": {operator["id"]: "unknown_owner"}},
    )
    (running,) = at_home.agent.pushes.running
    assert set(running.permitted.notes) == {own["id"]}
    await until(lambda: at_home.hub.arrivals != [] and at_home.hub.arrivals[0].packets > 0)


async def test_a_renewal_is_judged_again(at_home: Home) -> None:
    """The hub renews a permit of a grant that was stopped, under a permit that still runs."""
    name, text = await given(at_home, family(at_home.camera))
    own, other = at_home.permit(), outside(at_home, text)
    assert await push(at_home, own, other) == "yes"
    assert (await at_home.hub.ask("PUT", f"/permits/{other['id']}", other))["status"] == 200
    await at_home.agent.consent.stop(name, "command")
    assert asking.pushes(at_home.agent) == 1
    answer = await at_home.hub.ask("PUT", f"/permits/{other['id']}", other)
    assert (answer["status"], answer["body"]["code"]) == (403, "stopped")
    held = at_home.agent.pushes.running[0].permitted
    assert set(held.notes) == {own["id"]}


async def test_stopped_anywhere_is_stopped(at_home: Home) -> None:
    """By the hub's message or its answer to the list; also a child's id, unknown here."""
    one, text = await given(at_home, family(at_home.camera))
    two, other = await given(at_home, family(at_home.camera, why="again"))
    assert (await at_home.hub.ask("DELETE", f"/grants/{one}"))["status"] == 200
    assert (await at_home.hub.ask("DELETE", f"/grants/{one}"))["status"] == 200
    assert (await at_home.hub.ask("DELETE", "/grants/a-child"))["status"] == 200
    assert await push(at_home, outside(at_home, text)) == "stopped"
    assert await push(at_home, outside(at_home, other)) == "yes"
    at_home.hub.stopped.append(StoppedNote(id=two, at=asking.now()))
    await at_home.agent.telling.tell_grants()
    assert asking.pushes(at_home.agent) == 0
    listed = (await at_home.hub.ask("GET", "/grants"))["body"]
    assert {each["id"] for each in listed["stopped"]} == {one, two, "a-child"}


# Owners


async def test_a_new_owner_counts_once_somebody_at_home_said_yes(at_home: Home) -> None:
    """The threat model's row: an operator makes a person the owner of a household."""
    proposal = {"id": new_id(), "person": "wife", "name": "王芳"}
    assert (await at_home.hub.ask("POST", "/owners", proposal))["status"] == 202
    assert await push(at_home, at_home.permit(subject="wife")) == "unknown_owner"
    assert await at_home.agent.consent.confirm_owner(proposal["id"])
    assert await push(at_home, at_home.permit(subject="wife")) == "yes"
    assert (await at_home.hub.ask("POST", "/owners", proposal))["status"] == 200
    assert await at_home.agent.consent.remove_owner("wife")
    assert asking.pushes(at_home.agent) == 0
    await until(lambda: [each["id"] for each in told(at_home)["owners"]] == ["person-1"])


async def test_an_owner_who_was_refused_at_home_stays_so(at_home: Home) -> None:
    proposal = {"id": new_id(), "person": "operator", "name": "Operator"}
    await at_home.hub.ask("POST", "/owners", proposal)
    assert await at_home.agent.consent.refuse_owner(proposal["id"])
    answer = await at_home.hub.ask("POST", "/owners", proposal)
    assert (answer["status"], answer["body"]["code"]) == (403, "refused")


# Restart and re-enrolment


async def test_what_was_given_and_stopped_outlives_a_restart(tmp_path: Path) -> None:
    async with home(tmp_path, class_=CameraClass.H_OUT) as at_home:
        await until(lambda: at_home.agent.link.connected)
        one, _ = await given(at_home, family(at_home.camera))
        two, _ = await given(at_home, family(at_home.camera, why="again"))
        await at_home.agent.consent.stop(two, "lan")
        state, enrolment = at_home.agent.state, at_home.agent.link.enrolment
    assert enrolment is not None
    again = Consent(state, BoxClock(), ConsentConfig(), {})
    again.begin(enrolment, household_key(state))
    assert (list(again.grants.standing()), list(again.grants.stopped)) == ([one], [two])
    for name in ("grants.json", "owners.json", "permits.jsonl"):
        path = state.path(name)
        assert not path.exists() or path.stat().st_mode & 0o077 == 0


async def test_enrolling_again_ends_every_grant(at_home: Home) -> None:
    """IDN-15. The household key stays, and yet nothing that it signed before holds."""
    _, text = await given(at_home, family(at_home.camera))
    assert await push(at_home, outside(at_home, text)) == "yes"
    at_home.hub.agent_id = "agent-2"
    at_home.hub.owners = ()
    await enrol_by_qr(State(at_home.agent.state.folder), at_home.hub.qr(at_home.url))
    at_home.hub.agent = None  # the old node's token is refused from now on
    socket = await at_home.hub.sockets.get()
    await socket.close()
    await until(lambda: at_home.agent.consent.owners.all == ())
    assert asking.pushes(at_home.agent) == 0
    assert at_home.agent.consent.grants.standing() == {}
    (kept,) = at_home.agent.consent.grants.ledger.given
    assert kept.stopped_by == "reset"


async def test_a_damaged_list_gives_nobody_anything_and_the_owner_everything(
    tmp_path: Path,
) -> None:
    state = State.open(tmp_path / "state")
    state.write_bytes("grants.json", b"{")
    state.write_bytes("owners.json", b"{")
    async with home(tmp_path, class_=CameraClass.H_OUT) as at_home:
        await until(lambda: at_home.agent.cameras[at_home.camera].online)
        await until(lambda: at_home.agent.link.connected)
        assert at_home.agent.consent.grants.standing() == {}
        assert await push(at_home, at_home.permit()) == "yes"
        assert state.path("grants.damaged").read_bytes() == b"{"


async def test_a_clock_that_steps_an_hour_makes_no_grant_longer(at_home: Home) -> None:
    """Both ways: the hub's word on the time, to a box whose own clock nobody has set."""
    terms = family(at_home.camera, until=asking.now() + 30 * 60_000)
    name, text = await given(at_home, terms)
    consent, clock = at_home.agent.consent, at_home.agent.clock
    clock._synchronised = lambda: False
    assert await push(at_home, outside(at_home, text)) == "yes"
    first = consent._ends[name]
    clock.learn(asking.now() - HOUR)
    permit = outside(at_home, text, until=asking.now() + 60_000)
    assert await push(at_home, permit) in ("yes", "not_yet")
    assert consent._ends[name] <= first
    clock.learn(asking.now() + HOUR)
    assert await push(at_home, outside(at_home, text, until=asking.now() + 2 * HOUR)) == "expired"
    clock.learn(asking.now())
    assert consent._ends[name] <= first
