"""Reading SDP that somebody else wrote (RFC 8866): a refusal is an `SdpError` with a sentence."""

import ipaddress
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from village_core.transport.dtls import HASHES, Fingerprint
from village_core.transport.sdp_model import (
    LARGEST_SDP,
    Answer,
    Candidate,
    Codec,
    Description,
    Offer,
    PeerTransport,
    SdpError,
    Section,
)

D = TypeVar("D", bound=Description)

MOST_SECTIONS = 16
MOST_LINES = 2000
DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
STATIC = {  # RFC 3551 section 6: payload types that need no rtpmap
    0: Codec(0, "pcmu", 8000),
    8: Codec(8, "pcma", 8000),
    9: Codec(9, "g722", 8000),
}
MEDIA = ("audio", "video")
_TOKEN = re.compile(r"[!#-'*+\-./0-9A-Z^_`a-z{|}~]+")
_ICE = re.compile(r"[a-zA-Z0-9+/]+")
_DIGEST = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2})+")
_MEDIA_LINE = re.compile(r"([a-z]+) (\d{1,5})(?:/\d+)? ([A-Z/]+)((?: [^ ]+)+)", re.ASCII)


@dataclass(slots=True)
class Block:
    """The lines of the session part, or of one m-section."""

    media: str = ""
    attributes: list[tuple[str, str]] = field(default_factory=list)

    def all(self, name: str) -> Iterator[str]:
        return (value for key, value in self.attributes if key == name)

    def one(self, name: str) -> str | None:
        return next(self.all(name), None)

    def has(self, name: str) -> bool:
        return self.one(name) is not None


def read_offer(text: str) -> Offer:
    """An offer for WHIP or WHEP: one bundled transport, rtcp-mux, DTLS-SRTP."""
    offer = _read(text, Offer)
    if offer.lite:
        raise SdpError("an ICE-lite client cannot reach an ICE-lite server", 422)
    for section in offer.sections:
        if section.kind in MEDIA and not section.rejected:
            _check_offered(section)
    return offer


def read_answer(text: str) -> Answer:
    """A WHIP or WHEP server's answer."""
    return _read(text, Answer)


def _read(text: str, kind: type[D]) -> D:
    session, blocks = read_blocks(text)
    if not blocks:
        raise SdpError("the SDP has no m= line")
    sections = tuple(_section(session, block) for block in blocks)
    return kind(
        _carrier(session, sections),
        sections,
        tuple(candidates_of([session, *blocks])),
        lite=session.has("ice-lite"),
        ended=any(block.has("end-of-candidates") for block in [session, *blocks]),
    )


def read_blocks(text: str, *, fragment: bool = False) -> tuple[Block, list[Block]]:
    """Split into the session part and the m-sections. A fragment has no v= line (RFC 8840)."""
    if len(text) > LARGEST_SDP:
        raise SdpError(f"the SDP is longer than {LARGEST_SDP} characters")
    lines = [line for line in text.replace("\r\n", "\n").split("\n") if line]
    if len(lines) > MOST_LINES:
        raise SdpError(f"the SDP has more than {MOST_LINES} lines")
    if not fragment and (not lines or lines[0] != "v=0"):
        raise SdpError("the SDP does not begin with v=0")
    session, *blocks = _split(lines)
    if len(blocks) > MOST_SECTIONS:
        raise SdpError(f"the SDP has more than {MOST_SECTIONS} m-sections")
    return session, blocks


def _split(lines: list[str]) -> list[Block]:
    blocks = [Block()]
    for line in lines:
        if len(line) < 2 or line[1] != "=" or not line.isprintable():
            raise SdpError(f"this is no SDP line: {line[:40]!r}")
        if line[0] == "m":
            blocks.append(Block(line[2:]))
        elif line[0] == "a":
            name, _, value = line[2:].partition(":")
            blocks[-1].attributes.append((name, value))
    return blocks


