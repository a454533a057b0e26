"""The event service of one device, asked on one connection."""

from typing import Any

from home_agent.onvif import InputState, Listen
from home_agent.onvif_helper import events
from home_agent.onvif_helper.device import Device
from home_agent.onvif_helper.events import Refused, Subscription
from home_agent.onvif_helper.soap import Reply
from home_agent.rtsp.failure import SourceFailure
from village_core.troubles import Trouble

LIFE = 60.0  # seconds asked for: what a box that lost its power leaves behind is soon forgotten
CONNECT, ANSWER = 5.0, 10.0  # seconds
LATE = 15.0  # seconds that an answer may come after the time that the camera was to wait
CONTENT = 'application/soap+xml; charset=utf-8; action="{}"'


class PullPoint:
    """Every call raises SourceFailure; Refused when the camera answers with a fault."""

    def __init__(self, asked: Listen, answer: float = ANSWER) -> None:
        self._asked = asked
        self._device = self._sign_up()
        self._url = asked.service.url
        self._answer = answer
        self._let_in = False  # since it signed up

    def _sign_up(self) -> Device:
        asked = self._asked
        device = Device(asked.address, asked.user, asked.password)
        device.transport.skew_ms = asked.service.skew_ms
        return device

    def subscribe(self) -> Subscription:
        try:
            answer = self._post(self._url, events.create(LIFE), events.CREATE, self._url)
        except Refused:  # some know absolute times only: then as long as it likes
            answer = self._post(self._url, events.create(0), events.CREATE, self._url)
        return events.read_subscription(answer)

    def synchronise(self, subscription: Subscription) -> None:
        """Asks for the state of everything (SetSynchronizationPoint)."""
        self._ask(subscription, events.synchronise(), events.SYNCHRONISE)

    def pull(self, subscription: Subscription, wait: float) -> list[InputState]:
        answer = self._ask(subscription, events.pull(wait), events.PULL, wait + LATE)
        return events.read_inputs(answer)

    def renew(self, subscription: Subscription) -> float:
        """The seconds that it lasts from now."""
        answer = self._ask(subscription, events.renew(LIFE), events.RENEW)
        return events.read_seconds(answer)

    def unsubscribe(self, subscription: Subscription) -> None:
        self._ask(subscription, events.unsubscribe(), events.UNSUBSCRIBE)

    def _ask(
        self, subscription: Subscription, body: Any, action: str, patience: float | None = None
    ) -> Any:
        to = subscription.to
        url = self._device.here(to)
        return self._post(url, body, action, to, subscription.parameters, patience)

    def _post(
        self,
        url: str,
        body: Any,
        action: str,
        to: str,
        parameters: tuple[bytes, ...] = (),
        patience: float | None = None,
    ) -> Any:
        whole = events.envelope(body, action, to, parameters)
        headers = {"Content-Type": CONTENT.format(action)}
        reply = self._send(url, whole, headers, patience or self._answer)
        try:
            return events.read(reply.content)
        except Refused:
            raise
        except SourceFailure as failure:
            if reply.status_code < 400:
                raise
            sentence = f"The camera answers with HTTP {reply.status_code} about its events."
            raise SourceFailure(Trouble.PROTOCOL, sentence) from failure

    def _send(self, url: str, whole: Any, headers: dict[str, str], patience: float) -> Reply:
        """Signs in anew when the camera forgot us: some then say that the password is wrong."""
        self._device.transport.patience = (min(CONNECT, self._answer), patience)
        try:
            reply = self._device.transport.post_xml(url, whole, headers)
        except SourceFailure as failure:
            if failure.trouble is not Trouble.WRONG_PASSWORD or not self._let_in:
                raise
            self._let_in = False
            self._device = self._sign_up()
            return self._send(url, whole, headers, patience)
        self._let_in = True
        return reply
