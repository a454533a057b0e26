"""The event service of the ONVIF test camera: alarm inputs, told through pull points.

What it is asked is read, and all but the messages written, by the official descriptions; the
dialects are the differences that real cameras have.
"""

import asyncio
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web
from lxml import etree  # type: ignore[import-untyped]

from tests.cameras.onvif_fault import ENVELOPE, RefusalError

EVENTS = "http://www.onvif.org/ver10/events/wsdl"
WSNT = "http://docs.oasis-open.org/wsn/b-2"
WSA = "http://www.w3.org/2005/08/addressing"
TT = "http://www.onvif.org/ver10/schema"
TOPICS = "http://www.onvif.org/ver10/topics"
MAKER = "http://lantern.example/events"
CONCRETE = "http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet"
INPUT, RELAY = "Device/Trigger/DigitalInput", "Device/Trigger/Relay"


@dataclass(kw_only=True)
class EventDialect:
    """How this camera's events differ."""

    ends_after: int = 0  # answers after which a subscription is gone, whatever was renewed
    always_initial: bool = False  # each answer tells how all inputs stand, at once
    never_initial: bool = False  # and no SetSynchronizationPoint
    late: float = 0.0  # seconds that an answer comes after its time
    junk: bytes = b""  # instead of an answer to PullMessages
    status: int = 200  # of the junk
    renews: bool = True
    relative: bool = True  # takes a duration as InitialTerminationTime
    grants: float = 0.0  # seconds a subscription lasts, instead of what is asked for
    by_parameter: bool = False  # subscriptions are told apart by a reference parameter
    room: int = 4  # subscriptions at a time
    prefix: str = "tns1"  # of the topics' namespace
    operation: bool = True  # says whether a state is initial or changed
    token_name: str = "InputToken"
    state_name: str = "LogicalState"
    twice: bool = False  # tells every change twice


def key_of(envelope: Any, operation: str, request: web.Request) -> str:
    """Which subscription is meant: by the URL, or by its reference parameter.

    WS-Addressing is insisted on, as many cameras do.
    """
    header = envelope.find(f"{{{ENVELOPE}}}Header")
    action, to = (header.findtext(f"{{{WSA}}}{name}") or "" for name in ("Action", "To"))
    if not action.endswith(f"/{operation}Request") or not to.startswith("http"):
        raise RefusalError("ActionMismatch", f"{action} {to}")
    parameter = header.find(f"{{{MAKER}}}Subscription")
    if parameter is None:
        return str(request.query.get("id", ""))
    if parameter.get(f"{{{WSA}}}IsReferenceParameter") != "true":
        raise RefusalError("InvalidAddressingHeader")
    return str(parameter.text)


def written(described: Any, given: dict[str, Any] | bytes) -> bytes:
    """The response, by the official description but for its messages; or bytes as they are."""
    if isinstance(given, bytes):
        return given
    messages = given.pop("NotificationMessage", [])
    envelope = described.output.serialize(**given).content
    response = envelope.find(f"{{{ENVELOPE}}}Body")[0]
    response.extend(messages)
    return bytes(etree.tostring(envelope))


@dataclass
class Message:
    topic: str
    token: str
    state: str
    operation: str

    def element(self, dialect: EventDialect, now: datetime) -> Any:
        prefix = dialect.prefix
        whole = etree.Element(f"{{{WSNT}}}NotificationMessage", nsmap={prefix: TOPICS})
        topic = etree.SubElement(whole, f"{{{WSNT}}}Topic", Dialect=CONCRETE)
        topic.text = f"{prefix}:{self.topic}"
        outer = etree.SubElement(whole, f"{{{WSNT}}}Message")
        inner = etree.SubElement(outer, f"{{{TT}}}Message", UtcTime=f"{now:%Y-%m-%dT%H:%M:%SZ}")
        if dialect.operation:
            inner.set("PropertyOperation", self.operation)
        names = {"Source": dialect.token_name, "Data": dialect.state_name}
        for part, value in (("Source", self.token), ("Data", self.state)):
            items = etree.SubElement(inner, f"{{{TT}}}{part}")
            etree.SubElement(items, f"{{{TT}}}SimpleItem", Name=names[part], Value=value)
        return whole


@dataclass
class Subscription:
    until: float  # on the loop's clock
    queue: list[Message] = field(default_factory=list)
    answers: int = 0
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, *messages: Message) -> None:
        self.queue += messages
        self.wake.set()


