"""What ONVIF can mend about a stream: another profile, no B-frames, a keyframe now."""

import logging
from urllib.parse import urlsplit

from home_agent import onvif
from home_agent.onvif import Encoding, Look
from home_agent.rtsp.digest import Credentials
from home_agent.rtsp.failure import SourceFailure
from village_core.clock import Clock

log = logging.getLogger(__name__)

KEYFRAME_PAUSE = 10.0  # seconds between two requests: each costs a helper process
FRESH = 60.0  # seconds that a look is good for


class Repairs:
    """For one stream of one camera. Nothing here raises: what cannot be mended stays."""

    def __init__(self, address: str, credentials: Credentials | None, clock: Clock) -> None:
        self._address = address
        self._credentials = credentials
        self._clock = clock
        self._look: Look | None = None
        self._looked_at = 0.0
        self._asked_at = float("-inf")

    async def h264_url(self, url: str) -> str | None:
        """Another stream of the camera, in H.264; None when it has none (MED-16)."""
        found = await self._encodings()
        others = [each for each in found if each.codec == "H264" and not _same(each.url, url)]
        others.sort(key=lambda each: (bool(each.b_frames), -each.width * each.height))
        return others[0].url if others else None

    async def without_b_frames(self, url: str) -> str | None:
        """Switches B-frames off; gives the URL to play from, None when nothing can be done.

        A camera that will not switch them off may have another stream without.
        """
        found = await self._encodings()
        mine = next((each for each in found if _same(each.url, url)), None)
        if mine is not None and await self._set_plain(mine):
            return url
        others = [e for e in found if e.codec == "H264" and e.b_frames is False and e != mine]
        return max(others, key=lambda e: e.width * e.height).url if others else None

    def may_ask_for_keyframe(self) -> bool:
        return self._clock.monotonic() - self._asked_at >= KEYFRAME_PAUSE

    async def keyframe(self, url: str) -> None:
        """SetSynchronizationPoint (CAM-4)."""
        self._asked_at = self._clock.monotonic()
        found = await self._encodings()
        mine = next((each for each in found if _same(each.url, url)), None)
        if mine is None:
            return
        try:
            await onvif.synchronise(self._address, self._credentials, mine.token)
        except SourceFailure as failure:
            log.info("no keyframe by ONVIF: %s", failure)

    async def _set_plain(self, encoding: Encoding) -> bool:
        self._look = None
        try:
            await onvif.plain_h264(self._address, self._credentials, encoding.token)
        except SourceFailure as failure:
            log.info("B-frames stay on: %s", failure)
            return False
        return True

    async def _encodings(self) -> list[Encoding]:
        now = self._clock.monotonic()
        if self._look is None or now - self._looked_at > FRESH:
            try:
                self._look = await onvif.look(self._address, self._credentials)
            except SourceFailure as failure:
                log.info("ONVIF cannot be asked: %s", failure)
                return []
            self._looked_at = now
        return self._look.encodings


def _same(one: str, other: str) -> bool:
    """Whether two URLs name one stream, whatever they call the host."""
    a, b = urlsplit(one), urlsplit(other)
    return (a.path.rstrip("/"), a.query) == (b.path.rstrip("/"), b.query)
