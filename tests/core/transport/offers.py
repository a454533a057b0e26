"""Offers that the tests read, and our end of a session."""

from pathlib import Path

from village_core.transport.dtls import Fingerprint
from village_core.transport.sdp_model import Candidate, Transport

OFFERS = Path(__file__).with_name("captured")
CHROMIUM = (OFFERS / "chromium_watch.sdp").read_bytes().decode()
PUBLISHER = (OFFERS / "chromium_publish.sdp").read_bytes().decode()
OURS = Transport(
    "ourfrag",
    "ourpassword0123456789abcdef",
    Fingerprint("sha-256", ":".join(["AB"] * 32)),
    (Candidate("192.0.2.1", 8189, 2130706431), Candidate("2001:db8::1", 8189, 2130706175, "2")),
)


def small_offer(*lines: str, direction: str = "recvonly") -> str:
    """One video section with H.264; `lines` come at its end."""
    return "\r\n".join(
        [
            *("v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0", "a=group:BUNDLE 0"),
            "m=video 9 UDP/TLS/RTP/SAVPF 96",
            *("c=IN IP4 0.0.0.0", "a=mid:0", f"a={direction}", "a=rtcp-mux", "a=setup:actpass"),
            *("a=ice-ufrag:abcd", "a=ice-pwd:0123456789012345678901"),
            "a=fingerprint:sha-256 " + ":".join(["0F"] * 32),
            "a=rtpmap:96 H264/90000",
            "a=fmtp:96 profile-level-id=42e01f; packetization-mode=1",
            *lines,
            "",
        ]
    )


def attributes(text: str) -> list[list[str]]:
    """The lines of the session part and of each m-section."""
    parts: list[list[str]] = [[]]
    for line in text.strip().split("\r\n"):
        if line.startswith("m="):
            parts.append([])
        parts[-1].append(line)
    return parts
