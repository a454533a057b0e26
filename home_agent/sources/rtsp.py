"""A camera by RTSP: plays, watches for what goes wrong, and finds it again when it moved."""

import asyncio
import logging
import secrets
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from home_agent.presets import MAKERS_DEFAULT, is_default_password
from home_agent.rtsp.address import Address, read_address
from home_agent.rtsp.client import RtspClient
from home_agent.rtsp.digest import Credentials
from home_agent.sources.contract import SourceEvents, SourceFailure, SourceOptions
from home_agent.sources.intake import Counts
from home_agent.sources.observer import Observer
from home_agent.sources.playing import Playing, Timelines, make_plan
from home_agent.sources.repairs import Repairs
from village_core.clock import Clock
from village_core.jobs import Supervisor
from village_core.troubles import Trouble

log = logging.getLogger(__name__)

REPORT_EVERY = 5.0  # seconds between receiver reports (RFC 3550 section 6.2)
LOOK_EVERY = 1.0  # seconds between looks at what may have stopped
KEYFRAME_SOON = 3.0  # seconds: a camera that sent one less long ago sends the next by itself
_GONE = (Trouble.NO_ROUTE, Trouble.REFUSED)


class _AgainError(Exception):
    """Connect again: something was mended."""


@dataclass(slots=True)
class _Due:
    """When the session needs what."""

    keep_alive: float
    report: float


