"""One-time codes, sessions, who is who (IDN-1, IDN-5, IDN-16, DEV-1)."""

import logging
from pathlib import Path

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import make_mocked_request

from tests.hub.support import Hub, TurnedClock, bearer, small_config
from village_core.enrolment import read_typed_code
from village_hub import keys
from village_hub.access import codes
from village_hub.access.credentials import cookie_name, digest
from village_hub.access.origin import Source, Sources, check_same_origin
from village_hub.access.throttle import Throttle, network_of
from village_hub.catalogue import people
from village_hub.config import Config, ProxyConfig
from village_hub.errors import Forbidden, TooMany


async def enter(hub: Hub, code: str, **headers: str) -> ClientResponse:
    return await hub.ask("POST", "/api/v1/sign-in", json={"code": code}, headers=headers)


async def test_a_code_from_a_link_signs_in_once(hub: Hub) -> None:
    person = await hub.person(await hub.household())
    code = await hub.code(person)
    assert len(code) >= 22  # 128 bits
    first = await enter(hub, code)
    assert first.status == 200
    assert (await first.json())["person"]["id"] == person
    again = await enter(hub, code)
    assert (again.status, (await again.json())["code"]) == (404, "bad_code")


async def test_the_cookie_is_the_browsers_alone(hub: Hub) -> None:
    response = await enter(hub, await hub.code(await hub.person(await hub.household())))
    cookie = response.cookies["village"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    assert int(cookie["max-age"]) == 30 * 24 * 3600
    assert response.headers["Cache-Control"] == "no-store"
    stored = await hub.app[keys.CATALOGUE].read(
        people.sign_in_by_digest, digest(cookie.value), hub.clock.utc_ms()
    )
    assert stored is not None  # as a digest: nobody who reads the database can use it


def test_under_tls_the_cookie_is_bound_to_host_and_tls() -> None:
    assert cookie_name(Source("192.0.2.1", secure=True)).startswith("__Host-")
    assert not cookie_name(Source("127.0.0.1", secure=False)).startswith("__Host-")


async def test_a_code_ends_after_72_hours(hub: Hub) -> None:
    code = await hub.code(await hub.person(await hub.household()))
    hub.clock.turn(72 * 3600 + 1)
    assert (await enter(hub, code)).status == 404


async def test_a_typed_code_is_good_however_it_is_written(hub: Hub) -> None:
    person = await hub.person(await hub.household())
    code = await hub.app[keys.CATALOGUE].write(codes.typed, hub.clock, person)
    assert (await enter(hub, f" {code.lower().replace('-', ' ')}")).status == 200


async def test_a_typed_code_has_five_tries_and_ten_minutes(hub: Hub) -> None:
    person = await hub.person(await hub.household())
    write = hub.app[keys.CATALOGUE].write
    code = await write(codes.typed, hub.clock, person)
    wrong = code[:2] + ("BBBBBB" if code[2:] != "BB-BBBB" else "CCCCCC")
    for _ in range(5):
        assert (await enter(hub, wrong)).status == 404
    assert (await enter(hub, code)).status == 404
    later = await write(codes.typed, hub.clock, person)
    hub.clock.turn(601)
    assert (await enter(hub, later)).status == 404


async def test_a_wrong_code_is_answered_slowly_and_then_not_at_all(hub: Hub) -> None:
    answers = [await enter(hub, "x" * 43) for _ in range(11)]
    assert {answer.status for answer in answers[:10]} == {404}
    assert answers[10].status == 429
    assert int(answers[10].headers["Retry-After"]) >= 1
    assert sum(0.5 <= pause <= 1.5 for pause in hub.clock.slept) >= 10
    code = await hub.code(await hub.person(await hub.household()))
    assert (await enter(hub, code)).status == 429  # even with a good one
    hub.clock.turn(60)
    assert (await enter(hub, code)).status == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b'{"code": 5}', 422),
        (b'{"code": "a", "x": 1}', 422),
        (b'{"code": "a", "code": "b"}', 400),
        (b"\xff", 400),
    ],
)
async def test_a_malformed_sign_in_is_named_without_repeating_it(
    hub: Hub, body: bytes, status: int
) -> None:
    headers = {"Content-Type": "application/json"}
    response = await hub.ask("POST", "/api/v1/sign-in", data=body, headers=headers)
    assert response.status == status
    plain = await hub.ask("POST", "/api/v1/sign-in", data=body)
    assert plain.status == 415


