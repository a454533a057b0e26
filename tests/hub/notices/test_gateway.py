"""Notices by SMS and voice, end to end: the real hub, real HTTP, a simulated gateway (PRM-23)."""

import asyncio
import logging

import pytest

from tests.hub.notices.told import OTHER, PHONE, Told
from tests.hub.support import Hub, until
from tests.support.gateway import GatewaySimulator
from village_hub import keys
from village_hub.notices.delivery import LEASE, MINUTE, RECEIPT_WITHIN
from village_hub.notices.due import DAY, KEY_OF
from village_hub.notices.kinds import Channel, Kind, Outcome, State, Whom
from village_hub.notices.port import To


@pytest.fixture
async def told(hub: Hub, gateway: GatewaySimulator) -> Told:
    return await Told.make(hub, gateway)


async def test_a_text_message_goes_out_and_its_receipt_comes_back(told: Told) -> None:
    name = await told.tell(Kind.GRANT_STOPPED)
    await until(lambda: len(told.gateway.letters) == 1)
    [letter] = told.gateway.letters
    assert letter["channel"] == "sms"
    assert letter["to"] == PHONE
    assert letter["text"] == "西村派出所李警官不能再看您家的摄像头了。"
    assert letter["template"] == "grant_stopped.owner"
    assert letter["idempotency"] == letter["reference"]
    assert (await told.row(name)).progress.state is State.QUEUED
    assert await told.gateway.receipt(letter, "delivered") == 204
    row = await told.row(name)
    assert row.progress.state is State.DELIVERED
    assert row.progress.given_up, "it is not sent a second time"


async def test_without_a_receipt_a_call_follows(told: Told) -> None:
    name = await told.tell(Kind.GRANT_STOPPED)
    await until(lambda: len(told.gateway.letters) == 1)

    async def waits() -> bool:
        return (await told.row(name)).progress.waiting

    await until(waits)
    told.hub.clock.turn(RECEIPT_WITHIN[Channel.SMS] / 1000)
    await until(lambda: len(told.gateway.to(PHONE, "voice")) == 1)


@pytest.mark.parametrize("result", ["failed", "busy", "no_answer"])
async def test_a_bad_receipt_brings_the_next_way_at_once(told: Told, result: str) -> None:
    await told.phone(told.owner, PHONE, Channel.VOICE)
    await told.tell(Kind.GRANT_STOPPED)
    await until(lambda: len(told.gateway.letters) == 1)
    await told.gateway.receipt(told.gateway.letters[0], result)
    await until(lambda: [one["channel"] for one in told.gateway.letters] == ["voice", "sms"])


async def test_a_gateway_that_fails_is_asked_again_later(told: Told) -> None:
    told.gateway.answers = [503, 500]
    await told.tell(Kind.GRANT_STOPPED)
    await until(lambda: len(told.gateway.refused) == 2)
    assert [one["channel"] for one in told.gateway.refused] == ["sms", "voice"]
    assert told.gateway.letters == []
    told.hub.clock.turn(30)
    await until(lambda: len(told.gateway.letters) == 1)


async def test_a_number_that_does_not_exist_is_not_tried_again(told: Told) -> None:
    told.gateway.answers = [422, 404]
    name = await told.tell(Kind.GRANT_STOPPED)

    async def over() -> bool:
        return (await told.row(name)).progress.given_up

    await until(over)
    told.hub.clock.turn(15 * 60)

    async def failed() -> bool:
        return (await told.row(name)).progress.state is State.FAILED

    await until(failed)
    [shown] = await told.listed()
    assert shown["state"] == "delivered", "it is on the page all the same"


