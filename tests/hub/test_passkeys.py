"""Passkeys: adding one, signing in with one, and what is refused (IDN-11)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse

from tests.hub.authenticator import Json, SecurityKey
from tests.hub.support import Hub, Viewer, small_config
from village_core.ids import new_id
from village_core.permits import Role
from village_hub import keys
from village_hub.access.credentials import digest
from village_hub.catalogue import appointments, people
from village_hub.catalogue.models import OneTimeCode
from village_hub.config import Config
from village_hub.errors import NO_HEADERS

SITE = "https://hub.village.test"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A hub with a name; TLS ends at a proxy, so that the test's client may use plain HTTP."""
    return small_config(tmp_path, public_url=SITE)


def a_key(**more: Any) -> SecurityKey:
    return SecurityKey(SITE, **more)


async def post(
    hub: Hub, path: str, body: Json | None = None, headers: Mapping[str, str] = NO_HEADERS
) -> ClientResponse:
    return await hub.ask("POST", path, json=body or {}, headers=headers)


async def add(hub: Hub, viewer: Viewer, key: SecurityKey, **more: Any) -> ClientResponse:
    begun = await post(hub, "/api/v1/me/passkeys/begin", headers=viewer.headers)
    assert begun.status == 200, await begun.text()
    said = await begun.json()
    body = {"ceremony": said["ceremony"], "credential": key.create(said["options"]), "name": "Key"}
    return await post(hub, "/api/v1/me/passkeys", {**body, **more}, headers=viewer.headers)


async def enrolment_code(hub: Hub, person: str, valid: float = 3600) -> str:
    code = new_id()
    row = OneTimeCode(
        id=new_id(),
        person_id=person,
        digest=digest(code),
        tries=5,
        expires=hub.clock.utc_ms() + round(valid * 1000),
        capacity="passkey",
    )
    await hub.app[keys.CATALOGUE].write(people.add_code, row, hub.clock.utc_ms())
    return code


async def enrol(hub: Hub, code: str, key: SecurityKey) -> ClientResponse:
    begun = await post(hub, "/api/v1/passkeys/enrol/begin", {"code": code})
    if begun.status != 200:
        return begun
    said = await begun.json()
    body = {"ceremony": said["ceremony"], "credential": key.create(said["options"]), "name": "Key"}
    return await post(hub, "/api/v1/passkeys/enrol/finish", body)


async def begin(hub: Hub) -> Json:
    response = await post(hub, "/api/v1/passkeys/sign-in/begin")
    assert response.status == 200, await response.text()
    found: Json = await response.json()
    return found


async def finish(hub: Hub, begun: Json, credential: Json) -> ClientResponse:
    body = {"ceremony": begun["ceremony"], "credential": credential}
    return await post(hub, "/api/v1/passkeys/sign-in/finish", body)


async def sign_in(hub: Hub, key: SecurityKey) -> ClientResponse:
    begun = await begin(hub)
    return await finish(hub, begun, key.get(begun["options"]))


def viewer_of(hub: Hub, response: ClientResponse) -> Viewer:
    secret = response.cookies["village"].value
    hub.client.session.cookie_jar.clear()
    return Viewer("", {"Cookie": f"village={secret}", "Origin": hub.origin})


async def refusal(response: ClientResponse) -> tuple[int, str]:
    return response.status, (await response.json())["code"]


async def duty_key(hub: Hub, role: Role = Role.COMMITTEE, **more: Any) -> tuple[str, SecurityKey]:
    """Somebody appointed, with a key that was added by an enrolment code."""
    person = await hub.named("Chen")
    await hub.appointed(person, role, await hub.unit("committee"))
    key = a_key(**more)
    assert (await enrol(hub, await enrolment_code(hub, person), key)).status == 201
    return person, key


async def test_a_villager_adds_a_key_and_comes_home_with_it(hub: Hub) -> None:
    """Offered to all."""
    _, viewer = await hub.owner()
    key = a_key(transports=("internal", "hybrid"))
    added = await add(hub, viewer, key)
    assert added.status == 201
    assert (await added.json())["transports"] == ["internal", "hybrid"]
    response = await sign_in(hub, key)
    assert (await response.json())["signed_in"] is True
    assert int(response.cookies["village"]["max-age"]) == 30 * 24 * 3600
    me = await hub.ask("GET", "/api/v1/me", headers=viewer_of(hub, response).headers)
    found = await me.json()
    assert (found["id"], found["duty"]) == (viewer.person, None)


