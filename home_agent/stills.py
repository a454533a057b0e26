"""One picture on demand: from the camera's snapshot address, else the newest keyframe, decoded.

What a mask hides must not show in a still either: a camera whose mask is burned in by transcoding
is never asked for its own snapshot.
"""

import asyncio
import io
import logging
from collections.abc import Callable
from fractions import Fraction
from urllib.parse import urlsplit

import aiohttp
import av

from home_agent.camera import Camera, Encoding
from home_agent.parent import Parent
from village_core.line import ParentError
from village_core.media import h264
from village_core.media.rfc6184 import Depacketiser
from village_core.messages import StillRequest
from village_core.permits import Quality

log = logging.getLogger(__name__)

LARGEST = 4 * 1024 * 1024  # bytes; what a hub takes
STALE = 2.0  # seconds: of an older keyframe a newer one is asked for, for the next still
WITHIN = aiohttp.ClientTimeout(total=6.0)
JPEG = b"\xff\xd8\xff"


class StillError(Exception):
    """There is no picture now; the sentence says why."""


STILL_ERRORS = (StillError, ParentError, aiohttp.ClientError, OSError, TimeoutError)


class Stills:
    """Takes and uploads."""

    def __init__(self, parent: Callable[[], Parent]) -> None:
        self._parent = parent
        self._decoding = asyncio.Lock()  # one at a time: a decoder takes tens of megabytes

    async def send(self, request: StillRequest, camera: Camera) -> None:
        """Take one and PUT it to where the hub said, with its ticket."""
        try:
            picture = await self.take(camera, request.permit.quality)
            await self._upload(request, picture)
        except STILL_ERRORS as error:
            log.warning("still of camera %s: %s", camera.key, error)

    async def take(self, camera: Camera, quality: Quality) -> bytes:
        """A JPEG. Raises one of STILL_ERRORS."""
        if camera.snapshot and not _mask_is_burned_in(camera):
            try:
                return await fetch(camera.snapshot, *camera.credentials)
            except STILL_ERRORS as error:
                log.info("camera %s gives no snapshot (%s)", camera.key, error)
        encoding = camera.live(quality) or next(
            (each for each in camera.encodings.values() if each.live), None
        )
        if encoding is None:
            raise StillError(camera.sentence or "the camera shows no picture")
        unit = newest_keyframe(encoding)
        async with self._decoding:
            return await asyncio.to_thread(decoded, unit)

    async def _upload(self, request: StillRequest, picture: bytes) -> None:
        _check_address(request.to.url)
        headers = {
            "Authorization": f"Bearer {request.to.ticket}",
            "Content-Type": "image/jpeg",
        }
        http = self._parent().line.http
        async with http.put(
            request.to.url, data=picture, headers=headers, allow_redirects=False
        ) as response:
            if not 200 <= response.status < 300:
                raise StillError(f"the hub answered {response.status} to the upload")


def _check_address(url: str) -> None:
    """A picture never leaves unencrypted; on loopback it does not leave."""
    try:
        parts = urlsplit(url)
        safe = parts.scheme == "https" or parts.hostname in ("127.0.0.1", "::1", "localhost")
    except ValueError:
        safe = False
    if not safe:
        raise StillError("the hub asked for an upload that is not by https")


def newest_keyframe(encoding: Encoding) -> bytes:
    """The picture that the stream keeps for its next viewer, in Annex B."""
    stream = encoding.stream
    age = stream.picture_age(stream.clock.monotonic())
    if age is None:
        stream.request_keyframe()
        raise StillError("the camera has sent no keyframe yet")
    if age > STALE:
        stream.request_keyframe()
    unpacker = Depacketiser(parameter_sets=list(stream.parameter_sets))
    for burst in stream.picture:
        for packet in burst.packets:
            if units := unpacker.feed(packet):
                return h264.to_annex_b(units[0].nals)
    raise StillError("the camera's keyframe is not whole yet")


def decoded(unit: bytes) -> bytes:
    """A JPEG of one access unit that decodes alone; for a thread. Raises StillError."""
    try:
        decoder = av.CodecContext.create("h264", "r")
        decoder.thread_count = 1
        frames = [*decoder.decode(av.Packet(unit)), *decoder.decode(None)]
        if not frames:
            raise StillError("the camera's keyframe does not decode")
        frame = frames[0].reformat(format="yuvj420p", dst_color_range="JPEG")
        encoder = av.CodecContext.create("mjpeg", "w")
        encoder.width, encoder.height = frame.width, frame.height
        encoder.pix_fmt, encoder.time_base = "yuvj420p", Fraction(1, 25)
        frame.pts = 0
        packets = [*encoder.encode(frame), *encoder.encode(None)]
    except av.FFmpegError as error:
        raise StillError("the camera's keyframe does not decode") from error
    out = io.BytesIO()
    for packet in packets:
        out.write(bytes(packet))
    return out.getvalue()


async def fetch(url: str, user: str, password: str) -> bytes:
    """The camera's own JPEG: by Digest, else by Basic when it asks for nothing better.

    Its certificate is its own: the LAN is trusted here no less than for plain HTTP.
    """
    digest = aiohttp.DigestAuthMiddleware(user, password) if user else None
    connector = aiohttp.TCPConnector(ssl=False)
    async with aiohttp.ClientSession(connector=connector, timeout=WITHIN) as http:
        middlewares = (digest,) if digest else ()
        async with http.get(url, middlewares=middlewares, allow_redirects=False) as response:
            if response.status != 401 or not user or not _asks_for_basic(response):
                return await _jpeg(response)
        basic = {"Authorization": aiohttp.encode_basic_auth(user, password)}
        async with http.get(url, headers=basic, allow_redirects=False) as response:
            return await _jpeg(response)


def _asks_for_basic(response: aiohttp.ClientResponse) -> bool:
    asked = [value.lower() for value in response.headers.getall("WWW-Authenticate", [])]
    return any(value.startswith("basic") for value in asked)


async def _jpeg(response: aiohttp.ClientResponse) -> bytes:
    if response.status != 200:
        raise StillError(f"the snapshot address answered {response.status}")
    data = bytearray()
    async for chunk in response.content.iter_chunked(65_536):
        data += chunk
        if len(data) > LARGEST:
            raise StillError("the snapshot is too large")
    if not data.startswith(JPEG):
        raise StillError("the snapshot address gave no JPEG")
    return bytes(data)


def _mask_is_burned_in(camera: Camera) -> bool:
    return bool(camera.config.mask) and not camera.masked_in_camera
