"""Our own offers and answers (RFC 9429, RFC 9725, MED-9, MED-13, MED-14)."""

import ipaddress
import secrets
from collections.abc import Iterator, Sequence

from village_core.transport.sdp_model import Choice, Codec, Offer, Section, Transport

# What the media layer understands; a peer's other feedback is not agreed to.
FEEDBACK = ("nack", "nack pli", "ccm fir", "goog-remb")
PROFILE = "UDP/TLS/RTP/SAVPF"


def write_answer(
    offer: Offer, choices: Sequence[Choice], transport: Transport, direction: str
) -> str:
    """The answer of an ICE-lite DTLS server: `direction` is "sendonly" (WHEP) or "recvonly" (WHIP).

    Sections without a choice are rejected with port 0. All candidates are here, none will follow.
    """
    by_mid = {choice.mid: choice for choice in choices}
    stream = secrets.token_hex(8)
    lines = [
        *_head([s.mid for s in offer.sections if s.mid in by_mid and not s.rejected]),
        "a=ice-lite",
        "a=ice-options:trickle ice2",
        f"a=msid-semantic:WMS {stream}" if direction == "sendonly" else "a=msid-semantic:WMS",
    ]
    first = True
    for section in offer.sections:
        choice = by_mid.get(section.mid)
        if choice is None or section.rejected:
            lines += _rejected(section, transport)
            continue
        codecs = [choice.codec, *([choice.repair] if choice.repair else [])]
        lines += _section(choice, section.protocol, codecs, transport, direction, "passive")
        lines += [
            f"a=rtcp-fb:{choice.codec.payload_type} {each}"
            for each in _fed(choice.codec, direction)
        ]
        if direction == "sendonly":
            lines += _source(choice, stream)
        if first:
            lines += [*(f"a={each}" for each in transport.candidates), "a=end-of-candidates"]
        first = False
    return _text(lines)


def write_offer(choices: Sequence[Choice], transport: Transport) -> str:
    """A WHIP client's offer: sendonly, max-bundle, no header extensions (RFC 9725 section 4.2)."""
    stream = secrets.token_hex(8)
    lines = [*_head([choice.mid for choice in choices]), "a=ice-options:ice2"]
    lines.append(f"a=msid-semantic:WMS {stream}")
    for index, choice in enumerate(choices):
        codecs = [choice.codec, *([choice.repair] if choice.repair else [])]
        lines += _section(choice, PROFILE, codecs, transport, "sendonly", "actpass")
        lines += [f"a=rtcp-fb:{choice.codec.payload_type} {each}" for each in choice.codec.feedback]
        lines += _source(choice, stream)
        if index == 0:
            lines += [*(f"a={each}" for each in transport.candidates)]
    return _text(lines)


def _head(mids: Sequence[str]) -> list[str]:
    return [
        "v=0",
        f"o=- {secrets.randbits(62)} 1 IN IP4 0.0.0.0",
        "s=-",
        "t=0 0",
        f"a=group:BUNDLE {' '.join(mids)}",
    ]


def _section(
    choice: Choice,
    protocol: str,
    codecs: Sequence[Codec],
    transport: Transport,
    direction: str,
    setup: str,
) -> list[str]:
    host, port = _default(transport)
    formats = " ".join(str(codec.payload_type) for codec in codecs)
    return [
        f"m={choice.kind} {port} {protocol} {formats}",
        f"c=IN IP{ipaddress.ip_address(host).version} {host}",
        f"a=mid:{choice.mid}",
        f"a={direction}",
        *_path(transport, setup),
        "a=rtcp-mux-only",
        "a=rtcp-rsize",
        *(line for codec in codecs for line in _codec(codec)),
    ]


def _default(transport: Transport) -> tuple[str, int]:
    if not transport.candidates:
        return "0.0.0.0", 9  # noqa: S104 - SDP for "not known yet" (RFC 8839 section 4.1.1.3)
    return transport.candidates[0].host, transport.candidates[0].port


def _codec(codec: Codec) -> Iterator[str]:
    channels = f"/{codec.channels}" if codec.channels > 1 else ""
    name = (
        "H264"
        if codec.name == "h264"
        else codec.name
        if codec.name in ("rtx", "opus")
        else codec.name.upper()
    )
    yield f"a=rtpmap:{codec.payload_type} {name}/{codec.clock_rate}{channels}"
    if codec.parameters:
        text = ";".join(f"{name}={value}" for name, value in codec.parameters.items())
        yield f"a=fmtp:{codec.payload_type} {text}"


def _fed(codec: Codec, direction: str) -> list[str]:
    wanted = FEEDBACK if direction == "sendonly" else FEEDBACK[:3]  # we read REMB, and write none
    return [each for each in wanted if each in codec.feedback]


def _source(choice: Choice, stream: str) -> list[str]:
    lines = [f"a=msid:{stream} {choice.kind}"]
    if choice.repair_ssrc is not None:
        lines.append(f"a=ssrc-group:FID {choice.ssrc} {choice.repair_ssrc}")
    ours = [choice.ssrc] if choice.repair_ssrc is None else [choice.ssrc, choice.repair_ssrc]
    return lines + [f"a=ssrc:{ssrc} cname:{stream}" for ssrc in ours]


def _rejected(section: Section, transport: Transport) -> list[str]:
    """Port 0 (RFC 9429 section 5.3.1); aiortc wants a transport and codecs even there."""
    return [
        f"m={section.kind} 0 {section.protocol} {section.formats}",
        "c=IN IP4 0.0.0.0",
        *([f"a=mid:{section.mid}"] if section.mid else []),
        "a=inactive",
        *_path(transport, "passive"),
        *(line for codec in section.codecs for line in _codec(codec)),
    ]


def _path(transport: Transport, setup: str) -> list[str]:
    return [
        f"a=ice-ufrag:{transport.ufrag}",
        f"a=ice-pwd:{transport.pwd}",
        f"a=fingerprint:{transport.fingerprint.algorithm} {transport.fingerprint.value}",
        f"a=setup:{setup}",
        "a=rtcp-mux",
    ]


def _text(lines: Sequence[str]) -> str:
    return "\r\n".join(lines) + "\r\n"