async def test_staff_enrol_a_usb_key_by_a_code_once_and_are_on_duty_with_it(hub: Hub) -> None:
    """Required for staff, USB keys included; 12 h, no longer."""
    person = await hub.named("Chen")
    unit = await hub.unit("committee")
    await hub.appointed(person, Role.COMMITTEE, unit)
    code, key = await enrolment_code(hub, person), a_key(counts=1)
    assert (await enrol(hub, code, key)).status == 201
    assert await refusal(await enrol(hub, code, a_key())) == (404, "bad_code")
    response = await sign_in(hub, key)
    assert response.status == 200
    assert int(response.cookies["village"]["max-age"]) == 12 * 3600
    me = await hub.ask("GET", "/api/v1/me", headers=viewer_of(hub, response).headers)
    assert (await me.json())["duty"]["unit"] == unit


async def test_an_enrolment_code_is_no_sign_in_and_a_sign_in_code_enrols_nothing(hub: Hub) -> None:
    """Else one slip of the window were worth a key for duty."""
    person = await hub.person(await hub.household())
    code = await enrolment_code(hub, person)
    assert await refusal(await post(hub, "/api/v1/sign-in", {"code": code})) == (404, "bad_code")
    assert await refusal(await enrol(hub, await hub.code(person), a_key())) == (404, "bad_code")
    assert (await enrol(hub, code, a_key())).status == 201  # neither try spent it


async def test_a_key_added_at_home_never_opens_a_duty_session(hub: Hub) -> None:
    person = await hub.person(await hub.household(), "Chen")
    await hub.appointed(person, Role.COMMITTEE, await hub.unit("committee"))
    key = a_key()
    assert (await add(hub, await hub.sign_in(person), key)).status == 201
    response = await sign_in(hub, key)
    me = await hub.ask("GET", "/api/v1/me", headers=viewer_of(hub, response).headers)
    assert (await me.json())["duty"] is None


async def test_whoever_is_several_says_as_what_they_come(hub: Hub) -> None:
    """A session has one capacity: at home, or on duty by one appointment."""
    person = await hub.person(await hub.household(), "Chen")
    unit = await hub.unit("committee")
    row = await hub.appointed(person, Role.COMMITTEE, unit)
    appointment = row.id
    key = a_key()
    await enrol(hub, await enrolment_code(hub, person), key)
    asked = await (await sign_in(hub, key)).json()
    assert asked["signed_in"] is False
    assert [way["appointment"] for way in asked["ways"]] == [None, appointment]
    path = "/api/v1/passkeys/sign-in/choose"
    chosen = {"ticket": asked["ticket"], "appointment": appointment}
    response = await post(hub, path, chosen)
    assert response.status == 200
    me = await hub.ask("GET", "/api/v1/me", headers=viewer_of(hub, response).headers)
    assert (await me.json())["duty"]["appointment"] == appointment
    assert await refusal(await post(hub, path, chosen)) == (404, "ceremony_over")  # once
    asked = await (await sign_in(hub, key)).json()
    made_up = {"ticket": asked["ticket"], "appointment": "another's"}
    assert await refusal(await post(hub, path, made_up)) == (403, "no_appointment")


async def test_an_appointment_that_ended_while_choosing_is_gone(hub: Hub) -> None:
    person = await hub.person(await hub.household(), "Chen")
    row = await hub.appointed(person, Role.COMMITTEE, await hub.unit("committee"))
    appointment = row.id
    key = a_key()
    await enrol(hub, await enrolment_code(hub, person), key)
    asked = await (await sign_in(hub, key)).json()
    write, now = hub.app[keys.CATALOGUE].write, hub.clock.utc_ms()
    await write(appointments.end, appointment, "x", now)
    body = {"ticket": asked["ticket"], "appointment": appointment}
    response = await post(hub, "/api/v1/passkeys/sign-in/choose", body)
    assert await refusal(response) == (403, "no_appointment")


