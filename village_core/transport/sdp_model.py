"""What offers and answers say (RFC 8866, RFC 9429), as values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from village_core.media.packet import Kind
from village_core.transport.dtls import Fingerprint

LARGEST_SDP = 64 * 1024  # bytes; Chromium's longest offers are about 8 KiB


class SdpError(Exception):
    """What is wrong with an offer, an answer or a fragment, in a sentence for its sender.

    `status`: 400 for what is malformed, 422 for what is well-formed but cannot be served.
    """

    def __init__(self, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True, slots=True)
class Codec:
    """One payload type of a section: rtpmap, fmtp and rtcp-fb."""

    payload_type: int
    name: str  # lower case: h264, rtx, pcma
    clock_rate: int
    channels: int = 1
    parameters: Mapping[str, str] = field(default_factory=dict)  # names in lower case
    feedback: tuple[str, ...] = ()  # "nack", "nack pli", "ccm fir"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One transport address (RFC 8839 section 5.1)."""

    host: str
    port: int
    priority: int
    foundation: str = "1"
    type: str = "host"
    transport: str = "udp"
    component: int = 1

    def __str__(self) -> str:
        return (
            f"candidate:{self.foundation} {self.component} {self.transport} {self.priority} "
            f"{self.host} {self.port} typ {self.type}"
        )


@dataclass(frozen=True, slots=True)
class PeerTransport:
    """The peer's end: ICE credentials, certificate fingerprints and DTLS role."""

    ufrag: str
    pwd: str = field(repr=False)
    fingerprints: tuple[Fingerprint, ...]
    setup: str


@dataclass(frozen=True, slots=True)
class Section:
    """One m-section. `kind` is a string: an offer may hold kinds that media does not know."""

    kind: str
    mid: str
    port: int
    protocol: str
    formats: str
    direction: str
    codecs: tuple[Codec, ...]
    rtcp_mux: bool
    bundle_only: bool = False
    ssrcs: tuple[int, ...] = ()
    repairs: Mapping[int, int] = field(default_factory=dict)  # SSRC -> its RTX SSRC (RFC 4588)
    msid: str | None = None
    transport: PeerTransport | None = None  # a bundled section may leave it to the first

    @property
    def rejected(self) -> bool:
        return self.port == 0 and not self.bundle_only


@dataclass(frozen=True, slots=True)
class Description:
    """What offer and answer have in common: the one bundled transport and its sections."""

    transport: PeerTransport  # of the section that carries the bundle
    sections: tuple[Section, ...]
    candidates: tuple[Candidate, ...] = ()
    lite: bool = False
    ended: bool = False  # a=end-of-candidates

    def of_kind(self, kind: Kind) -> Sequence[Section]:
        return [each for each in self.sections if each.kind == kind and not each.rejected]


@dataclass(frozen=True, slots=True)
class Choice:
    """How one section is used: its payload types, and the SSRCs of whoever sends it.

    `ssrc` is ours when we send; when we receive it is the offer's, or 0 if the offer names none.
    """

    mid: str
    kind: Kind
    codec: Codec
    ssrc: int
    repair: Codec | None = None  # the RTX payload type
    repair_ssrc: int | None = None


@dataclass(frozen=True, slots=True)
class Transport:
    """Our end of a session: what an answer or a fragment tells the peer."""

    ufrag: str
    pwd: str = field(repr=False)
    fingerprint: Fingerprint
    candidates: tuple[Candidate, ...]


class Offer(Description):
    """An offer that this package can answer."""

    __slots__ = ()

    def transport_of(self, choices: Sequence[Choice]) -> PeerTransport:
        """Of the first section that is accepted: it carries the bundle (RFC 9143 section 7.3)."""
        accepted = {choice.mid for choice in choices}
        found = (each.transport for each in self.sections if each.mid in accepted)
        return next(found, None) or self.transport


class Answer(Description):
    """Another server's answer to our offer."""

    __slots__ = ()
