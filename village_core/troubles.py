"""Why a camera shows no picture: one closed list, shared by the agent, the hub and the pages."""

from enum import StrEnum


class Trouble(StrEnum):
    NO_ROUTE = "no_route"  # nothing answers at the address
    REFUSED = "refused"  # the device answers, but the port is closed
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - a code, not a secret
    DEFAULT_PASSWORD = "default_password"  # noqa: S105 - CAM-8: vendor default or blank
    NO_STREAM = "no_stream"  # no such path or profile
    H265_ONLY = "h265_only"
    UNSUPPORTED_CODEC = "unsupported_codec"
    B_FRAMES = "b_frames"
    NO_KEYFRAMES = "no_keyframes"
    STALLED = "stalled"  # connected, but no pictures arrive
    CLOCK_SKEW = "clock_skew"
    PROTOCOL = "protocol"  # the camera broke RTSP or ONVIF; the log has the detail
    CONNECTING = "connecting"
    PRIVACY_OFF = "privacy_off"  # the household's own switch
    AGENT_OFFLINE = "agent_offline"  # the home's box or line is down