class RtspSource:
    """rtsp:// and rtsps://; see contract.Source."""

    def __init__(
        self,
        url: str,
        options: SourceOptions,
        events: SourceEvents,
        supervisor: Supervisor,
        clock: Clock,
    ) -> None:
        credentials = None
        if options.user:
            password = options.password.reveal() if options.password else ""
            credentials = Credentials(options.user, password)
        self._address = read_address(url, credentials)
        self._options = options
        self._events = events
        self._supervisor = supervisor
        self._clock = clock
        self._observer = Observer(events, clock)
        self._timelines = Timelines(clock)
        self._repairs: Repairs | None = None
        if options.onvif:
            self._repairs = Repairs(options.onvif, self._address.credentials, clock)
        self._playing: Playing | None = None
        self._plain = False  # transcode B-frames away
        self._reconnect = False  # something was mended
        self._udp = options.udp
        self._mended: set[Trouble] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._ssrc = secrets.randbits(32)
        self.signed_in_by: str | None = None  # "basic", "digest MD5", ...; None: not asked to
        self.counts = Counts()  # of the last connection's video

    @property
    def name(self) -> str:
        return self._address.url

    def request_keyframe(self) -> None:
        transcoder = self._playing.transcoder if self._playing else None
        if transcoder is not None and self._observer.transcoded:
            transcoder.request_keyframe()
            return
        last = self._observer.last_keyframe
        recent = last is not None and self._clock.monotonic() - last < KEYFRAME_SOON
        if self._repairs is not None and not recent and self._repairs.may_ask_for_keyframe():
            self._in_background("keyframe", self._repairs.keyframe(self.name))

    async def run(self) -> None:
        try:
            _refuse_default_password(self._address)
            await self._play_and_mend()
        except SourceFailure as failure:
            self._events.on_trouble(failure.trouble, failure.sentence)
            raise
        finally:
            for task in self._tasks:
                if not task.cancelling():  # a second time would cut its own clean-up short
                    task.cancel()

    async def _play_and_mend(self) -> None:
        while True:
            try:
                await self._play()
            except _AgainError:
                continue
            except SourceFailure as failure:
                if not await self._mend(failure.trouble):
                    raise

    async def _mend(self, trouble: Trouble) -> bool:
        """Whether there is now another address to try; each remedy is tried once a run."""
        if trouble in _GONE and self._options.endpoint_reference:
            return await self._find_again()
        return trouble is Trouble.H265_ONLY and await self._turn_to_h264()

    async def _turn_to_h264(self) -> bool:
        """The camera's own H.264 stream is better than transcoding (MED-16)."""
        if self._repairs is None or Trouble.H265_ONLY in self._mended:
            return False
        self._mended.add(Trouble.H265_ONLY)
        return self._turn_to(await self._repairs.h264_url(self.name))

    def _turn_to(self, url: str | None) -> bool:
        if url is None:
            return False
        self._address = read_address(url, self._address.credentials)
        log.info("the camera's stream %s is used instead", self.name)
        return True

    async def _find_again(self) -> bool:
        """A camera that DHCP moved answers to its EndpointReference (CAM-2)."""
        from home_agent.discovery import find_again  # mDNS is heavy: only where it is used

        host = await find_again(self._options.endpoint_reference)
        if host is None or host == self._address.host:
            return False
        log.info("the camera has moved from %s to %s", self._address.host, host)
        self._address = self._address.at_host(host)
        return True

    async def _play(self) -> None:
        self._reconnect = False
        self._observer.restart()
        client = RtspClient(self._address)
        try:
            async with asyncio.timeout(4 * self._options.stalled_after):
                description = await client.describe()
                plan = make_plan(description, self._options, plain=self._plain)
                if plan.hevc and await self._turn_to_h264():
                    raise _AgainError
                self._playing = Playing(plan, self._observer, self._timelines, self._events)
                await self._playing.set_up(client, udp=self._udp)
                await client.play(description)
            self.signed_in_by = client.scheme
            self.counts = self._playing.intakes[0][1].numbers.counts
            await self._watch(client, self._playing)
        except TimeoutError as error:
            raise SourceFailure(
                Trouble.STALLED, "The camera takes too long to begin to play."
            ) from error
        finally:
            playing, self._playing = self._playing, None
            await client.close()
            if playing is not None:
                await playing.end()

    async def _watch(self, client: RtspClient, playing: Playing) -> None:
        """Until the camera is lost, stalls or is mended: raises SourceFailure or _AgainError."""
        now = began = self._clock.monotonic()
        due = _Due(now + client.keep_alive_every, now + REPORT_EVERY)
        ends: list[asyncio.Future[SourceFailure]] = [client.connection.lost]
        if playing.transcoder is not None:
            reading = self._started("transcoder", playing.transcoder.run())
            self._tasks.add(reading)
            ends.append(reading)
        told = False
        while True:
            await asyncio.wait(ends, timeout=LOOK_EVERY, return_when=asyncio.FIRST_COMPLETED)
            for end in ends:
                if end.done():
                    raise end.result()
            now = self._clock.monotonic()
            self._check_for_stall(now - (self._observer.last_unit or began))
            late = now - (self._observer.last_keyframe or began) > self._options.keyframe_within
            if late and not told:
                self._tell_no_keyframes()
            told = late
            self._notice()
            await self._tend(client, playing, due, now)

    def _check_for_stall(self, silence: float) -> None:
        if silence <= self._options.stalled_after:
            return
        if self._udp and self.counts.packets == 0:
            log.info("no packet of %s came by UDP: TCP is used", self.name)
            self._udp = False
            raise _AgainError
        raise SourceFailure(
            Trouble.STALLED, f"The camera is connected but sent no picture for {silence:.0f} s."
        )

    def _tell_no_keyframes(self) -> None:
        self._events.on_trouble(
            Trouble.NO_KEYFRAMES,
            f"The camera sent no keyframe for {self._options.keyframe_within:.0f} s: set its"
            " keyframe (I-frame) interval to 2 s.",
        )
        self.request_keyframe()

    def _notice(self) -> None:
        """What the pictures have shown of themselves: once, in the background."""
        described = self._observer.described
        if described is None:
            return
        if described.has_b_frames and Trouble.B_FRAMES not in self._mended:
            self._mended.add(Trouble.B_FRAMES)
            self._in_background("B-frames", self._mend_b_frames())
        if self._reconnect:
            raise _AgainError

    async def _mend_b_frames(self) -> None:
        """In the camera, by its other stream, or by transcoding where that is switched on."""
        url = await self._repairs.without_b_frames(self.name) if self._repairs else None
        self._plain = url is None and self._options.transcode
        self._reconnect = self._turn_to(url) or self._plain

    async def _tend(self, client: RtspClient, playing: Playing, due: _Due, now: float) -> None:
        """What the session needs to live on."""
        if now >= due.keep_alive:
            due.keep_alive = now + client.keep_alive_every
            await client.keep_alive()
        if now >= due.report:
            due.report = now + REPORT_EVERY
            for receiving, intake in playing.intakes:
                if report := intake.numbers.report(self._ssrc):
                    client.report(receiving, report)

    def _in_background(self, what: str, work: Coroutine[Any, Any, Any]) -> None:
        self._tasks.add(self._started(what, work))

    def _started(self, what: str, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        task = self._supervisor.once(f"{what} of {self.name}", work)
        task.add_done_callback(self._tasks.discard)
        return task


def _refuse_default_password(address: Address) -> None:
    """CAM-8."""
    account = address.credentials
    if account is not None and is_default_password(account.user, account.password):
        raise SourceFailure(Trouble.DEFAULT_PASSWORD, MAKERS_DEFAULT)
