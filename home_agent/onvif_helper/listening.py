"""`python -m home_agent.onvif_helper.listening`: keeps a pull point at a camera and tells of it.

One question on stdin (`Listen`), then a line of JSON (`Heard`) for each answer of the camera, until
stdin ends: the subscription is then given back, since cameras have room for a few.
"""

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable

from pydantic import ValidationError

from home_agent.onvif import Heard, Listen
from home_agent.onvif_helper.device import UNREADABLE
from home_agent.onvif_helper.events import Refused, Subscription
from home_agent.onvif_helper.pull_point import LIFE, PullPoint
from home_agent.rtsp.failure import SourceFailure
from village_core.troubles import Trouble

WAIT = 10.0  # seconds the camera may wait for something to tell
FIRST_WAIT = 1.0  # how the inputs stand is there at once, or not at all
PACE = 0.5  # seconds between questions at least: some cameras never wait
GOODBYE = 1.0  # seconds for the last answer

Say = Callable[[Heard], None]


class Listener:
    """`run` ends with SourceFailure, or after `leave`, which another thread may call."""

    def __init__(self, asked: Listen, say: Say) -> None:
        self._asked = asked
        self._say = say
        self._point = PullPoint(asked)
        self._subscription: Subscription | None = None
        self._answers = 0  # of this subscription
        self._lasts = LIFE
        self._renew_at = 0.0
        self._left = threading.Event()

    def run(self) -> None:
        subscription = self._subscribe()
        while not self._left.is_set():
            began = time.monotonic()
            try:
                self._hear(subscription)
                subscription = self._keep(subscription)
            except Refused:
                if self._left.is_set():
                    return
                if not self._answers:  # a camera that takes no question is not asked on and on
                    raise
                subscription = self._subscribe()
            self._left.wait(max(0.0, PACE - (time.monotonic() - began)))

    def _subscribe(self) -> Subscription:
        made = self._subscription = self._point.subscribe()
        self._answers = 0
        self._lasting(made.seconds)
        with contextlib.suppress(Refused):  # most tell how all stands without being asked
            self._point.synchronise(made)
        return made

    def _lasting(self, seconds: float) -> None:
        self._lasts = min(seconds, LIFE)
        self._renew_at = time.monotonic() + self._lasts / 2

    def _hear(self, subscription: Subscription) -> None:
        wait = min(WAIT if self._answers else FIRST_WAIT, self._lasts / 3)
        inputs = self._point.pull(subscription, wait)
        self._answers += 1
        self._say(Heard(first=self._answers == 1, inputs=inputs))

    def _keep(self, subscription: Subscription) -> Subscription:
        """Renewed in time; where the camera cannot, a new one before the old one ends."""
        if time.monotonic() < self._renew_at:
            return subscription
        try:
            self._lasting(self._point.renew(subscription))
        except Refused:
            new = self._subscribe()
            with contextlib.suppress(SourceFailure):  # it ends by itself
                self._point.unsubscribe(subscription)
            return new
        return subscription

    def leave(self) -> None:
        """Gives the subscription back, on a connection of its own: the other one waits."""
        self._left.set()
        if self._subscription is not None:
            with contextlib.suppress(SourceFailure):  # it ends by itself
                PullPoint(self._asked, GOODBYE).unsubscribe(self._subscription)


def trouble_of(listener: Listener) -> Heard:
    """Runs it to its end; what that was, in words."""
    try:
        listener.run()
    except SourceFailure as failure:
        return Heard(trouble=failure.trouble, sentence=failure.sentence)
    except UNREADABLE:
        sentence = "The camera's answers about its events are not as the standard has them."
        return Heard(trouble=Trouble.PROTOCOL, sentence=sentence)
    return Heard(trouble=Trouble.PROTOCOL, sentence="The helper was told to end.")


def write(heard: Heard) -> None:
    with contextlib.suppress(BrokenPipeError):  # the agent has ended, and stdin says so, too
        sys.stdout.write(heard.model_dump_json() + "\n")
        sys.stdout.flush()


def main() -> None:
    try:
        asked = Listen.model_validate_json(sys.stdin.buffer.readline())
        listener = Listener(asked, write)
    except ValidationError:
        write(Heard(trouble=Trouble.PROTOCOL, sentence="The question to the helper is none."))
        return
    except SourceFailure as failure:
        write(Heard(trouble=failure.trouble, sentence=failure.sentence))
        return
    threading.Thread(target=_leave_with_stdin, args=(listener,), daemon=True).start()
    write(trouble_of(listener))
    listener.leave()
    os._exit(0)  # without another try to write what nobody reads


def _leave_with_stdin(listener: Listener) -> None:
    sys.stdin.buffer.read()
    listener.leave()
    os._exit(0)


if __name__ == "__main__":
    main()
