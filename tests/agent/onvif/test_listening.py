"""A pull point at cameras of every dialect, over real HTTP: kept, renewed, begun anew, given back.

The helper's work is done in a thread here; how it runs as a process is tested at the end.
"""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from home_agent import onvif_events
from home_agent.onvif import InputState
from home_agent.onvif_events import Ears, ears, run_helper
from home_agent.onvif_helper import listening, pull_point
from home_agent.rtsp.digest import Credentials
from home_agent.rtsp.failure import SourceFailure
from tests.agent.home import until
from tests.agent.listening import in_threads
from tests.cameras.onvif_device import onvif_device
from tests.cameras.onvif_events import RELAY, EventDialect, EventService, Message
from tests.cameras.onvif_shapes import Dialect, Profile
from tests.cameras.rig import PASSWORD, USER
from village_core.troubles import Trouble

ACCOUNT = Credentials(USER, PASSWORD)
MAIN = [Profile(token="main", url="rtsp://127.0.0.1:8554/main")]
QUIET = InputState(token="button", logical=False, operation="initialized")
PRESSED = InputState(token="button", logical=True, operation="changed")


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> None:
    in_threads(monkeypatch)
    monkeypatch.setattr(listening, "PACE", 0.02)
    monkeypatch.setattr(listening, "FIRST_WAIT", 0.1)


def camera(dialect: EventDialect | None = None) -> EventService:
    service = EventService(button=False)
    service.dialect = dialect or EventDialect()
    return service


async def next_input(heard: Ears) -> InputState:
    async with asyncio.timeout(10):
        while True:
            if (each := await anext(heard)).inputs:
                return each.inputs[-1]


DIALECTS: dict[str, dict[str, Any]] = {
    "as the standard has it": {},
    "ends subscriptions early": {"ends_after": 1},
    "tells the initial state each time": {"always_initial": True},
    "answers late": {"late": 0.3},
    "cannot renew": {"renews": False, "grants": 2.0},
    "grants little": {"grants": 2.0},
    "knows no durations": {"relative": False},
    "known by a reference parameter": {"by_parameter": True},
    "another prefix": {"prefix": "onvif"},
    "other names": {"token_name": "Index", "state_name": "Level"},
}


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=list(DIALECTS))
async def test_every_dialect_is_heard(dialect: dict[str, Any]) -> None:
    """PRM-6."""
    events = camera(EventDialect(**dialect))
    async with onvif_device(MAIN, events=events) as device, ears(device.address, ACCOUNT) as heard:
        assert await next_input(heard) == QUIET
        events.tell(Message(RELAY, "button", "true", "Changed"))
        events.turn("button", True)
        while (told := await next_input(heard)).operation == "initialized":
            if told.logical:  # such a camera has a new subscription: its state says it, too
                break
        assert told.logical
    assert events.subscriptions == {}


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("digest", ["MD5", "SHA-256", None])
async def test_it_signs_in_as_the_camera_wants_by_the_camera_s_clock(digest: str | None) -> None:
    dialect = Dialect(digest=digest, skew=timedelta(minutes=3), services=digest != "MD5")
    async with (
        onvif_device(MAIN, events=camera(), dialect=dialect) as device,
        ears(device.address, ACCOUNT) as heard,
    ):
        assert await next_input(heard) == QUIET


@pytest.mark.usefixtures("threads")
async def test_a_camera_that_forgot_who_signed_in_is_signed_in_to_anew() -> None:
    """A nonce that is unknown without being told as stale looks like a wrong password."""
    events = camera()
    async with onvif_device(MAIN, events=events) as device, ears(device.address, ACCOUNT) as heard:
        assert await next_input(heard) == QUIET
        device._gate._counts.clear()
        events.turn("button", True)
        assert await next_input(heard) == PRESSED
        events.turn("button", False)
        assert not (await next_input(heard)).logical


@pytest.mark.usefixtures("threads")
async def test_an_address_that_is_not_there_is_turned_to_the_one_asked() -> None:
    dialect = Dialect(xaddr_host="10.99.0.1:80")
    async with (
        onvif_device(MAIN, events=camera(), dialect=dialect) as device,
        ears(device.address, ACCOUNT) as heard,
    ):
        assert await next_input(heard) == QUIET


@pytest.mark.usefixtures("threads")
async def test_a_subscription_is_renewed_in_time_and_given_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listening, "WAIT", 0.1)
    events = camera(EventDialect(grants=4.0))
    async with onvif_device(MAIN, events=events) as device:
        async with ears(device.address, ACCOUNT) as heard:
            while "Renew" not in device.calls:
                await anext(heard)
            assert (events.made, len(events.subscriptions)) == (1, 1)
        assert device.calls[-1] == "Unsubscribe"
        assert events.subscriptions == {}


@pytest.mark.usefixtures("threads")
async def test_where_it_cannot_be_renewed_a_new_one_begins_before_the_old_one_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listening, "WAIT", 0.1)
    events = camera(EventDialect(grants=3.0, renews=False, room=2))
    async with onvif_device(MAIN, events=events) as device:
        async with ears(device.address, ACCOUNT) as heard:
            while events.made < 3:
                assert events.subscriptions or events.made == 0
                await anext(heard)
        assert device.calls.count("Unsubscribe") >= 2


@pytest.mark.usefixtures("threads")
async def test_a_camera_that_forgot_the_subscription_is_asked_for_another() -> None:
    events = camera()
    async with onvif_device(MAIN, events=events) as device, ears(device.address, ACCOUNT) as heard:
        assert await next_input(heard) == QUIET
        events.reboot()
        assert (await anext(heard)).first
        events.turn("button", True)
        assert await next_input(heard) == PRESSED


