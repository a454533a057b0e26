"""A pull point's envelopes: questions written, answers read without trust. No I/O.

Not by zeep, as the rest: one message that breaks the schema must not take an alarm with it, and a
process that goes on listening should not hold the service descriptions in memory.
ONVIF Core, Real-time Pull-Point Notification Interface; Device IO, DigitalInput State Change.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast

from lxml import etree  # type: ignore[import-untyped]

from home_agent.onvif import InputState
from home_agent.onvif_helper.soap import SOAP
from home_agent.rtsp.failure import SourceFailure
from village_core.troubles import Trouble

TEV = "http://www.onvif.org/ver10/events/wsdl"
WSNT = "http://docs.oasis-open.org/wsn/b-2"
WSA = "http://www.w3.org/2005/08/addressing"
TT = "http://www.onvif.org/ver10/schema"
TOPICS = "http://www.onvif.org/ver10/topics"
_BASE = "http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager"
CREATE = f"{TEV}/EventPortType/CreatePullPointSubscriptionRequest"
PULL = f"{TEV}/PullPointSubscription/PullMessagesRequest"
SYNCHRONISE = f"{TEV}/PullPointSubscription/SetSynchronizationPointRequest"
RENEW, UNSUBSCRIBE = f"{_BASE}/RenewRequest", f"{_BASE}/UnsubscribeRequest"

LARGEST = 512 * 1024  # bytes of an answer; a whole batch of messages takes some 30 KB
MOST_MESSAGES = 64  # asked for at a time
LONGEST_TOKEN = 64  # characters of a tt:ReferenceToken
MOST_PARAMETERS = 8  # reference parameters of a subscription
SHORTEST, LONGEST, USUAL = 2.0, 3600.0, 60.0  # seconds that a subscription may last
# What makers call it, besides the standard's first; the one item there is, under any other name.
TOKEN_NAMES = ("InputToken", "DigitalInputToken", "Token", "Index")
STATE_NAMES = ("LogicalState", "State", "Level")
TRUTH = {"true": True, "1": True, "false": False, "0": False}
_OPERATIONS = ("initialized", "changed", "deleted")

Operation = Literal["", "initialized", "changed", "deleted"]


class Refused(SourceFailure):
    """The camera answered with a SOAP fault, such as: there is no such subscription any more."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """Where it is asked (wsa:EndpointReference), and what is sent along for it to be known by."""

    to: str  # as the camera named it
    parameters: tuple[bytes, ...]  # XML elements
    seconds: float  # that it lasts from now


def create(seconds: float) -> Any:
    """`seconds` 0: as long as the camera likes."""
    body = etree.Element(f"{{{TEV}}}CreatePullPointSubscription", nsmap={"tev": TEV})
    if seconds:
        etree.SubElement(body, f"{{{TEV}}}InitialTerminationTime").text = _duration(seconds)
    return body


def pull(seconds: float) -> Any:
    body = etree.Element(f"{{{TEV}}}PullMessages", nsmap={"tev": TEV})
    etree.SubElement(body, f"{{{TEV}}}Timeout").text = _duration(seconds)
    etree.SubElement(body, f"{{{TEV}}}MessageLimit").text = str(MOST_MESSAGES)
    return body


def synchronise() -> Any:
    return etree.Element(f"{{{TEV}}}SetSynchronizationPoint", nsmap={"tev": TEV})


def renew(seconds: float) -> Any:
    body = etree.Element(f"{{{WSNT}}}Renew", nsmap={"wsnt": WSNT})
    etree.SubElement(body, f"{{{WSNT}}}TerminationTime").text = _duration(seconds)
    return body


def unsubscribe() -> Any:
    return etree.Element(f"{{{WSNT}}}Unsubscribe", nsmap={"wsnt": WSNT})


def _duration(seconds: float) -> str:
    return f"PT{seconds:g}S"


def envelope(body: Any, action: str, to: str, parameters: Iterable[bytes] = ()) -> Any:
    """With WS-Addressing headers, which many cameras insist on."""
    whole = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"s": SOAP, "wsa": WSA})
    header = etree.SubElement(whole, f"{{{SOAP}}}Header")
    etree.SubElement(header, f"{{{WSA}}}Action").text = action
    etree.SubElement(header, f"{{{WSA}}}MessageID").text = f"urn:uuid:{uuid.uuid4()}"
    etree.SubElement(header, f"{{{WSA}}}To").text = to
    for each in parameters:  # WS-Addressing 1.0, SOAP Binding, section 3
        parameter = _parsed(each)
        parameter.set(f"{{{WSA}}}IsReferenceParameter", "true")
        header.append(parameter)
    etree.SubElement(whole, f"{{{SOAP}}}Body").append(body)
    return whole


def read(content: bytes) -> Any:
    """The one element in an answer's Body.

    Raises SourceFailure(PROTOCOL): Refused for a fault.
    """
    if len(content) > LARGEST:
        raise _unreadable("is too large")
    answer = _parsed(content).find(f"{{{SOAP}}}Body/*")
    if answer is None:
        raise _unreadable("holds nothing")
    if answer.tag == f"{{{SOAP}}}Fault":
        raise Refused(Trouble.PROTOCOL, f"The camera refuses: {_reason(answer)}.")
    return answer


def _parsed(content: bytes) -> Any:
    """Entities stay what they are, nothing else is fetched, and no document type is taken."""
    parser = etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise _unreadable("is no XML") from error
    if root is None or root.getroottree().docinfo.doctype:
        raise _unreadable("is no XML of a camera's")
    return root


def _unreadable(why: str) -> SourceFailure:
    return SourceFailure(Trouble.PROTOCOL, f"The camera's answer about its events {why}.")


def _reason(fault: Any) -> str:
    said = " ".join("".join(each.itertext()) for each in fault.iter(f"{{{SOAP}}}Text"))
    codes = [_text(each).rpartition(":")[2] for each in fault.iter(f"{{{SOAP}}}Value")]
    return _clean(said, 120) or _clean(codes[-1] if codes else "", 120) or "no reason is given"


def _text(element: Any) -> str:
    return (element.text or "").strip() if element is not None else ""


def _clean(text: str, longest: int) -> str:
    return "".join(letter for letter in text if letter.isprintable()).strip()[:longest]


def read_subscription(answer: Any) -> Subscription:
    """Of a CreatePullPointSubscriptionResponse. Raises SourceFailure(PROTOCOL)."""
    reference = answer.find(f"{{{TEV}}}SubscriptionReference")
    to = _text(reference.find(f"{{{WSA}}}Address")) if reference is not None else ""
    if not to.startswith(("http://", "https://")):
        raise _unreadable("names no subscription")
    found = reference.find(f"{{{WSA}}}ReferenceParameters")
    parts = found.findall("*") if found is not None else []
    if len(parts) > MOST_PARAMETERS:
        raise _unreadable("names too many reference parameters")
    return Subscription(
        to, tuple(etree.tostring(each, with_tail=False) for each in parts), read_seconds(answer)
    )


def read_seconds(answer: Any) -> float:
    """How long a subscription lasts, by the camera's own clock, which may be wrong as a whole."""
    try:
        until, now = (
            datetime.fromisoformat(_text(answer.find(f"{{{WSNT}}}{name}")))
            for name in ("TerminationTime", "CurrentTime")
        )
        seconds = (until - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return USUAL
    return min(max(seconds, SHORTEST), LONGEST)


def read_inputs(answer: Any) -> list[InputState]:
    """What a PullMessagesResponse tells of alarm inputs, in order; other topics are left out.

    A message that cannot be read is told as such: a call for help must not vanish.
    """
    if answer.tag != f"{{{TEV}}}PullMessagesResponse":
        raise _unreadable("is another one's")
    return [
        _input(each)
        for each in answer.iter(f"{{{WSNT}}}NotificationMessage")
        if _is_alarm_input(each.find(f"{{{WSNT}}}Topic"))
    ]


def _is_alarm_input(topic: Any) -> bool:
    """tns1:Device/Trigger/DigitalInput, whatever prefix the camera gave to the topics' namespace.

    One that it did not declare counts by its usual name.
    """
    first, _, rest = _text(topic).partition("/")
    prefix, _, name = first.rpartition(":")
    if (name, rest) != ("Device", "Trigger/DigitalInput"):
        return False
    namespace = topic.nsmap.get(prefix or None)
    return namespace == TOPICS or (namespace is None and prefix == "tns1")


def _input(notification: Any) -> InputState:
    message = notification.find(f"{{{WSNT}}}Message/{{{TT}}}Message")
    said = message.get("PropertyOperation", "").lower() if message is not None else ""
    return InputState(
        # One character more than is allowed stays to tell it from one that is.
        token=_clean(_item(message, "Source", TOKEN_NAMES), LONGEST_TOKEN + 1),
        logical=TRUTH.get(_item(message, "Data", STATE_NAMES).strip().lower()),
        operation=cast(Operation, said) if said in _OPERATIONS else "",
    )


def _item(message: Any, part: str, names: tuple[str, ...]) -> str:
    """A SimpleItem's value by its name; "" when there is none."""
    if message is None:
        return ""
    items = message.findall(f"{{{TT}}}{part}/{{{TT}}}SimpleItem")
    for name in names:
        for each in items:
            if each.get("Name") == name:
                return str(each.get("Value", ""))
    return str(items[0].get("Value", "")) if len(items) == 1 else ""