def ice_of(session: Block, block: Block) -> tuple[str, str]:
    """Fragment and password, of the section or else of the session (RFC 8839 section 5.4)."""
    ufrag = block.one("ice-ufrag") or session.one("ice-ufrag")
    pwd = block.one("ice-pwd") or session.one("ice-pwd")
    if ufrag is None or pwd is None:
        raise SdpError("a=ice-ufrag or a=ice-pwd is missing")
    if not (4 <= len(ufrag) <= 256 and _ICE.fullmatch(ufrag)):
        raise SdpError("a=ice-ufrag must be 4 to 256 letters, digits, + or /")
    if not (22 <= len(pwd) <= 256 and _ICE.fullmatch(pwd)):
        raise SdpError("a=ice-pwd must be 22 to 256 letters, digits, + or /")
    return ufrag, pwd


def candidates_of(blocks: Iterable[Block]) -> Iterator[Candidate]:
    """UDP candidates of component 1 with an IP address; others (TCP, .local names) are left out."""
    for block in blocks:
        for value in block.all("candidate"):
            candidate = _candidate(value)
            if candidate is not None:
                yield candidate


def _candidate(value: str) -> Candidate | None:
    bits = value.split()
    if len(bits) < 8 or bits[6] != "typ":
        raise SdpError(f"this is no candidate: {value[:80]!r}")
    component, port = number(bits[1], 256, "component"), number(bits[5], 65_535, "port")
    priority = number(bits[3], 2**32 - 1, "candidate priority")
    if bits[2].lower() != "udp" or component != 1:
        return None
    try:
        ipaddress.ip_address(bits[4])
    except ValueError:
        return None
    return Candidate(bits[4], port, priority, bits[0], bits[7])


def number(text: str, most: int, what: str) -> int:
    """A decimal number of 0 to `most`."""
    if not (text.isascii() and text.isdigit()) or len(text) > 20 or int(text) > most:
        raise SdpError(f"{what} must be a number up to {most}, not {text[:20]!r}")
    return int(text)


def _section(session: Block, block: Block) -> Section:
    match = _MEDIA_LINE.fullmatch(block.media)
    if match is None:
        raise SdpError(f"this is no m= line: {block.media[:60]!r}")
    kind, port, protocol, formats = match.groups()
    mid = block.one("mid") or ""
    if mid and not _TOKEN.fullmatch(mid):
        raise SdpError(f"a=mid is no token: {mid[:20]!r}")
    ssrcs, repairs = _sources(block)
    return Section(
        kind,
        mid,
        number(port, 65_535, "the port of an m= line"),
        protocol,
        formats.strip(),
        _direction(session, block),
        _codecs(block, formats.split()) if kind in MEDIA else (),
        rtcp_mux=block.has("rtcp-mux"),
        bundle_only=block.has("bundle-only"),
        ssrcs=ssrcs,
        repairs=repairs,
        msid=block.one("msid"),
        transport=None if kind not in MEDIA else _transport(session, block),
    )


def _direction(session: Block, block: Block) -> str:
    for each in (block, session):
        for name, _ in each.attributes:
            if name in DIRECTIONS:
                return name
    return "sendrecv"  # RFC 8866 section 6.7


def _codecs(block: Block, formats: list[str]) -> tuple[Codec, ...]:
    offered = [number(each, 127, "a payload type") for each in formats]
    maps = dict(_by_type(block, "rtpmap"))
    parameters = {pt: _parameters(rest) for pt, rest in _by_type(block, "fmtp")}
    feedback = [each.partition(" ") for each in block.all("rtcp-fb")]
    codecs = []
    for pt in dict.fromkeys(offered):
        plain = _rtpmap(pt, maps[pt]) if pt in maps else STATIC.get(pt)
        if plain is None:
            continue  # unknown without a map: nothing to choose
        wanted = tuple(rest.strip().lower() for to, _, rest in feedback if to in ("*", str(pt)))
        codecs.append(
            Codec(pt, plain.name, plain.clock_rate, plain.channels, parameters.get(pt, {}), wanted)
        )
    return tuple(codecs)


def _by_type(block: Block, name: str) -> Iterator[tuple[int, str]]:
    for value in block.all(name):
        pt, _, rest = value.partition(" ")
        yield number(pt, 127, f"the payload type of a={name}"), rest.strip()


