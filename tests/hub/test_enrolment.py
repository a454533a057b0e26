"""Boxes joining over HTTP, both ways (IDN-15)."""

from dataclasses import dataclass, field

import pytest
from aiohttp import ClientResponse

from tests.hub.support import Hub, bearer, camera_note
from village_core.enrolment import (
    Begin,
    Begun,
    ChildKeys,
    Enrolled,
    OwnKeys,
    Qr,
    check_enrolled,
    commitment,
    make_claim,
    make_reveal,
    new_nonce,
    six_digits,
)
from village_core.keys import SigningKey
from village_core.messages import Message
from village_core.tokens import Issuer, Kind
from village_core.vouching import read_vouch
from village_hub import keys
from village_hub.catalogue import nodes
from village_hub.errors import NotFound, Unprocessable

pytestmark = pytest.mark.both_databases


@dataclass
class Box:
    """The agent's side, by hand."""

    hub: Hub
    node: SigningKey = field(default_factory=SigningKey.make)
    home: SigningKey = field(default_factory=SigningKey.make)
    nonce: str = field(default_factory=new_nonce)

    @property
    def own(self) -> OwnKeys:
        return OwnKeys(self.node, self.home)

    @property
    def keys(self) -> ChildKeys:
        return self.own.public

    async def post(self, path: str, body: Message) -> ClientResponse:
        headers = {"Content-Type": "application/json"}
        path = f"/api/v1/enrolments/{path}"
        return await self.hub.ask("POST", path, data=body.model_dump_json(), headers=headers)

    async def claim(self, qr: Qr) -> ClientResponse:
        return await self.post(f"{qr.enrolment}/claim", make_claim(qr, self.own))

    async def begin(self, code: str) -> ClientResponse:
        return await self.post(
            "begin", Begin(code=code, commitment=commitment(self.keys, self.nonce))
        )

    async def reveal(self, begun: Begun) -> ClientResponse:
        revealed = make_reveal(begun, self.own, self.nonce)
        return await self.post(f"{begun.enrolment}/reveal", revealed)

    def token(self, begun: Begun, key: SigningKey | None = None) -> dict[str, str]:
        issuer = Issuer(begun.enrolment, key or self.node, self.hub.clock)
        return bearer(issuer.mint(Kind.ENROL, subject=begun.enrolment, audience=begun.hub))

    async def result(self, begun: Begun, key: SigningKey | None = None) -> ClientResponse:
        path = f"/api/v1/enrolments/{begun.enrolment}/result"
        return await self.hub.ask("GET", path, headers=self.token(begun, key))


async def new_qr(hub: Hub) -> Qr:
    return await hub.app[keys.ENROLMENTS].new_qr(await hub.household())


async def new_typed(hub: Hub) -> tuple[str, str]:
    return await hub.app[keys.ENROLMENTS].new_typed(await hub.household())


async def code_of(response: ClientResponse) -> str:
    return str((await response.json())["code"])


async def status_of(hub: Hub, box: Box, enrolled: Enrolled) -> int:
    token = Issuer(enrolled.agent, box.node, hub.clock).mint(
        Kind.NODE, subject=enrolled.agent, audience=enrolled.hub
    )
    body = {"version": "1", "privacy_off": False, "cameras": []}
    response = await hub.ask("PUT", "/api/v1/node/status", json=body, headers=bearer(token))
    return response.status


async def test_a_box_joins_by_qr_and_may_then_speak_for_itself(hub: Hub) -> None:
    household, _ = await hub.owner("Fang")
    qr, box = await hub.app[keys.ENROLMENTS].new_qr(household), Box(hub)
    response = await box.claim(qr)
    assert response.status == 200, await response.text()
    enrolled = Enrolled.model_validate_json(await response.text())
    assert check_enrolled(enrolled, box.keys, qr.hub_fingerprint).fingerprint == qr.hub_fingerprint
    assert enrolled.household_name == "Wang"
    assert [owner.name for owner in enrolled.owners] == ["Fang"]  # the home pins them
    assert await status_of(hub, box, enrolled) == 204
    row = await hub.app[keys.CATALOGUE].read(nodes.find, enrolled.agent)
    assert row is not None
    assert (row.key, row.household_key) == (box.node.public, box.home.public)