async def test_who_comes_in_and_who_does_not_is_in_the_log(
    hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "village_hub")
    person = await hub.person(await hub.household())
    code = await hub.code(person)
    assert (await enter(hub, "x" * 43)).status == 404
    assert "a sign-in from 127.0.0.1 failed" in caplog.text
    assert (await enter(hub, code)).status == 200
    assert f"of person {person} by code from 127.0.0.1" in caplog.text
    assert code not in caplog.text


async def test_sign_out_ends_the_session_at_once(hub: Hub) -> None:
    _, viewer = await hub.owner()
    out = await hub.ask("POST", "/api/v1/sign-out", headers=viewer.headers)
    assert out.status == 204
    assert (await hub.ask("GET", "/api/v1/me", headers=viewer.headers)).status == 401


async def test_a_session_lives_while_it_is_used(hub: Hub) -> None:
    """IDN-5: 30 days for a household, from the last use."""
    _, viewer = await hub.owner()
    for _ in range(3):
        hub.clock.turn(29 * 24 * 3600)
        used = await hub.ask("GET", "/api/v1/me", headers=viewer.headers)
        assert used.status == 200
        assert int(used.cookies["village"]["max-age"]) == 30 * 24 * 3600  # the browser's too
        hub.client.session.cookie_jar.clear()
    soon = await hub.ask("GET", "/api/v1/me", headers=viewer.headers)
    assert "village" not in soon.cookies
    hub.clock.turn(31 * 24 * 3600)
    assert (await hub.ask("GET", "/api/v1/me", headers=viewer.headers)).status == 401


async def test_i_see_and_end_my_own_sessions_and_nobody_elses(hub: Hub) -> None:
    household, phone = await hub.owner()
    tablet = await hub.sign_in(phone.person)
    other = await hub.sign_in(await hub.person(household, "Li"))
    listed = await (await hub.ask("GET", "/api/v1/me/sign-ins", headers=phone.headers)).json()
    assert len(listed["sign_ins"]) == 2
    lost = next(each["id"] for each in listed["sign_ins"] if not each["this"])
    path = f"/api/v1/me/sign-ins/{lost}"
    assert (await hub.ask("DELETE", path, headers=other.headers)).status == 404
    assert (await hub.ask("DELETE", path, headers=phone.headers)).status == 204
    assert (await hub.ask("GET", "/api/v1/me", headers=tablet.headers)).status == 401
    assert (await hub.ask("GET", "/api/v1/me", headers=phone.headers)).status == 200


async def test_i_end_all_my_other_sessions_at_once(hub: Hub) -> None:
    """After a key was lost or changed."""
    household, phone = await hub.owner()
    lost = [await hub.sign_in(phone.person) for _ in range(2)]
    other = await hub.sign_in(await hub.person(household, "Li"))
    unused = await hub.code(phone.person)
    ended = await hub.ask("DELETE", "/api/v1/me/sign-ins", headers=phone.headers)
    assert ended.status == 204
    for each in lost:
        assert (await hub.ask("GET", "/api/v1/me", headers=each.headers)).status == 401
    for each in (phone, other):
        assert (await hub.ask("GET", "/api/v1/me", headers=each.headers)).status == 200
    assert (await enter(hub, unused)).status == 404


