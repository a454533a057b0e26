"""Asks an ONVIF camera, through a helper process that ends: the service descriptions are heavy.

Media2 (Profile T) first, then Media1 (Profile S); HTTP Digest first, then WS-UsernameToken (CAM-3,
CAM-4). Nothing personal is asked for, and nothing is changed but what is named here.
"""

import asyncio
import contextlib
import sys
from typing import Literal, TypedDict, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from home_agent.presets import MAKERS_DEFAULT, is_default_password
from home_agent.rtsp.digest import Credentials
from home_agent.rtsp.failure import SourceFailure
from village_core.troubles import Trouble

HELPER = "home_agent.onvif_helper"
DEADLINE = 30.0  # seconds; a small camera takes one for each of a dozen questions
LARGEST_ANSWER = 1 << 20  # bytes

Polygon = list[tuple[float, float]]  # points, each 0 to 1 from the picture's top left
Task = Literal["look", "plain_h264", "synchronise", "mask", "make_viewer", "find_events"]


class Note(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Asked(Note):
    """To the helper, on its stdin."""

    task: Task
    address: str  # host, host:port, [IPv6]:port or the URL of the device service
    user: str = ""
    password: str = Field(default="", repr=False)
    profile: str = ""
    polygons: list[Polygon] = []
    new_user: str = ""
    new_password: str = Field(default="", repr=False)


class Encoding(Note):
    """One media profile of the camera, with the stream that it gives."""

    token: str
    name: str
    url: str  # rtsp:// or rtsps://, at the host that was asked; no credentials
    snapshot: str  # http(s) address of a JPEG, or ""
    codec: str  # "H264", "H265", "JPEG", ...
    width: int
    height: int
    fps: float | None
    gop: int | None  # pictures between keyframes
    profile: str  # "Baseline", "Main", "High", ... or ""
    b_frames: bool | None  # by what the camera says of itself; None: it does not say
    source: str  # token of the video source configuration, which masks belong to


class Look(Note):
    """What a camera says of itself."""

    maker: str
    model: str
    firmware: str
    skew_ms: int  # the camera's clock minus ours
    signed_in_by: Literal["nothing", "digest", "token"]
    media: Literal[1, 2]
    can_mask: bool
    may_administer: bool  # the account could do more than watch (CAM-8)
    encodings: list[Encoding]


class EventService(Note):
    """Where a camera's events are asked for."""

    url: str  # at the host that was asked
    skew_ms: int  # the camera's clock minus ours


class Told(Note):
    """From the helper, on its stdout: one of these."""

    trouble: Trouble | None = None
    sentence: str = ""
    look: Look | None = None
    encoding: Encoding | None = None
    polygons: list[Polygon] | None = None
    events: EventService | None = None


class Listen(Note):
    """To the helper that listens: the first line of its stdin."""

    address: str  # as the household typed it, with its pin
    service: EventService
    user: str = ""
    password: str = Field(default="", repr=False)


class InputState(Note):
    """One message of a camera about one of its alarm inputs."""

    token: str
    logical: bool | None  # LogicalState; None: it cannot be read
    operation: Literal["", "initialized", "changed", "deleted"]  # "": it does not say


class Heard(Note):
    """From the helper that listens: a line for each answer of the camera, or why no more comes."""

    trouble: Trouble | None = None
    sentence: str = ""
    first: bool = False  # the first answer of a subscription: how the inputs stand
    inputs: list[InputState] = []


T = TypeVar("T")


async def look(address: str, credentials: Credentials | None) -> Look:
    """Asks what the camera is and which streams it has. Raises SourceFailure."""
    asked = Asked(task="look", address=address, **_account(credentials))
    return _given((await _ask(asked)).look)


async def plain_h264(address: str, credentials: Credentials | None, profile: str) -> Encoding:
    """Sets a profile's encoder to H.264 without B-frames; gives it as read back.

    Raises SourceFailure, also when the camera cannot be set so.
    """
    account = _account(credentials)
    asked = Asked(task="plain_h264", address=address, profile=profile, **account)
    return _given((await _ask(asked)).encoding)


async def synchronise(address: str, credentials: Credentials | None, profile: str) -> None:
    """Asks for a keyframe (SetSynchronizationPoint). Raises SourceFailure."""
    account = _account(credentials)
    await _ask(Asked(task="synchronise", address=address, profile=profile, **account))


async def mask(
    address: str, credentials: Credentials | None, profile: str, polygons: list[Polygon]
) -> list[Polygon]:
    """Replaces the camera's own privacy masks; gives them as read back from it.

    An empty list removes them. Raises SourceFailure, also when the camera has no masks or took
    them otherwise than asked: the camera then counts as unmasked (PRM-19).
    """
    asked = Asked(
        task="mask",
        address=address,
        profile=profile,
        polygons=polygons,
        **_account(credentials),
    )
    return _given((await _ask(asked)).polygons)


async def find_events(address: str, credentials: Credentials | None) -> EventService:
    """Where the camera's events are asked for. Raises SourceFailure, also when it has none."""
    asked = Asked(task="find_events", address=address, **_account(credentials))
    return _given((await _ask(asked)).events)


async def make_viewer(address: str, administrator: Credentials, viewer: Credentials) -> None:
    """Makes an account that can only watch (CAM-8). Raises SourceFailure."""
    asked = Asked(
        task="make_viewer",
        address=address,
        new_user=viewer.user,
        new_password=viewer.password,
        **_account(administrator),
    )
    await _ask(asked)


def main_and_sub(found: Look) -> tuple[Encoding | None, Encoding | None]:
    """The H.264 encodings to use: the largest, and the smallest if it is another (MED-16).

    Those that may have B-frames come after those that have none.
    """
    usable = [each for each in found.encodings if each.codec == "H264" and each.url]
    usable.sort(key=lambda each: (bool(each.b_frames), -each.width * each.height))
    if not usable:
        return None, None
    main = usable[0]
    smaller = [each for each in usable if each.width * each.height < main.width * main.height]
    sub = min(smaller, key=lambda e: (bool(e.b_frames), e.width * e.height), default=None)
    return main, sub


def _given(value: T | None) -> T:
    if value is None:
        raise SourceFailure(Trouble.PROTOCOL, "The ONVIF helper gave no answer.")
    return value


class _Account(TypedDict):
    user: str
    password: str


def _account(credentials: Credentials | None) -> _Account:
    """Refuses what leaves the factory (CAM-8), before it is sent anywhere."""
    if credentials is None:
        return {"user": "", "password": ""}
    if is_default_password(credentials.user, credentials.password):
        raise SourceFailure(Trouble.DEFAULT_PASSWORD, MAKERS_DEFAULT)
    return {"user": credentials.user, "password": credentials.password}


async def _ask(asked: Asked) -> Told:
    return _read(await _run_helper(asked.model_dump_json().encode()))


def _read(answer: bytes) -> Told:
    try:
        told = Told.model_validate_json(answer)
    except ValidationError as error:
        raise SourceFailure(Trouble.PROTOCOL, "The ONVIF helper failed.") from error
    if told.trouble is not None:
        raise SourceFailure(told.trouble, told.sentence)
    return told


async def _run_helper(question: bytes) -> bytes:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        HELPER,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=LARGEST_ANSWER,
    )
    try:
        async with asyncio.timeout(DEADLINE):
            answer, _ = await process.communicate(question)
            return answer
    except TimeoutError as error:
        raise SourceFailure(
            Trouble.STALLED, f"The camera did not answer ONVIF within {DEADLINE:.0f} s."
        ) from error
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.communicate()