class EventService:
    """`inputs` is how the camera's contacts stand; `turn` changes one."""

    def __init__(self, **inputs: bool) -> None:
        self.inputs = inputs
        self.dialect = EventDialect()
        self.subscriptions: dict[str, Subscription] = {}
        self.made = 0

    def turn(self, token: str, *states: bool) -> None:
        """Tells each state, one after the other, at once."""
        for state in states:
            self.inputs[token] = state
            said = Message(INPUT, token, str(state).lower(), "Changed")
            self.tell(*[said] * (2 if self.dialect.twice else 1))

    def tell(self, *messages: Message) -> None:
        for each in self.subscriptions.values():
            each.put(*messages)

    def reboot(self) -> None:
        """All subscriptions are forgotten."""
        for each in self.subscriptions.values():
            each.wake.set()
        self.subscriptions.clear()

    async def answer(self, operation: str, asked: Any, key: str, url: str) -> Any:
        """What the response is made of: values, or bytes that are sent as they are."""
        if operation == "CreatePullPointSubscription":
            return self._create(asked, url)
        found = self.subscriptions.get(key)
        if found is None or found.until < self._now():
            self.subscriptions.pop(key, None)
            raise RefusalError("ResourceUnknown", "there is no such subscription", 400)
        match operation:
            case "PullMessages":
                return await self._pull(key, found, asked)
            case "SetSynchronizationPoint":
                self._synchronise(found)
            case "Renew":
                return self._renew(found, asked)
            case "Unsubscribe":
                del self.subscriptions[key]
                found.wake.set()
            case _:
                raise RefusalError("ActionNotSupported", operation, 500)
        return {}

    def _create(self, asked: Any, url: str) -> dict[str, Any]:
        wanted = asked.InitialTerminationTime
        if wanted is not None and not self.dialect.relative:
            raise RefusalError("UnacceptableInitialTerminationTimeFault", "absolute times only")
        if len(self.subscriptions) >= self.dialect.room:
            raise RefusalError("MaxPullPoints", "no room for more subscriptions", 500)
        key = secrets.token_hex(4)
        self.made += 1
        until = self._now() + self._seconds(wanted)
        made = self.subscriptions[key] = Subscription(until)
        if not self.dialect.never_initial:
            made.put(*self._standing())
        return {"SubscriptionReference": self._reference(key, url), **self._times(made)}

    def _reference(self, key: str, url: str) -> dict[str, Any]:
        if not self.dialect.by_parameter:
            return {"Address": f"{url}?id={key}"}
        parameter = etree.Element(f"{{{MAKER}}}Subscription")
        parameter.text = key
        return {"Address": url, "ReferenceParameters": {"_value_1": [parameter]}}

    def _seconds(self, wanted: Any) -> float:
        if self.dialect.grants:
            return self.dialect.grants
        given = str(wanted or "PT60S")
        assert given.startswith("PT"), given
        return float(given[2:].removesuffix("S"))

    def _times(self, subscription: Subscription) -> dict[str, Any]:
        now = datetime(2001, 2, 3, tzinfo=UTC)  # no camera's clock is to be leaned on
        left = timedelta(seconds=subscription.until - self._now())
        return {"CurrentTime": now, "TerminationTime": now + left}

    def _standing(self) -> Iterator[Message]:
        for token, state in self.inputs.items():
            yield Message(INPUT, token, str(state).lower(), "Initialized")

    def _synchronise(self, subscription: Subscription) -> None:
        if self.dialect.never_initial:
            raise RefusalError("ActionNotSupported", "no synchronization point", 500)
        subscription.queue[:] = [each for each in subscription.queue if each.operation == "Changed"]
        subscription.put(*self._standing())

    def _renew(self, subscription: Subscription, asked: Any) -> dict[str, Any]:
        if not self.dialect.renews:
            raise RefusalError("ActionNotSupported", "Renew is not there", 500)
        subscription.until = self._now() + self._seconds(asked.TerminationTime)
        return self._times(subscription)

    async def _pull(self, key: str, subscription: Subscription, asked: Any) -> Any:
        if self.dialect.junk:
            return self.dialect.junk
        if self.dialect.always_initial:
            subscription.put(*self._standing())
        await self._wait(subscription, asked.Timeout.total_seconds())
        if key not in self.subscriptions:
            raise RefusalError("ResourceUnknown", "there is no such subscription", 400)
        subscription.answers += 1
        if subscription.answers == self.dialect.ends_after:
            del self.subscriptions[key]
        sent = subscription.queue[: asked.MessageLimit]
        del subscription.queue[: asked.MessageLimit]
        if not subscription.queue:
            subscription.wake.clear()
        now = datetime.now(UTC)
        return self._times(subscription) | {
            "NotificationMessage": [each.element(self.dialect, now) for each in sent]
        }

    async def _wait(self, subscription: Subscription, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await subscription.wake.wait()
        except TimeoutError:
            await asyncio.sleep(self.dialect.late)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