async def test_who_signs_in_again_leaves_no_session_behind(hub: Hub) -> None:
    """The browser has another cookie now: nobody could ever sign the old one out."""
    household, viewer = await hub.owner()
    other = await hub.sign_in(await hub.person(household, "Li"))
    code = await hub.code(viewer.person)
    again = await enter(hub, code, Cookie=viewer.headers["Cookie"], Origin=hub.origin)
    assert again.status == 200
    hub.client.session.cookie_jar.clear()
    assert (await hub.ask("GET", "/api/v1/me", headers=viewer.headers)).status == 401
    assert (await hub.ask("GET", "/api/v1/me", headers=other.headers)).status == 200


async def test_a_code_that_is_wrong_ends_no_session(hub: Hub) -> None:
    _, viewer = await hub.owner()
    wrong = await enter(hub, "x" * 43, Cookie=viewer.headers["Cookie"], Origin=hub.origin)
    assert wrong.status == 404
    assert (await hub.ask("GET", "/api/v1/me", headers=viewer.headers)).status == 200


async def test_an_access_token_is_as_good_as_the_cookie_for_a_quarter_of_an_hour(hub: Hub) -> None:
    """IDN-1, IDN-5."""
    _, viewer = await hub.owner()
    answer = await hub.ask("POST", "/api/v1/me/access-token", headers=viewer.headers)
    found = await answer.json()
    token = bearer(found["token"])
    assert found["expires_in"] <= 900
    me = await (await hub.ask("GET", "/api/v1/me", headers=token)).json()
    assert (me["id"], me["hub"]["id"]) == (viewer.person, hub.id)
    hub.clock.turn(901)
    assert (await hub.ask("GET", "/api/v1/me", headers=token)).status == 401


async def test_an_access_token_ends_with_the_sign_in_it_came_from(hub: Hub) -> None:
    _, viewer = await hub.owner()
    answer = await hub.ask("POST", "/api/v1/me/access-token", headers=viewer.headers)
    token = bearer((await answer.json())["token"])
    await hub.ask("POST", "/api/v1/sign-out", headers=viewer.headers)
    assert (await hub.ask("GET", "/api/v1/me", headers=token)).status == 401


async def test_a_person_removed_is_nobody(hub: Hub) -> None:
    _, viewer = await hub.owner()
    unused = await hub.code(viewer.person)
    await hub.app[keys.CATALOGUE].write(people.remove_person, viewer.person, hub.clock.utc_ms())
    assert (await hub.ask("GET", "/api/v1/me", headers=viewer.headers)).status == 401
    assert (await enter(hub, unused)).status == 404


@pytest.mark.parametrize("origin", ["https://evil.test", "null", "", None])
async def test_another_site_cannot_use_the_cookie(hub: Hub, origin: str | None) -> None:
    _, viewer = await hub.owner()
    headers = {"Cookie": viewer.headers["Cookie"]}
    if origin is not None:
        headers["Origin"] = origin
    response = await hub.ask("POST", "/api/v1/sign-out", headers=headers)
    assert (response.status, (await response.json())["code"]) == (403, "other_origin")
    assert (await hub.ask("GET", "/api/v1/me", headers=viewer.headers)).status == 200


async def test_another_site_cannot_sign_anybody_in(hub: Hub) -> None:
    code = await hub.code(await hub.person(await hub.household()))
    response = await enter(hub, code, Origin="https://evil.test")
    assert response.status == 403
    assert (await enter(hub, code, Origin=hub.origin)).status == 200


@pytest.mark.parametrize("header", ["Basic dTpw", "Bearer", "Bearer ", "x"])
async def test_other_authorization_is_refused(hub: Hub, header: str) -> None:
    _, viewer = await hub.owner()
    headers = {**viewer.headers, "Authorization": header}
    assert (await hub.ask("GET", "/api/v1/me", headers=headers)).status == 401


def request(peer: str, method: str = "GET", **headers: str) -> web.Request:
    made = make_mocked_request(method, "/", headers=headers)
    return made.clone(remote=peer)


