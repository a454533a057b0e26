"""What an ONVIF test camera is like, and how its profiles look in both media services."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Profile:
    """One media profile and the encoder behind it."""

    token: str
    url: str  # what GetStreamUri tells
    codec: str = "H264"
    width: int = 1280
    height: int = 720
    fps: int = 25
    gop: int = 50
    h264_profile: str = "Main"
    anchor: int | None = 1  # AnchorFrameDistance: 1 is no B-frames


@dataclass(kw_only=True)
class Dialect:
    """How this camera differs."""

    media1: bool = True
    media2: bool = True
    events: bool = True
    digest: str | None = "MD5"  # HTTP Digest algorithm, or None
    token: bool = True  # takes WS-UsernameToken
    skew: timedelta = timedelta()
    xaddr_host: str = ""  # what it believes to be its own address
    services: bool = True  # knows GetServices
    masks: bool = True
    keeps_masks: bool = True  # False: takes them and forgets them
    anchors: bool = True  # knows AnchorFrameDistance
    locked: bool = False  # takes no encoder settings
    administrator: bool = False  # the account is one


def media_uri(url: str) -> dict[str, Any]:
    never = {"InvalidAfterConnect": False, "InvalidAfterReboot": False, "Timeout": timedelta(0)}
    return {"Uri": url} | never


def profile1(profile: Profile) -> dict[str, Any]:
    encoder = {
        "token": f"e{profile.token}",
        "Name": "encoder",
        "UseCount": 1,
        "Encoding": profile.codec,
        "Resolution": {"Width": profile.width, "Height": profile.height},
        "Quality": 5.0,
        "RateControl": {
            "FrameRateLimit": profile.fps,
            "EncodingInterval": 1,
            "BitrateLimit": 2048,
        },
        "H264": {"GovLength": profile.gop, "H264Profile": profile.h264_profile},
        "Multicast": _multicast(),
        "SessionTimeout": timedelta(seconds=60),
    }
    return {
        "token": profile.token,
        "Name": profile.token,
        "VideoSourceConfiguration": _video_source(),
        "VideoEncoderConfiguration": encoder,
    }


def profile2(profile: Profile, wanted: set[str], dialect: Dialect) -> dict[str, Any]:
    parts: dict[str, Any] = {}
    if {"VideoSource", "All"} & wanted:
        parts["VideoSource"] = _video_source()
    if {"VideoEncoder", "All"} & wanted:
        parts["VideoEncoder"] = {
            "token": f"e{profile.token}",
            "Name": "encoder",
            "UseCount": 1,
            "Encoding": profile.codec,
            "Resolution": {"Width": profile.width, "Height": profile.height},
            "RateControl": {"FrameRateLimit": profile.fps, "BitrateLimit": 2048},
            "Quality": 5.0,
            "GovLength": profile.gop,
            "Profile": profile.h264_profile,
            "AnchorFrameDistance": profile.anchor if dialect.anchors else None,
        }
    return {"token": profile.token, "Name": profile.token, "Configurations": parts}


def _video_source() -> dict[str, Any]:
    return {
        "token": "source",
        "Name": "source",
        "UseCount": 2,
        "SourceToken": "lens",
        "Bounds": {"x": 0, "y": 0, "width": 1280, "height": 720},
    }


def _multicast() -> dict[str, Any]:
    address = {"Type": "IPv4", "IPv4Address": "0.0.0.0"}
    return {"Address": address, "Port": 0, "TTL": 1, "AutoStart": False}