async def test_the_same_box_may_ask_again_when_the_answer_was_lost(hub: Hub) -> None:
    qr, box = await new_qr(hub), Box(hub)
    first = Enrolled.model_validate_json(await (await box.claim(qr)).text())
    again = Enrolled.model_validate_json(await (await box.claim(qr)).text())
    assert first.agent == again.agent
    assert await status_of(hub, box, again) == 204


async def test_a_qr_is_good_for_one_box(hub: Hub) -> None:
    qr = await new_qr(hub)
    assert (await Box(hub).claim(qr)).status == 200
    second = await Box(hub).claim(qr)
    assert (second.status, await code_of(second)) == (404, "no_such_enrolment")


async def test_a_qr_ends_after_seven_days(hub: Hub) -> None:
    qr = await new_qr(hub)
    hub.clock.turn(7 * 24 * 3600 + 1)
    assert (await Box(hub).claim(qr)).status == 404


async def test_a_wrong_secret_is_told_apart_from_nothing(hub: Hub) -> None:
    qr = await new_qr(hub)
    wrong = Qr(qr.url, qr.enrolment, "x" * 32, qr.hub_fingerprint)
    unknown = Qr(qr.url, "none", qr.secret, qr.hub_fingerprint)
    answers = [await Box(hub).claim(each) for each in (wrong, unknown)]
    assert [answer.status for answer in answers] == [404, 404]
    assert await answers[0].text() == await answers[1].text()


async def test_a_claim_whose_proofs_do_not_hold_is_422_and_can_be_repeated(hub: Hub) -> None:
    qr, box = await new_qr(hub), Box(hub)
    claim = make_claim(qr, box.own)
    bad = claim.model_copy(update={"node_proof": claim.household_proof})
    response = await box.post(f"{qr.enrolment}/claim", bad)
    assert (response.status, await code_of(response)) == (422, "bad_proof")
    assert (await box.claim(qr)).status == 200


async def test_enrolling_again_revokes_the_box_before(hub: Hub) -> None:
    household = await hub.household()
    agent = await hub.enrolled(household)
    note = camera_note()
    assert await hub.tell(agent, note) == 204
    qr = await hub.app[keys.ENROLMENTS].new_qr(household)
    box = Box(hub)
    enrolled = Enrolled.model_validate_json(await (await box.claim(qr)).text())
    assert await hub.tell(agent, note) == 401
    assert await status_of(hub, box, enrolled) == 204


async def test_a_box_joins_by_typed_code_and_compared_digits(hub: Hub) -> None:
    name, code = await new_typed(hub)
    box = Box(hub)
    begun = Begun.model_validate_json(await (await box.begin(code.lower())).text())
    assert begun.enrolment == name
    assert (await box.reveal(begun)).status == 202
    assert (await box.result(begun)).status == 202
    digits = six_digits(hub.app[keys.NODE].key.public, box.keys, begun.nonce, box.nonce)
    await hub.app[keys.ENROLMENTS].confirm(name, digits)
    response = await box.result(begun)
    assert response.status == 200
    enrolled = Enrolled.model_validate_json(await response.text())
    key = hub.app[keys.NODE].key.public
    assert check_enrolled(enrolled, box.keys, key.fingerprint) == key
    assert await status_of(hub, box, enrolled) == 204
    assert (await box.result(begun)).status == 200  # as often as asked


async def test_nothing_is_enrolled_before_the_digits_are_entered(hub: Hub) -> None:
    _, code = await new_typed(hub)
    box = Box(hub)
    begun = Begun.model_validate_json(await (await box.begin(code)).text())
    assert (await box.result(begun)).status == 404  # not even revealed
    await box.reveal(begun)
    await box.result(begun)
    assert await hub.app[keys.CATALOGUE].read(nodes.living) == []


async def test_wrong_digits_end_it(hub: Hub) -> None:
    name, code = await new_typed(hub)
    box = Box(hub)
    begun = Begun.model_validate_json(await (await box.begin(code)).text())
    await box.reveal(begun)
    digits = six_digits(hub.app[keys.NODE].key.public, box.keys, begun.nonce, box.nonce)
    wrong = f"{(int(digits) + 1) % 1_000_000:06d}"
    with pytest.raises(Unprocessable, match="in between"):
        await hub.app[keys.ENROLMENTS].confirm(name, wrong)
    with pytest.raises(NotFound):
        await hub.app[keys.ENROLMENTS].confirm(name, digits)
    assert (await box.result(begun)).status == 404