def test_plain_http_is_for_loopback_and_named_proxies() -> None:
    sources = Sources(["10.0.0.0/8"], tls=False)
    assert sources.of(request("127.0.0.1")) == Source("127.0.0.1", secure=False)
    assert sources.of(request("::1")) == Source("::1", secure=False)
    with pytest.raises(Forbidden):
        sources.of(request("192.0.2.7"))
    behind = request(
        "10.0.0.1", **{"X-Forwarded-For": "1.2.3.4, 192.0.2.7", "X-Forwarded-Proto": "https"}
    )
    assert sources.of(behind) == Source("192.0.2.7", secure=True)


def test_only_a_named_proxy_is_believed() -> None:
    lying = request("192.0.2.7", **{"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "https"})
    assert Sources([], tls=True).of(lying) == Source("192.0.2.7", secure=True)
    local = request("127.0.0.1", **{"X-Forwarded-Proto": "https"})
    assert Sources([], tls=False).of(local) == Source("127.0.0.1", secure=False)


def test_an_origin_of_another_scheme_is_another_site() -> None:
    asked = request("127.0.0.1", "POST", Host="hub.test", Origin="http://hub.test")
    check_same_origin(asked, Source("127.0.0.1", secure=False))
    with pytest.raises(Forbidden):
        check_same_origin(asked, Source("127.0.0.1", secure=True))


def test_a_proxy_may_change_the_host_but_not_the_site() -> None:
    through = Source("192.0.2.9", secure=True, site="https://hub.test:8443")
    for origin, fine in {
        "https://hub.test:8443": True,
        "https://hub.test": False,
        "http://hub.test:8443": False,
        "https://evil.test": False,
    }.items():
        asked = request("127.0.0.1", "POST", Host="127.0.0.1:8080", Origin=origin)
        if fine:
            check_same_origin(asked, through)
        else:
            with pytest.raises(Forbidden):
                check_same_origin(asked, through)


def test_a_malformed_origin_is_another_site() -> None:
    for origin in ("null", "", "https://", "//hub.test", "https://[bad"):
        asked = request("127.0.0.1", "POST", Host="hub.test", Origin=origin)
        with pytest.raises(Forbidden):
            check_same_origin(asked, Source("127.0.0.1", secure=False))


def test_a_throttle_refills_and_forgets() -> None:
    clock = TurnedClock()
    throttle = Throttle(2, 10, clock)
    throttle.spend("a")
    throttle.spend("a")
    throttle.spend("b")
    with pytest.raises(TooMany) as refused:
        throttle.spend("a")
    assert refused.value.retry_after == 5
    clock.turn(5)
    throttle.spend("a")


def test_one_line_is_one_source() -> None:
    assert network_of("2001:db8:1:2:3:4:5:6") == network_of("2001:db8:1:2::1")
    assert network_of("::ffff:192.0.2.1") == network_of("192.0.2.1")
    assert network_of("fe80::1%eth0") == "fe80::/64"
    assert network_of("unknown") == "unknown"


def test_typed_codes_have_no_vowels_and_survive_handwriting() -> None:
    assert read_typed_code("bcdf ghjk") == "BCDFGHJK"
    assert read_typed_code("BCDF\u2013GHJK") == "BCDFGHJK"
    assert read_typed_code("BCDFGHJ") is None
    assert read_typed_code("AEIOUAEI") is None


@pytest.fixture
def behind_proxy(tmp_path: Path) -> Config:
    return small_config(
        tmp_path, proxy=ProxyConfig(trusted=["127.0.0.1"]), public_url="https://hub.test"
    )


class TestBehindAProxy:
    @pytest.fixture
    def config(self, behind_proxy: Config) -> Config:
        return behind_proxy

    async def test_the_cookie_is_secure(self, hub: Hub) -> None:
        code = await hub.code(await hub.person(await hub.household()))
        forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.9"}
        response = await enter(hub, code, **forwarded)
        cookie = response.cookies["__Host-village"]
        assert cookie["secure"]
