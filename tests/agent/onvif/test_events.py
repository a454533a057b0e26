"""A pull point's answers, read without trust (DEV-11): whatever comes, words or states."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree  # type: ignore[import-untyped]

from home_agent.onvif import InputState
from home_agent.onvif_helper import events
from home_agent.onvif_helper.events import Refused
from home_agent.onvif_helper.soap import SOAP
from home_agent.rtsp.failure import SourceFailure
from village_core.troubles import Trouble

HEAD = (
    f'<s:Envelope xmlns:s="{SOAP}" xmlns:tev="{events.TEV}" xmlns:n="{events.WSNT}"'
    f' xmlns:a="{events.WSA}" xmlns:tt="{events.TT}" xmlns:tns1="{events.TOPICS}"><s:Body>'
)
TAIL = "</s:Body></s:Envelope>"
MESSAGE = (
    "<n:NotificationMessage><n:Topic>{topic}</n:Topic><n:Message>"
    '<tt:Message UtcTime="2026-01-01T00:00:00Z" PropertyOperation="{operation}">'
    '<tt:Source><tt:SimpleItem Name="{source}" Value="{token}"/></tt:Source>'
    '<tt:Data><tt:SimpleItem Name="{data}" Value="{state}"/></tt:Data>'
    "</tt:Message></n:Message></n:NotificationMessage>"
)
USUAL = {
    "topic": "tns1:Device/Trigger/DigitalInput",
    "operation": "Changed",
    "source": "InputToken",
    "token": "1",
    "data": "LogicalState",
    "state": "true",
}


def pulled(*changes: dict[str, str], more: str = "") -> bytes:
    messages = "".join(MESSAGE.format(**{**USUAL, **each}) for each in changes)
    name = "tev:PullMessagesResponse"
    return f"{HEAD}<{name}>{more}{messages}</{name}>{TAIL}".encode()


def inputs(content: bytes) -> list[InputState]:
    return events.read_inputs(events.read(content))


def test_alarm_inputs_are_read_in_order_and_other_topics_left_out() -> None:
    told = inputs(
        pulled(
            {"operation": "Initialized", "state": "false"},
            {"topic": "tns1:Device/Trigger/Relay"},
            {"topic": "tns1:VideoSource/MotionAlarm"},
            {"topic": "vendor:Device/Trigger/DigitalInput"},
            {"topic": "tns1:Device/Trigger/DigitalInput/More"},
            {"token": "2", "state": "1"},
        )
    )
    assert [(each.token, each.logical, each.operation) for each in told] == [
        ("1", False, "initialized"),
        ("2", True, "changed"),
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"source": "DigitalInputToken", "data": "State"},
        {"source": "Index", "data": "Level", "state": "1"},
        {"source": "", "data": "Whatever", "state": " TRUE "},
        {"topic": "\n tns1:Device/Trigger/DigitalInput \n", "operation": "CHANGED"},
    ],
)
def test_what_makers_write_otherwise_is_read(change: dict[str, str]) -> None:
    assert inputs(pulled(change)) == [InputState(token="1", logical=True, operation="changed")]


def test_a_topic_counts_by_its_namespace_not_by_its_prefix() -> None:
    content = pulled({"topic": "e:Device/Trigger/DigitalInput"})
    assert inputs(content) == []
    declared = content.replace(b"<s:Envelope", f'<s:Envelope xmlns:e="{events.TOPICS}"'.encode())
    assert len(inputs(declared)) == 1
    other = pulled({}).replace(f'xmlns:tns1="{events.TOPICS}"'.encode(), b'xmlns:tns1="urn:x"')
    assert inputs(other) == []
    undeclared = pulled({}).replace(f'xmlns:tns1="{events.TOPICS}"'.encode(), b"")
    assert len(inputs(undeclared)) == 1


def test_a_broken_message_takes_no_alarm_with_it_and_does_not_vanish() -> None:
    bare = "<n:NotificationMessage><n:Topic>tns1:Device/Trigger/DigitalInput</n:Topic>"
    told = inputs(
        pulled({"state": "maybe"}, {"token": "2"}, more=f"{bare}</n:NotificationMessage>")
    )
    assert [(each.token, each.logical) for each in told] == [("", None), ("1", None), ("2", True)]


def test_tokens_are_short_and_hold_nothing_that_steers_a_terminal() -> None:
    long, steering = inputs(pulled({"token": "x" * 10_000}, {"token": "a\u009b31m&#10;b"}))
    assert len(long.token) == events.LONGEST_TOKEN + 1
    assert steering.token == "a31mb"


ENTITIES = [
    '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
    '<!DOCTYPE x [<!ENTITY e "true">]>',
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY e "&a;&a;&a;&a;&a;&a;&a;">]>',
    '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">',
]


@pytest.mark.parametrize("head", ENTITIES)
def test_no_document_type_is_taken_and_no_entity_expanded(head: str) -> None:
    content = head.encode() + pulled({}).replace(b'Value="1"', b'Value="&e;"')
    with pytest.raises(SourceFailure) as raised:
        inputs(content)
    assert raised.value.trouble is Trouble.PROTOCOL
    assert "root:" not in raised.value.sentence


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<",
        b"\xff" * 60,
        b"<html/>",
        b"{}",
        f"{HEAD}{TAIL}".encode(),
        f"{HEAD}<tev:RenewResponse/>{TAIL}".encode(),
        pulled({}) + b" " * events.LARGEST,
        b"<a>" * 5_000,
    ],
    ids=["empty", "cut", "binary", "html", "json", "no body", "another", "large", "deep"],
)
def test_what_is_no_answer_is_said_in_words(content: bytes) -> None:
    with pytest.raises(SourceFailure) as raised:
        inputs(content)
    assert raised.value.trouble is Trouble.PROTOCOL
    assert raised.value.sentence.startswith("The camera's answer")


def test_a_fault_is_told_apart_and_its_reason_made_harmless() -> None:
    fault = "<s:Fault><s:Reason><s:Text>gone\u009b away</s:Text></s:Reason></s:Fault>"
    with pytest.raises(Refused, match="refuses: gone away"):
        events.read(f"{HEAD}{fault}{TAIL}".encode())
    bare = "<s:Fault><s:Code><s:Value>ter:NoRoom</s:Value></s:Code></s:Fault>"
    with pytest.raises(Refused, match="NoRoom"):
        events.read(f"{HEAD}{bare}{TAIL}".encode())


def created(address: str, more: str = "", until: str = "2026-01-01T00:01:00Z") -> Any:
    text = (
        f"{HEAD}<tev:CreatePullPointSubscriptionResponse><tev:SubscriptionReference>"
        f"<a:Address>{address}</a:Address>{more}</tev:SubscriptionReference>"
        f"<n:CurrentTime>2026-01-01T00:00:00Z</n:CurrentTime>"
        f"<n:TerminationTime>{until}</n:TerminationTime>"
        f"</tev:CreatePullPointSubscriptionResponse>{TAIL}"
    )
    return events.read(text.encode())


def test_a_subscription_is_read_with_what_it_is_known_by() -> None:
    parameters = '<a:ReferenceParameters><x:Id xmlns:x="urn:x">7</x:Id></a:ReferenceParameters>'
    made = events.read_subscription(created("http://192.0.2.1/s", parameters))
    assert (made.to, made.seconds) == ("http://192.0.2.1/s", 60)
    whole = events.envelope(events.pull(1), events.PULL, made.to, made.parameters)
    known_by = etree.fromstring(etree.tostring(whole)).find(f"{{{SOAP}}}Header/{{urn:x}}Id")
    assert known_by.text == "7"
    assert known_by.get(f"{{{events.WSA}}}IsReferenceParameter") == "true"


@pytest.mark.parametrize(
    ("until", "seconds"),
    [
        ("2026-01-01T00:00:10Z", 10),
        ("2026-01-01T00:10:00+00:00", 600),
        ("1970-01-01T00:00:00Z", events.SHORTEST),
        ("2099-01-01T00:00:00Z", events.LONGEST),
        ("2026-01-01T00:00:10", events.USUAL),  # of no time zone
        ("tomorrow", events.USUAL),
    ],
)
def test_how_long_it_lasts_is_bounded_whatever_the_camera_s_clock(
    until: str, seconds: float
) -> None:
    assert events.read_subscription(created("http://192.0.2.1/s", until=until)).seconds == seconds


def test_a_subscription_that_is_nowhere_or_too_much_is_refused() -> None:
    many = f"<a:ReferenceParameters>{'<a:x/>' * 9}</a:ReferenceParameters>"
    for address, more in (("", ""), ("file:///etc/passwd", ""), ("http://192.0.2.1", many)):
        with pytest.raises(SourceFailure):
            events.read_subscription(created(address, more))


@settings(max_examples=150)
@given(data=st.data())
def test_no_damaged_answer_makes_the_reader_fail(data: st.DataObject) -> None:
    reply = bytearray(pulled({}, {"operation": "Initialized", "token": "2", "state": "false"}))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(reply)))
        end = data.draw(st.integers(start, min(start + 40, len(reply))))
        reply[start:end] = data.draw(st.binary(max_size=8) | st.sampled_from(NASTY))
    try:
        told = inputs(bytes(reply))
    except SourceFailure:
        return
    assert all(len(each.token) <= events.LONGEST_TOKEN + 1 for each in told)


NASTY = [b"", b"&e;", b"<!--", b"<![CDATA[", b"<?x?>", b"-1", b' xmlns="urn:x"', b"&#0;", b"tns1:"]


@given(
    token=st.text(st.characters(codec="utf-8", exclude_characters='<>&"\r\n\t'), max_size=80),
    state=st.sampled_from(["true", "false", "0", "1", "True", "yes", "", "-1", "闭合"]),
)
def test_any_token_and_state_is_read_or_told_as_unreadable(token: str, state: str) -> None:
    try:
        (told,) = inputs(pulled({"token": token, "state": state}))
    except SourceFailure:  # characters that XML does not know
        assert any(ord(letter) < 32 or ord(letter) in (0xFFFE, 0xFFFF) for letter in token)
        return
    assert told.logical is events.TRUTH.get(state.lower())
    assert told.token.isprintable()