@pytest.mark.usefixtures("threads")
async def test_a_camera_that_tells_no_initial_state_is_heard_nevertheless() -> None:
    events = camera(EventDialect(never_initial=True, operation=False))
    async with onvif_device(MAIN, events=events) as device, ears(device.address, ACCOUNT) as heard:
        assert (await anext(heard)).inputs == []
        events.turn("button", True)
        assert await next_input(heard) == PRESSED.model_copy(update={"operation": ""})


async def failure(device_settings: dict[str, Any], account: Credentials | None) -> SourceFailure:
    async with onvif_device(MAIN, **device_settings) as device:
        with pytest.raises(SourceFailure) as raised:
            await hear_all(device.address, account)
        assert device.events.subscriptions == {}, "it is given back"
    return raised.value


async def hear_all(address: str, account: Credentials | None) -> None:
    async with ears(address, account) as heard:
        async for _ in heard:
            pass


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("status", [200, 400, 503])
@pytest.mark.parametrize(
    "junk", [b"<", b"\xff\xfe", b"<html/>", b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>"]
)
async def test_junk_is_said_in_words(junk: bytes, status: int) -> None:
    events = camera(EventDialect(junk=junk, status=status))
    said = await failure({"events": events}, ACCOUNT)
    assert said.trouble is Trouble.PROTOCOL
    assert "about its events" in said.sentence


@pytest.mark.usefixtures("threads")
async def test_what_keeps_it_from_listening_is_said() -> None:
    wrong = await failure({"events": camera()}, Credentials(USER, "not-the-one-9"))
    assert wrong.trouble is Trouble.WRONG_PASSWORD
    assert (await failure({"events": camera()}, None)).trouble is Trouble.WRONG_PASSWORD
    default = await failure({"events": camera()}, Credentials("admin", "admin"))
    assert default.trouble is Trouble.DEFAULT_PASSWORD
    none = await failure({"dialect": Dialect(events=False)}, ACCOUNT)
    assert none.sentence == "The camera tells no events by ONVIF."
    full = await failure({"events": camera(EventDialect(room=0))}, ACCOUNT)
    assert "no room for more subscriptions" in full.sentence


@pytest.mark.usefixtures("threads")
async def test_a_camera_that_takes_no_question_is_not_asked_on_and_on() -> None:
    events = camera(EventDialect(grants=-1.0))  # each subscription has ended when it is made
    said = await failure({"events": events}, ACCOUNT)
    assert "no such subscription" in said.sentence
    assert events.made == 1


@pytest.mark.usefixtures("threads")
async def test_a_camera_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pull_point, "LATE", 0.2)
    monkeypatch.setattr(listening, "WAIT", 0.1)
    events = camera(EventDialect(late=1.5))
    said = await failure({"events": events}, ACCOUNT)
    assert said.trouble is Trouble.STALLED


# The process


async def test_the_helper_is_a_process_that_speaks_until_it_is_left() -> None:
    events = camera()
    async with onvif_device(MAIN, events=events) as device:
        async with ears(device.address, ACCOUNT) as heard:
            assert await next_input(heard) == QUIET
            events.turn("button", True)
            assert await next_input(heard) == PRESSED
        assert events.subscriptions == {}, "it is given back"
        assert device.calls[-1] == "Unsubscribe"


async def test_an_agent_that_is_killed_leaves_no_helper_and_no_subscription() -> None:
    events = camera()
    async with onvif_device(MAIN, events=events) as device:
        agent = await asyncio.create_subprocess_exec(
            sys.executable, "-c", KILLED, device.address, stdout=asyncio.subprocess.PIPE
        )
        assert agent.stdout is not None
        helper = int(await agent.stdout.readline())
        agent.kill()
        await agent.wait()
        await until(lambda: not Path(f"/proc/{helper}").exists() and events.subscriptions == {})


KILLED = f"""
import asyncio, os, sys
from pathlib import Path
from home_agent.onvif_events import ears
from home_agent.rtsp.digest import Credentials

async def main():
    async with ears(sys.argv[1], Credentials("{USER}", "{PASSWORD}")) as heard:
        await anext(heard)
        me = os.getpid()
        print(Path(f"/proc/{{me}}/task/{{me}}/children").read_text().split()[0], flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.parametrize("question", [b"\n", b"{}\n", b'{"address": "http://[::1"}\n'])
async def test_a_question_that_is_none_is_answered_in_words(question: bytes) -> None:
    async with run_helper(question) as reader:
        with pytest.raises(SourceFailure, match="question to the helper"):
            await anext(Ears(reader))


async def test_a_helper_that_says_nothing_or_nonsense_counts_as_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(onvif_events, "SILENT", 0.05)
    reader = asyncio.StreamReader(limit=100)
    with pytest.raises(SourceFailure) as raised:
        await anext(Ears(reader))
    assert raised.value.trouble is Trouble.STALLED
    reader.feed_data(b"{}x\n")
    with pytest.raises(SourceFailure, match="has ended"):
        await anext(Ears(reader))
    reader.feed_data(b"x" * 300 + b"\n")
    with pytest.raises(SourceFailure, match="too much"):
        await anext(Ears(reader))
    reader.feed_eof()
    with pytest.raises(SourceFailure, match="has ended"):
        await anext(Ears(reader))
