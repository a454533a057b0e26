"""A camera's session description (RFC 8866) with RTSP's control URLs (RFC 2326 appendix C.1)."""

import base64
import binascii
import re
from dataclasses import dataclass, field

MOST_LINES = 2000
MOST_MEDIA = 32
_STATIC = {0: ("PCMU", 8000), 8: ("PCMA", 8000), 14: ("MPA", 90000), 26: ("JPEG", 90000)}
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://")


class SdpSyntaxError(Exception):
    """The description cannot be read; the sentence says what is wrong."""


@dataclass(frozen=True, slots=True)
class Track:
    """One media line, with the first payload type that it offers."""

    kind: str  # "video", "audio", "application"
    payload_type: int
    codec: str  # upper case rtpmap name: H264, H265, PCMA, PCMU, OPUS, MPEG4-GENERIC; "" unknown
    clock_rate: int  # Hz
    channels: int
    parameters: dict[str, str]  # of fmtp, names in lower case
    control: str  # absolute URL for SETUP
    receive_only: bool  # the camera wants to hear, as a doorbell's back channel does
    frame_rate: float | None  # a=framerate

    @property
    def parameter_sets(self) -> list[bytes]:
        """SPS and PPS of sprop-parameter-sets (RFC 6184 section 8.1); damaged ones left out."""
        return _decoded(self.parameters.get("sprop-parameter-sets", "").split(","))

    @property
    def hevc_parameter_sets(self) -> list[bytes]:
        """VPS, SPS and PPS of the sprop parameters of RFC 7798 section 7.1."""
        names = ("sprop-vps", "sprop-sps", "sprop-pps")
        return _decoded(
            [text for name in names for text in self.parameters.get(name, "").split(",")]
        )


def _decoded(texts: list[str]) -> list[bytes]:
    sets = []
    for text in texts:
        try:
            # Some cameras drop the padding or end the list with a comma.
            sets.append(base64.b64decode(text + "=" * (-len(text) % 4), validate=True))
        except (binascii.Error, ValueError):
            continue
    return [each for each in sets if each]


@dataclass(frozen=True, slots=True)
class Description:
    control: str  # aggregate URL for PLAY, GET_PARAMETER and TEARDOWN
    tracks: list[Track]

    def first(self, kind: str) -> Track | None:
        """The first track of a kind that the camera sends."""
        return next((t for t in self.tracks if t.kind == kind and not t.receive_only), None)


@dataclass(slots=True)
class _Media:
    kind: str
    formats: list[str]
    attributes: list[tuple[str, str]] = field(default_factory=list)

    def value(self, name: str) -> str | None:
        return next((value for key, value in self.attributes if key == name), None)

    def of_format(self, name: str, payload_type: int) -> str | None:
        """The rest of `a=name:<payload type> <rest>`."""
        for key, value in self.attributes:
            number, _, rest = value.strip().partition(" ")
            if key == name and number == str(payload_type):
                return rest.strip()
        return None


def read_description(body: bytes, base: str) -> Description:
    """Reads SDP; `base` is the URL that control attributes are relative to.

    Raises SdpSyntaxError.
    """
    session, media = _read_lines(body)
    control = resolve(base, session.value("control") or "*")
    # ONVIF writes directions as the client's: a camera that says recvonly somewhere means it.
    onvif = any(each.value("recvonly") is not None for each in media)
    tracks = [_track(each, control, back_channels=onvif) for each in media]
    return Description(control, [track for track in tracks if track is not None])


def _read_lines(body: bytes) -> tuple[_Media, list[_Media]]:
    lines = body.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
    if len(lines) > MOST_LINES:
        raise SdpSyntaxError("the session description is too long")
    if not lines[0].startswith("v="):
        raise SdpSyntaxError("the session description does not begin with v=")
    session = _Media("session", [])
    media: list[_Media] = []
    for line in lines:
        kind, _, value = line.partition("=")
        if kind == "m":
            media.append(_read_media(value))
        elif kind == "a":
            name, _, rest = value.partition(":")
            (media[-1] if media else session).attributes.append((name.strip().lower(), rest))
    if len(media) > MOST_MEDIA:
        raise SdpSyntaxError("the session description has too many media")
    return session, media


def _read_media(value: str) -> _Media:
    words = value.split()
    if len(words) < 4:
        raise SdpSyntaxError("an m= line has fewer than four words")
    return _Media(words[0].lower(), words[3:])


def _track(media: _Media, session_control: str, *, back_channels: bool) -> Track | None:
    number = media.formats[0]
    if not (number.isascii() and number.isdigit() and int(number) < 128):
        return None
    payload_type = int(number)
    codec, clock_rate, channels = _encoding(media, payload_type)
    rate = media.value("framerate")
    return Track(
        kind=media.kind,
        payload_type=payload_type,
        codec=codec,
        clock_rate=clock_rate,
        channels=channels,
        parameters=_parameters(media.of_format("fmtp", payload_type) or ""),
        control=resolve(session_control, media.value("control") or "*"),
        receive_only=back_channels and media.value("sendonly") is not None,
        frame_rate=_positive(rate),
    )


def _encoding(media: _Media, payload_type: int) -> tuple[str, int, int]:
    """Codec, clock rate and channels of rtpmap, else of the static table (RFC 3551 section 6)."""
    text = media.of_format("rtpmap", payload_type)
    if text is None:
        codec, rate = _STATIC.get(payload_type, ("", 90000))
        return codec, rate, 1
    words = [*text.split("/"), "", ""]
    rate = int(words[1]) if words[1].isascii() and words[1].isdigit() else 0
    channels = int(words[2]) if words[2].isascii() and words[2].isdigit() else 1
    return words[0].strip().upper(), rate if 0 < rate < 1 << 31 else 90000, channels


def _parameters(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split(";"))
    return {name.strip().lower(): value.strip() for name, _, value in pairs if name.strip()}


def _positive(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if 0 < value < 1000 else None


def resolve(base: str, control: str) -> str:
    """A control attribute as an absolute URL.

    Cameras expect it appended to the base, query and all, as their own players do; RFC 3986
    resolution would drop the last segment of a base without a trailing slash.
    """
    control = control.strip()
    if control in ("", "*"):
        return base
    if _ABSOLUTE.match(control):
        return control
    return base + control if base.endswith("/") else f"{base}/{control.removeprefix('/')}"