async def test_a_key_that_did_not_verify_its_person_is_refused(hub: Hub) -> None:
    """UV is required, adding and using."""
    _, viewer = await hub.owner()
    assert await refusal(await add(hub, viewer, a_key(verified=False))) == (403, "bad_passkey")
    key = a_key()
    await add(hub, viewer, key)
    key.verified = False
    assert await refusal(await sign_in(hub, key)) == (403, "bad_passkey")
    assert hub.clock.slept[-1] >= 0.5  # slowly


async def test_an_answer_is_taken_once(hub: Hub) -> None:
    """A replayed assertion, with the old challenge and with a new one."""
    _, viewer = await hub.owner()
    key = a_key()
    await add(hub, viewer, key)
    begun = await begin(hub)
    answer = key.get(begun["options"])
    assert (await finish(hub, begun, answer)).status == 200
    assert await refusal(await finish(hub, begun, answer)) == (403, "bad_passkey")
    assert await refusal(await finish(hub, await begin(hub), answer)) == (403, "bad_passkey")


async def test_a_challenge_lives_5_minutes(hub: Hub) -> None:
    _, viewer = await hub.owner()
    key = a_key()
    await add(hub, viewer, key)
    begun = await begin(hub)
    hub.clock.turn(301)
    late = await finish(hub, begun, key.get(begun["options"]))
    assert await refusal(late) == (403, "bad_passkey")


async def test_a_copied_key_is_noticed_by_its_counter(hub: Hub) -> None:
    _, key = await duty_key(hub, counts=5)
    assert (await sign_in(hub, key)).status == 200
    copied_at = key.counts
    assert (await sign_in(hub, key)).status == 200
    key.counts = copied_at - 1  # the copy goes on from where it was taken
    assert await refusal(await sign_in(hub, key)) == (403, "bad_passkey")


async def test_another_sites_answer_is_refused(hub: Hub) -> None:
    """A page that looks like the hub's: the browser says where it really was."""
    _, viewer = await hub.owner()
    key = a_key()
    await add(hub, viewer, key)
    key.origin = "https://hub.villlage.test"
    assert await refusal(await sign_in(hub, key)) == (403, "bad_passkey")
    begun = await begin(hub)
    key.origin = SITE
    begun["options"]["rpId"] = "villlage.test"
    response = await finish(hub, begun, key.get(begun["options"]))
    assert await refusal(response) == (403, "bad_passkey")


async def test_somebody_elses_user_handle_is_refused(hub: Hub) -> None:
    _, viewer = await hub.owner()
    key = a_key()
    await add(hub, viewer, key)
    key.user = b"somebody else"
    assert await refusal(await sign_in(hub, key)) == (403, "bad_passkey")


async def test_a_key_of_nobody_and_nonsense_are_answered_alike_slowly_and_then_not(
    hub: Hub,
) -> None:
    """Nobody can find out who has a key."""
    unknown = a_key(user=b"x")
    responses = [await sign_in(hub, unknown)]
    nonsense: list[Json] = [{}, {"id": 5}, {"id": "x", "rawId": "x", "response": {}}, {"id": "-"}]
    responses += [await finish(hub, await begin(hub), each) for each in nonsense]
    answers = [await refusal(response) for response in responses]
    assert set(answers) == {(403, "bad_passkey")}
    assert sum(0.5 <= pause <= 1.5 for pause in hub.clock.slept) >= len(answers)
    for _ in range(5):
        await sign_in(hub, unknown)
    assert (await sign_in(hub, unknown)).status == 429


async def test_beginning_is_limited(hub: Hub) -> None:
    answers = [await post(hub, "/api/v1/passkeys/sign-in/begin") for _ in range(31)]
    assert [answer.status for answer in answers[-2:]] == [200, 429]


async def test_a_ceremony_belongs_to_the_session_that_began_it(hub: Hub) -> None:
    household, viewer = await hub.owner()
    other = await hub.sign_in(await hub.person(household, "Li"))
    begun = await (await post(hub, "/api/v1/me/passkeys/begin", headers=viewer.headers)).json()
    body = {
        "ceremony": begun["ceremony"],
        "credential": a_key().create(begun["options"]),
        "name": "Mine",
    }
    stolen = await post(hub, "/api/v1/me/passkeys", body, headers=other.headers)
    assert await refusal(stolen) == (404, "ceremony_over")
    begun = await begin(hub)
    body["ceremony"] = begun["ceremony"]
    enrolled = await post(hub, "/api/v1/passkeys/enrol/finish", body)
    assert await refusal(enrolled) == (404, "ceremony_over")