async def test_a_redirect_is_not_followed(
    told: Told, hub: Hub, gateway: GatewaySimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing goes anywhere but where the operator said."""
    settings = hub.app[keys.CONFIG].notices.gateway
    object.__setattr__(settings, "url", gateway.moved_url)
    name = await told.tell(Kind.FAMILY_YEARLY)

    async def bounced() -> bool:
        return (await told.row(name)).progress.round == 1

    await until(bounced)
    assert gateway.letters == []


async def test_a_crash_between_sending_and_noting_sends_under_the_same_reference(
    told: Told,
) -> None:
    """At least once, and a gateway can drop the second."""
    told.gateway.hangs = asyncio.Event()
    name = await told.tell(Kind.GRANT_STOPPED)

    async def begun() -> bool:
        return (await told.row(name)).progress.attempts == 1

    await until(begun)
    told.hub.clock.turn(LEASE / 1000)

    async def again() -> bool:
        return (await told.row(name)).progress.attempts == 2

    await until(again)
    told.gateway.hangs.set()

    async def noted() -> bool:
        return (await told.row(name)).progress.waiting

    await until(noted)
    assert len(told.gateway.letters) == 1


async def test_a_slow_gateway_holds_up_nobody(told: Told) -> None:
    told.gateway.hangs = asyncio.Event()
    names = [await told.tell(Kind.GRANT_STOPPED) for _ in range(5)]

    async def all_begun() -> bool:
        return all([(await told.row(name)).progress.attempts for name in names])

    await until(all_begun)


async def test_a_call_offers_only_keys_that_somebody_carries_out(told: Told) -> None:
    pressed: list[str] = []

    async def stop(row: object, outcome: Outcome) -> None:
        pressed.append(outcome)

    phone_keys = told.hub.app[keys.NOTICES].phone_keys
    del phone_keys._handlers[Kind.FAMILY_YEARLY, Outcome.STOP]
    await told.phone(told.owner, PHONE, Channel.VOICE)
    await told.tell(Kind.FAMILY_YEARLY)
    await until(lambda: len(told.gateway.letters) == 1)
    assert told.gateway.letters[0]["keys"] == {}
    assert "请按" not in told.gateway.letters[0]["text"]
    phone_keys.on(Kind.FAMILY_YEARLY, Outcome.STOP, stop)
    await told.tell(Kind.FAMILY_YEARLY)
    await until(lambda: len(told.gateway.letters) == 2)
    assert told.gateway.letters[1]["keys"] == {"9": "stop"}
    assert told.gateway.letters[1]["text"].endswith("要停止，请按9。")


async def test_a_grant_is_stopped_by_a_key_and_no_key_says_yes(told: Told) -> None:
    """PRM-4, PRM-23."""
    done: list[tuple[str, Outcome]] = []

    async def stop(row: object, outcome: Outcome) -> None:
        done.append(("stopped", outcome))

    phone_keys = told.hub.app[keys.NOTICES].phone_keys
    phone_keys._handlers[Kind.WINDOW_GRANT, Outcome.STOP] = stop
    name = await told.tell(Kind.WINDOW_GRANT)
    await until(lambda: len(told.gateway.to(PHONE, "voice")) == 1)
    [call] = told.gateway.to(PHONE, "voice")
    for key in "0123456789*#":
        if key != KEY_OF[Outcome.STOP]:
            assert await told.gateway.press(call, key) == "这个键没有用。"
    assert done == []
    assert await told.gateway.press(call, KEY_OF[Outcome.STOP]) == "已经停止。"
    assert done == [("stopped", Outcome.STOP)]
    row = await told.row(name)
    assert row.answer == "stop"
    assert Channel.VOICE in row.progress.reached, "whoever presses a key has heard it"


async def test_a_no_tells_nobody_and_shows_nowhere(told: Told) -> None:
    """PRM-20: no and silence look the same to asker, committee and telecom."""
    await told.phone(told.owner, PHONE, Channel.VOICE)
    silent = await told.tell(Kind.ASK_MADE)
    answered = await told.tell(Kind.ASK_MADE)
    await until(lambda: len(told.gateway.letters) == 2)
    letters = {one["reference"].split(".")[0]: one for one in told.gateway.letters}
    for letter in letters.values():
        await told.gateway.receipt(letter, "answered")
    before = len(told.gateway.letters)
    await told.gateway.press(letters[answered], KEY_OF[Outcome.NO])
    rows = [await told.row(silent), await told.row(answered)]
    assert [row.progress.state for row in rows] == [State.DELIVERED] * 2
    assert rows[0].progress.attempts == rows[1].progress.attempts
    for shown in await told.listed():
        assert "answer" not in shown
    assert len(told.gateway.letters) == before
    assert "answer" not in repr(rows[1])


@pytest.mark.parametrize(
    ("forged", "status", "code"),
    [
        ({"webhook-signature": "v1,AAAA"}, 403, "bad_signature"),
        ({"webhook-signature": ""}, 403, "bad_signature"),
        ({"webhook-id": ""}, 403, "stale_call"),
        ({"webhook-timestamp": "1"}, 403, "stale_call"),
        ({"webhook-timestamp": "99999999999"}, 403, "stale_call"),
        ({"webhook-timestamp": "soon"}, 403, "stale_call"),
    ],
)
@pytest.mark.parametrize("what", ["receipts", "keys"])
async def test_forged_and_old_calls_are_refused_and_change_nothing(
    told: Told, what: str, forged: dict[str, str], status: int, code: str
) -> None:
    name = await told.tell(Kind.GRANT_STOPPED)
    await until(lambda: len(told.gateway.letters) == 1)
    reference = told.gateway.letters[0]["reference"]
    body: object = {"receipts": [{"reference": reference, "result": "delivered"}]}
    if what == "keys":
        body = {"reference": reference, "key": "9"}
    response = await told.gateway.call(what, body, **forged)
    assert response.status == status
    assert (await response.json())["code"] == code
    assert (await told.row(name)).progress.delivered is None


async def test_a_call_signed_with_another_secret_is_refused(told: Told) -> None:
    told.gateway.secret = "another"
    response = await told.gateway.call("keys", {"reference": "x", "key": "9"})
    assert response.status == 403


async def test_a_call_that_came_is_not_taken_again(told: Told) -> None:
    body: dict[str, list[str]] = {"receipts": []}
    again = {"webhook-id": "the same"}
    assert (await told.gateway.call("receipts", body, **again)).status == 204
    assert (await told.gateway.call("receipts", body, **again)).status == 409


async def test_a_call_that_failed_may_come_again(told: Told) -> None:
    again = {"webhook-id": "the same"}
    for _ in range(2):
        response = await told.gateway.call("keys", {"reference": "x", "key": "9"}, **again)
        assert response.status == 404


async def test_a_receipt_for_a_slip_or_a_page_is_not_believed(told: Told) -> None:
    """A gateway speaks of what it sent and of nothing else."""
    name = await told.tell(Kind.WINDOW_GRANT)
    for channel in ("slip", "page", "webhook", "nonsense"):
        await told.gateway.receipt({"reference": f"{name}.{channel}.0"}, "delivered")
    assert (await told.row(name)).progress.reached == frozenset()


async def test_a_text_message_accepts_no_sos(told: Told) -> None:
    """IDN-11: who sent it is easily forged."""
    name = await told.tell(Kind.SOS_CALL, Whom.RESPONDER, To.one(told.owner))
    await until(lambda: len(told.gateway.letters) == 1)
    said = await told.gateway.press({"reference": f"{name}.sms.0"}, "1")
    assert said == "这个键没有用。"


async def test_no_number_and_no_text_is_in_the_log(
    told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    """AUD-9."""
    caplog.set_level(logging.DEBUG)
    told.gateway.answers = [500, 404]
    await told.tell(Kind.GRANT_STOPPED)
    await until(lambda: len(told.gateway.refused) == 2)
    told.hub.clock.turn(16 * 60)
    await until(lambda: any("reached nobody" in one.message for one in caplog.records))
    assert PHONE not in caplog.text
    assert PHONE.removeprefix("+86") not in caplog.text
    assert "李警官" not in caplog.text


async def test_each_hears_it_in_their_language(told: Told) -> None:
    other = await told.hub.person(told.home, "Smith")
    await told.phone(other, OTHER, language="en")
    await told.tell(Kind.GRANT_STOPPED, Whom.RECIPIENT, To.one(other))
    await until(lambda: len(told.gateway.to(OTHER)) == 1)
    assert told.gateway.to(OTHER)[0]["text"] == "You can no longer see the cameras of 王家."


async def test_without_a_phone_it_waits_on_the_page(told: Told) -> None:
    other = await told.hub.person(await told.hub.household("方家"), "方")
    name = await told.tell(Kind.SOS_VIEWED, Whom.OWNER, To.one(other))

    async def over() -> bool:
        return (await told.row(name)).progress.given_up

    await until(over)
    viewer = await told.hub.sign_in(other)
    [shown] = await told.listed(viewer)
    assert shown["text"].startswith("西村派出所李警官因求救查看")
    assert told.gateway.letters == []


async def test_what_is_old_is_forgotten_by_itself(told: Told) -> None:
    """RET: consent and disclosure records are kept 3 years."""
    name = await told.tell(Kind.GRANT_STOPPED)
    told.hub.clock.turn(3 * 366 * DAY / 1000 - MINUTE / 1000)
    await until(lambda: told.hub.clock.slept.count(1.0) > 5)
    assert (await told.row(name)).id == name
    told.hub.clock.turn(2 * 3600)

    async def gone() -> bool:
        try:
            await told.row(name)
        except AssertionError:
            return True
        return False

    await until(gone)