def _rtpmap(pt: int, value: str) -> Codec:
    name, *rest = value.split("/")
    if not _TOKEN.fullmatch(name) or not 1 <= len(rest) <= 2:
        raise SdpError(f"this is no a=rtpmap: {value[:40]!r}")
    rate = number(rest[0], 10_000_000, "a clock rate")
    channels = number(rest[1], 255, "a channel count") if len(rest) == 2 else 1
    return Codec(pt, name.lower(), rate, channels)


def _parameters(text: str) -> dict[str, str]:
    parts = (each.partition("=") for each in text.split(";") if each.strip())
    return {name.strip().lower(): value.strip() for name, _, value in parts}


def _sources(block: Block) -> tuple[tuple[int, ...], dict[int, int]]:
    ssrcs = dict.fromkeys(
        number(value.partition(" ")[0], 2**32 - 1, "an SSRC") for value in block.all("ssrc")
    )
    repairs = {}
    for value in block.all("ssrc-group"):
        semantics, *members = value.split()[:9] or [""]
        if semantics == "FID" and len(members) == 2:
            media, repair = (number(each, 2**32 - 1, "an SSRC") for each in members)
            repairs[media] = repair
    plain = tuple(each for each in ssrcs if each not in repairs.values())
    return plain, repairs


def _carrier(session: Block, sections: tuple[Section, ...]) -> PeerTransport:
    """The transport of the bundle: that of its first section (RFC 9143 section 7.2)."""
    mids = [each.mid for each in sections if each.mid]
    if len(set(mids)) != len(mids):
        raise SdpError("two m-sections have the same a=mid")
    live = [each for each in sections if not each.rejected]
    if not live:
        raise SdpError("the SDP rejects all its media", 422)
    groups = (value.split() for value in session.all("group"))
    bundle = next((each[1:] for each in groups if each[:1] == ["BUNDLE"]), [])
    if len(live) > 1 and not all(each.mid in bundle for each in live):
        raise SdpError("all media must be in one BUNDLE group (max-bundle)", 422)
    tagged = min(live, key=lambda each: bundle.index(each.mid) if each.mid in bundle else 0)
    if tagged.transport is None:
        raise SdpError("a=ice-ufrag, a=fingerprint or a=setup is missing")
    return tagged.transport


def _transport(session: Block, block: Block) -> PeerTransport | None:
    """None when the section says nothing of its transport, as a bundled one may."""
    names = ("ice-ufrag", "ice-pwd", "fingerprint", "setup")
    if not any(each.has(name) for name in names for each in (session, block)):
        return None
    ufrag, pwd = ice_of(session, block)
    return PeerTransport(ufrag, pwd, _fingerprints(session, block), _setup(session, block))


def _fingerprints(session: Block, block: Block) -> tuple[Fingerprint, ...]:
    found = []
    for value in [*block.all("fingerprint")] or [*session.all("fingerprint")]:
        algorithm, _, digest = value.partition(" ")
        if not _DIGEST.fullmatch(digest.strip()):
            raise SdpError("a=fingerprint is malformed")
        found.append(Fingerprint(algorithm.lower(), digest.strip().upper()))
    if not found:
        raise SdpError("a=fingerprint is missing")
    known = tuple(each for each in found if each.algorithm in HASHES)
    if not known:
        raise SdpError(f"a=fingerprint must use one of {', '.join(HASHES)}", 422)
    return known


def _setup(session: Block, block: Block) -> str:
    setup = block.one("setup") or session.one("setup")
    if setup not in ("actpass", "active", "passive"):
        raise SdpError("a=setup must be actpass, active or passive")
    return setup


def _check_offered(section: Section) -> None:
    if not section.mid:
        raise SdpError("a=mid is required in every m-section", 422)
    if section.transport is not None and section.transport.setup == "passive":
        raise SdpError("a=setup:passive in an offer leaves no DTLS client: offer actpass", 422)
    if not section.rtcp_mux:
        raise SdpError("a=rtcp-mux is required in every m-section", 422)
    if "SAVP" not in section.protocol:
        raise SdpError(f"media must be SRTP, not {section.protocol}", 422)
