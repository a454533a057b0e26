"""`application/trickle-ice-sdpfrag` (RFC 8840 section 9, RFC 9725 section 4.3)."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from village_core.transport.sdp_model import Candidate, SdpError, Transport
from village_core.transport.sdp_read import candidates_of, ice_of, read_blocks
from village_core.transport.sdp_write import PROFILE

LARGEST_FRAGMENT = 16 * 1024  # characters


@dataclass(frozen=True, slots=True)
class Fragment:
    """What a PATCH tells: a generation's credentials (None when it names none), and candidates."""

    ufrag: str | None
    pwd: str | None = field(repr=False)
    mids: tuple[str, ...]
    candidates: tuple[Candidate, ...]


def read_fragment(text: str) -> Fragment:
    """SdpError 400: malformed."""
    if len(text) > LARGEST_FRAGMENT:
        raise SdpError(f"the fragment is longer than {LARGEST_FRAGMENT} characters")
    session, blocks = read_blocks(text, fragment=True)
    everything = [session, *blocks]
    if not any(block.attributes for block in everything):
        raise SdpError("the fragment has no attribute")
    named = next((b for b in everything if b.has("ice-ufrag") or b.has("ice-pwd")), None)
    ufrag, pwd = ice_of(session, named) if named else (None, None)
    mids = tuple(mid for block in blocks if (mid := block.one("mid")) is not None)
    return Fragment(ufrag, pwd, mids, tuple(candidates_of(everything)))


def write_fragment(transport: Transport, sections: Sequence[tuple[str, str]]) -> str:
    """Our end after an ICE restart; `sections` are the bundled (kind, mid) in order."""
    kind, mid = sections[0]
    lines = [
        "a=ice-lite",
        "a=ice-options:trickle ice2",
        f"a=group:BUNDLE {' '.join(each for _, each in sections)}",
        f"m={kind} 9 {PROFILE} 0",
        f"a=mid:{mid}",
        f"a=ice-ufrag:{transport.ufrag}",
        f"a=ice-pwd:{transport.pwd}",
        *(f"a={each}" for each in transport.candidates),
        "a=end-of-candidates",
    ]
    return "\r\n".join(lines) + "\r\n"