async def test_the_home_may_say_that_the_digits_differ(hub: Hub) -> None:
    name, code = await new_typed(hub)
    box = Box(hub)
    begun = Begun.model_validate_json(await (await box.begin(code)).text())
    await box.reveal(begun)
    path = f"/api/v1/enrolments/{name}"
    stranger = box.token(begun, SigningKey.make())
    assert (await hub.ask("DELETE", path, headers=stranger)).status == 404
    assert (await hub.ask("DELETE", path)).status == 404
    assert (await hub.ask("DELETE", path, headers=box.token(begun))).status == 204
    with pytest.raises(NotFound):
        await hub.app[keys.ENROLMENTS].confirm(name, "000000")


async def test_only_the_box_that_revealed_may_ask_for_the_result(hub: Hub) -> None:
    _, code = await new_typed(hub)
    box = Box(hub)
    begun = Begun.model_validate_json(await (await box.begin(code)).text())
    await box.reveal(begun)
    assert (await box.result(begun, SigningKey.make())).status == 404
    token = box.token(begun)
    hub.clock.turn(61)
    path = f"/api/v1/enrolments/{begun.enrolment}/result"
    assert (await hub.ask("GET", path, headers=token)).status == 404


async def test_a_second_box_cannot_take_over_a_code(hub: Hub) -> None:
    _, code = await new_typed(hub)
    first, second = Box(hub), Box(hub)
    begun = Begun.model_validate_json(await (await first.begin(code)).text())
    late = await second.begin(code)
    assert (late.status, await code_of(late)) == (409, "already_begun")
    assert (await first.begin(code)).status == 200  # the first may repeat itself
    assert (await second.reveal(begun)).status == 422
    assert (await first.reveal(begun)).status == 404  # what smells is over


async def test_a_reveal_happens_once(hub: Hub) -> None:
    _, code = await new_typed(hub)
    box = Box(hub)
    begun = Begun.model_validate_json(await (await box.begin(code)).text())
    assert (await box.reveal(begun)).status == 202
    assert (await box.reveal(begun)).status == 404


async def test_a_typed_code_has_five_tries_and_ten_minutes(hub: Hub) -> None:
    _, code = await new_typed(hub)
    wrong = code[:2] + ("BBBBBB" if not code.endswith("BB-BBBB") else "CCCCCC")
    for _ in range(5):
        response = await Box(hub).begin(wrong)
        assert (response.status, await code_of(response)) == (404, "wrong_code")
    assert (await Box(hub).begin(code)).status == 404
    hub.clock.turn(61)
    _, later = await new_typed(hub)
    hub.clock.turn(601)
    assert (await Box(hub).begin(later)).status == 404


async def test_strangers_may_try_only_so_often(hub: Hub) -> None:
    answers = [await Box(hub).begin("BCDF-GHJK") for _ in range(21)]
    assert answers[-1].status == 429
    assert int(answers[-1].headers["Retry-After"]) >= 1


@pytest.mark.parametrize("body", ["{}", "[]", '{"code": 1}', '{"code":"a","commitment":"b"}'])
async def test_malformed_messages_are_named(hub: Hub, body: str) -> None:
    headers = {"Content-Type": "application/json"}
    response = await hub.ask("POST", "/api/v1/enrolments/begin", data=body, headers=headers)
    assert (response.status, await code_of(response)) == (422, "bad_body")


async def test_the_vouch_is_the_node_keys_word(hub: Hub) -> None:
    nonce = new_nonce()
    response = await hub.ask("GET", f"/.well-known/secvillage?nonce={nonce}")
    assert (response.status, response.content_type) == (200, "application/jwt")
    found = read_vouch(await response.text(), nonce, hub.app[keys.NODE].key.public.fingerprint)
    assert (found.hub, found.certificates) == (hub.id, frozenset())
    assert found.token_keys == tuple(hub.app[keys.TOKEN_KEYS].public)
    assert (await hub.ask("GET", "/.well-known/secvillage?nonce=x")).status == 400


async def test_the_jwks_has_what_idn_4_asks_for(hub: Hub) -> None:
    found = await (await hub.ask("GET", "/.well-known/jwks.json")).json()
    assert [key["kid"] for key in found["keys"]] == [
        key.fingerprint for key in hub.app[keys.TOKEN_KEYS].public
    ]
    assert all({"kty", "use", "alg", "kid"} <= set(key) for key in found["keys"])
    assert not any("d" in key for key in found["keys"])
