"""A camera known by its ONVIF address: its streams asked for, its mask set, found when it moves.

What ONVIF cannot give is only a loss: streams named in the settings play without it.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit, urlunsplit

from pydantic import Field

from home_agent import onvif
from home_agent.camera import LOCKED_PAUSE, LOCKING, Camera
from home_agent.rtsp.digest import Credentials
from home_agent.rtsp.failure import SourceFailure
from home_agent.state import State, Stored
from village_core.clock import Clock
from village_core.permits import Quality
from village_core.troubles import Trouble

log = logging.getLogger(__name__)

FILE = "devices.json"
AGAIN = 15.0  # seconds until a camera that did not answer ONVIF is asked again
LOOK_EVERY = 5.0
MOVED_AFTER = 10.0  # seconds without a picture until the device is looked for elsewhere

Begin = Callable[[Mapping[Quality, str]], None]


class Devices(Stored):
    """Lasting ONVIF identities by camera key."""

    references: dict[str, str] = Field(default_factory=dict)


class OnvifCamera:
    """`run` is a job."""

    def __init__(self, camera: Camera, begin: Begin, state: State, clock: Clock) -> None:
        self._camera = camera
        self._begin = begin
        self._state = state
        self._clock = clock
        self._address = camera.config.onvif
        user, password = camera.credentials
        self._credentials = Credentials(user, password) if user else None

    @property
    def address(self) -> str:
        """Where the device is now."""
        return self._address

    async def run(self) -> None:
        """Ask, begin, and look after it until it has moved."""
        config = self._camera.config
        self._camera.endpoint_reference = await self._reference()
        self._begin(self._here({Quality.MAIN: config.main, Quality.SUB: config.sub}))
        try:
            await self._ask()
        except SourceFailure as failure:
            self._camera.fail(failure.trouble, failure.sentence)
            locking = failure.trouble in LOCKING
            await self._clock.sleep(LOCKED_PAUSE if locking else AGAIN)
            await self._follow()
            return
        await self._remember()
        await self._until_lost()
        await self._follow()

    async def _ask(self) -> None:
        found = await onvif.look(self._address, self._credentials)
        main, sub = onvif.main_and_sub(found)
        first = main or next((each for each in found.encodings if each.url), None)
        if first is None:
            raise SourceFailure(Trouble.NO_STREAM, "The camera names no stream by ONVIF.")
        camera = self._camera
        camera.snapshot = camera.config.snapshot or first.snapshot
        await self._mask(found, first.token)
        config = camera.config
        urls = {
            Quality.MAIN: config.main or first.url,
            Quality.SUB: config.sub or (sub.url if sub else ""),
        }
        self._begin(self._here(urls))

    async def _mask(self, found: onvif.Look, profile: str) -> None:
        """PRM-19: only a mask that the camera gives back as asked counts."""
        wanted = self._camera.config.mask
        if not wanted:
            return
        self._camera.masked_in_camera = False
        if not found.can_mask:
            log.warning("camera %s has no masks of its own", self._camera.key)
            return
        points = [[(x, y) for x, y in polygon] for polygon in wanted]
        try:
            await onvif.mask(self._address, self._credentials, profile, points)
        except SourceFailure as failure:
            log.warning("camera %s is unmasked: %s", self._camera.key, failure.sentence)
            return
        self._camera.masked_in_camera = True
        self._camera.changed()

    async def _remember(self) -> None:
        """Keep who the device is, to find it at another address."""
        if self._camera.endpoint_reference:
            return
        from home_agent.discovery import endpoint_reference_of  # heavy: only where it is needed

        reference = await endpoint_reference_of(_host(self._address))
        if reference:
            known = await asyncio.to_thread(self._state.read, FILE, Devices) or Devices()
            more = {**known.references, self._camera.key: reference}
            await asyncio.to_thread(self._state.write, FILE, Devices(references=more))
            self._camera.endpoint_reference = reference

    async def _reference(self) -> str:
        known = await asyncio.to_thread(self._state.read, FILE, Devices) or Devices()
        return known.references.get(self._camera.key, "")

    async def _until_lost(self) -> None:
        seen = self._clock.monotonic()
        while (now := self._clock.monotonic()) - seen < MOVED_AFTER:
            if self._camera.online:
                seen = now
            await self._clock.sleep(LOOK_EVERY)

    async def _follow(self) -> None:
        """CAM-2: a directed search for this device alone, any time."""
        reference = self._camera.endpoint_reference
        if not reference or self._camera.online:
            return
        from home_agent.discovery import find_again

        host = await find_again(reference)
        if host and host != _host(self._address):
            log.info("camera %s has moved to another address", self._camera.key)
            self._address = _moved(self._address, host)

    def _here(self, urls: Mapping[Quality, str]) -> dict[Quality, str]:
        """Addresses of the settings follow the device when it moves."""
        was, now = _host(self._camera.config.onvif), _host(self._address)
        return {
            quality: _moved(url, now) if url and urlsplit(url).hostname == was != now else url
            for quality, url in urls.items()
        }


def _host(address: str) -> str:
    return urlsplit(address if "://" in address else f"//{address}").hostname or ""


def _moved(address: str, host: str) -> str:
    """The same address at another host; ports and paths stay."""
    bare = "://" not in address
    parts = urlsplit(f"//{address}" if bare else address)
    shown = f"[{host}]" if ":" in host else host
    place = f"{shown}:{parts.port}" if parts.port else shown
    return place if bare else urlunsplit(parts._replace(netloc=place))
