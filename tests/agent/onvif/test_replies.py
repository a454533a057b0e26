"""Replies that no device should send (DEV-11): the helper answers in words, whatever comes."""

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree  # type: ignore[import-untyped]

from home_agent.onvif import Asked, Told
from home_agent.onvif_helper.__main__ import answer
from home_agent.onvif_helper.soap import DeviceTransport, Reply
from tests.cameras.onvif_device import onvif_device
from tests.cameras.onvif_shapes import Profile
from tests.cameras.rig import PASSWORD, USER

MAIN = Profile(token="main", url="rtsp://127.0.0.1:8554/main")
SUB = Profile(token="sub", url="rtsp://127.0.0.1:8554/sub", width=640, height=360)


def question(address: str) -> bytes:
    asked = Asked(task="look", address=address, user=USER, password=PASSWORD)
    return asked.model_dump_json().encode()


def operation_of(body: bytes) -> str:
    return str(etree.QName(etree.fromstring(body)[-1][0]).localname)


async def recorded() -> dict[str, bytes]:
    """What a real device answers to each operation of a look."""
    replies: dict[str, bytes] = {}
    send = DeviceTransport._send

    def recording(self: Any, address: str, body: bytes, headers: dict[str, str]) -> Reply:
        reply = send(self, address, body, headers)
        if reply.status_code == 200:
            replies[operation_of(body)] = reply.content
        return reply

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DeviceTransport, "_send", recording)
        async with onvif_device([MAIN, SUB]) as device:
            told = await asyncio.to_thread(answer, question(device.address))
            assert told.look
    return replies


class Played:
    """Plays recorded replies, one of them changed."""

    def __init__(self, replies: dict[str, bytes]) -> None:
        self.replies = replies
        self.changed: dict[str, bytes] = {}
        self.status = 200

    def told(self, changed: dict[str, bytes], status: int = 200) -> Told:
        self.changed, self.status = changed, status
        return answer(question("192.0.2.1"))

    def send(self, _address: str, body: bytes, _headers: dict[str, str]) -> Reply:
        operation = operation_of(body)
        if operation in self.changed:
            return Reply(self.status, self.changed[operation], {})
        return Reply(200, self.replies[operation], {})


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Played:
    player = Played(asyncio.run(recorded()))
    monkeypatch.setattr(DeviceTransport, "_send", lambda _, *rest: player.send(*rest))
    assert player.told({}).look
    return player


EMPTY = b'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body/></e:Envelope>'
ENTITY = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize("reply", [b"", b"<", EMPTY, b"\xff" * 50, b"<html></html>", b"{}"])
@pytest.mark.parametrize("operation", ["GetSystemDateAndTime", "GetServices", "GetProfiles"])
def test_a_reply_that_is_no_answer_is_said(played: Played, operation: str, reply: bytes) -> None:
    told = played.told({operation: reply})
    assert told.look or told.sentence


@pytest.mark.parametrize("head", [ENTITY, BOMB])
def test_no_entity_of_a_reply_is_expanded(played: Played, head: bytes) -> None:
    body = played.replies["GetDeviceInformation"].replace(b"Lantern", b"&e;&b;")
    told = played.told({"GetDeviceInformation": head + body})
    assert told.look is None
    assert "root:" not in told.model_dump_json()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(data=st.data())
def test_no_damaged_reply_makes_the_helper_fail(played: Played, data: st.DataObject) -> None:
    operation = data.draw(st.sampled_from(sorted(played.replies)))
    reply = bytearray(played.replies[operation])
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(reply)))
        end = data.draw(st.integers(start, min(start + 40, len(reply))))
        reply[start:end] = data.draw(st.binary(max_size=8) | st.just(b"") | st.just(b"-1"))
    told = played.told({operation: bytes(reply)}, data.draw(st.sampled_from([200, 400, 500])))
    assert told.look or told.sentence