async def test_a_key_is_known_once(hub: Hub) -> None:
    _, viewer = await hub.owner()
    _, other = await hub.owner("Li")
    key = a_key()
    assert (await add(hub, viewer, key)).status == 201
    assert await refusal(await add(hub, other, key)) == (409, "known_passkey")


async def test_keys_are_listed_renamed_and_removed_by_their_owner(hub: Hub) -> None:
    _, viewer = await hub.owner()
    _, other = await hub.owner("Li")
    first, second = a_key(), a_key()
    await add(hub, viewer, first)
    name = (await (await add(hub, viewer, second)).json())["id"]
    path = f"/api/v1/me/passkeys/{name}"
    said = {"name": "红色 USB"}
    theirs = await hub.ask("PATCH", path, json=said, headers=other.headers)
    assert await refusal(theirs) == (404, "no_such_passkey")
    assert (await hub.ask("PATCH", path, json=said, headers=viewer.headers)).status == 204
    listed = await (await hub.ask("GET", "/api/v1/me/passkeys", headers=viewer.headers)).json()
    assert [row["name"] for row in listed["passkeys"]] == ["Key", "红色 USB"]
    assert (await hub.ask("DELETE", path, headers=viewer.headers)).status == 204
    assert await refusal(await sign_in(hub, second)) == (403, "bad_passkey")
    assert (await sign_in(hub, first)).status == 200


async def test_the_last_key_of_somebody_on_duty_stays(hub: Hub) -> None:
    _, key = await duty_key(hub)
    viewer = viewer_of(hub, await sign_in(hub, key))
    listed = await (await hub.ask("GET", "/api/v1/me/passkeys", headers=viewer.headers)).json()
    path = f"/api/v1/me/passkeys/{listed['passkeys'][0]['id']}"
    last = await hub.ask("DELETE", path, headers=viewer.headers)
    assert await refusal(last) == (409, "last_passkey")
    added = await add(hub, viewer, a_key())
    assert (await added.json())["duty"] is True
    assert (await hub.ask("DELETE", path, headers=viewer.headers)).status == 204


async def test_a_key_for_duty_is_added_just_after_signing_in_and_changed_on_duty_only(
    hub: Hub,
) -> None:
    """Whoever finds an open session on duty cannot make themselves a key."""
    person, key = await duty_key(hub)
    viewer = viewer_of(hub, await sign_in(hub, key))
    hub.clock.turn(16 * 60)
    begun = await post(hub, "/api/v1/me/passkeys/begin", headers=viewer.headers)
    assert await refusal(begun) == (403, "sign_in_again")
    listed = await (await hub.ask("GET", "/api/v1/me/passkeys", headers=viewer.headers)).json()
    path = f"/api/v1/me/passkeys/{listed['passkeys'][0]['id']}"
    at_home = await hub.sign_in(person)
    assert await refusal(await hub.ask("DELETE", path, headers=at_home.headers)) == (
        403,
        "on_duty_only",
    )


async def test_a_person_removed_has_no_key(hub: Hub) -> None:
    _, viewer = await hub.owner()
    key = a_key()
    await add(hub, viewer, key)
    write = hub.app[keys.CATALOGUE].write
    await write(people.remove_person, viewer.person, hub.clock.utc_ms())
    assert await refusal(await sign_in(hub, key)) == (403, "bad_passkey")


async def test_another_site_cannot_begin(hub: Hub) -> None:
    response = await post(
        hub, "/api/v1/passkeys/sign-in/begin", headers={"Origin": "https://evil.test"}
    )
    assert await refusal(response) == (403, "other_origin")


class TestAHubWithoutAName:
    @pytest.fixture
    def config(self, tmp_path: Path) -> Config:
        return small_config(tmp_path, public_url="https://192.0.2.7:8443")

    async def test_says_that_passkeys_need_one(self, hub: Hub) -> None:
        response = await post(hub, "/api/v1/passkeys/sign-in/begin")
        assert await refusal(response) == (409, "no_dns_name")
