"""Which of the offered codecs are used, and whether an offer fits WHEP or WHIP (MED-13, MED-16)."""

import secrets
from collections.abc import Callable

from village_core.media.packet import Kind
from village_core.transport.sdp_model import Choice, Codec, Offer, SdpError, Section

AUDIO = {"pcma": 8000, "pcmu": 8000, "opus": 48_000}
TO_US = ("sendonly", "sendrecv")
TO_THEM = ("recvonly", "sendrecv")
BASELINE_10 = "42000a"  # RFC 6184 section 8.1: what no profile-level-id means
CONSTRAINED_BASELINE = 0x42E000
_CONSTRAINED = 0x40  # constraint_set1_flag of profile_idc 66
_PUBLISHED_AUDIO = ("opus", "pcma", "pcmu")


def new_ssrc() -> int:
    return secrets.randbits(32) or 1


def choose_to_send(offer: Offer, profile_level_id: str | None, audio: str | None) -> list[Choice]:
    """WHEP: a choice for each kind the camera has and the viewer asks for; SSRCs are ours.

    `profile_level_id` of the camera's H.264 (None: no video), `audio` its codec's name. The rest of
    the offer is answered with port 0. SdpError 422: nothing could be shown to this viewer.
    """
    _directions(offer, TO_THEM, "recvonly")
    choices = []
    for kind, pick in (
        (Kind.VIDEO, lambda section: h264(section, profile_level_id)),
        (Kind.AUDIO, lambda section: audio_codec(section, audio)),
    ):
        section, codec = _first(offer, kind, pick)
        if section and codec:
            choices.append(_sent(section, kind, codec))
    if profile_level_id is not None and not any(each.kind == Kind.VIDEO for each in choices):
        raise SdpError("the offer has no H.264 with packetization-mode=1 to receive", 422)
    if not choices:
        raise SdpError("the camera has nothing of what the offer asks for", 422)
    return choices


def choose_to_receive(offer: Offer) -> list[Choice]:
    """WHIP: one choice for every section, or SdpError 422 (RFC 9725 section 4.4: all or nothing).

    The SSRCs are the offer's; 0 when it names none.
    """
    _directions(offer, TO_US, "sendonly")
    choices: list[Choice] = []
    for section in offer.sections:
        if section.rejected:
            continue
        if section.kind not in (Kind.VIDEO, Kind.AUDIO):
            raise SdpError(f"only audio and video can be published, not {section.kind}", 422)
        kind = Kind(section.kind)
        if any(each.kind == kind for each in choices):
            raise SdpError(f"only one {kind} track can be published", 422)
        codec = _published(section, kind)
        if codec is None:
            raise SdpError(
                f"the {kind} must be "
                + ("H.264 with packetization-mode=1" if kind == Kind.VIDEO else "Opus or G.711"),
                422,
            )
        ssrc = section.ssrcs[0] if section.ssrcs else 0
        repair = repair_of(section, codec)
        choices.append(Choice(section.mid, kind, codec, ssrc, repair, section.repairs.get(ssrc)))
    return choices


def h264(section: Section, profile_level_id: str | None) -> Codec | None:
    """The payload type for a camera of this profile: the same, else constrained baseline, else any.

    Browsers offer no High (64xxxx), yet decode it when it comes as 42e01f (measured).
    """
    if profile_level_id is None:
        return None
    wanted = _profile(profile_level_id)
    usable = [
        each
        for each in section.codecs
        if each.name == "h264" and each.parameters.get("packetization-mode") == "1"
    ]

    def rank(codec: Codec) -> int:
        offered = _profile(codec.parameters.get("profile-level-id", BASELINE_10))
        return 0 if offered == wanted else 1 if offered == CONSTRAINED_BASELINE else 2

    return min(usable, key=rank, default=None)


def _profile(profile_level_id: str) -> int:
    """profile_idc and what matters of its constraints: 42 with set1 is constrained baseline."""
    try:
        value = int(profile_level_id, 16) if len(profile_level_id) == 6 else 0
    except ValueError:
        return 0
    idc, constraints = value >> 16, value >> 8 & 0xFF
    if idc == 0x42 and constraints & _CONSTRAINED:
        return CONSTRAINED_BASELINE
    return idc << 16


def audio_codec(section: Section, name: str | None) -> Codec | None:
    if name is None:
        return None
    wanted = name.lower()
    return next(
        (c for c in section.codecs if c.name == wanted and c.clock_rate == AUDIO.get(wanted)), None
    )


def repair_of(section: Section, codec: Codec) -> Codec | None:
    """The RTX payload type that repairs `codec` (RFC 4588 section 8.6)."""
    apt = str(codec.payload_type)
    return next(
        (c for c in section.codecs if c.name == "rtx" and c.parameters.get("apt") == apt), None
    )


def _published(section: Section, kind: Kind) -> Codec | None:
    if kind == Kind.VIDEO:
        return h264(section, "42e01f")
    return next(filter(None, (audio_codec(section, name) for name in _PUBLISHED_AUDIO)), None)


def _sent(section: Section, kind: Kind, codec: Codec) -> Choice:
    repair = repair_of(section, codec)
    return Choice(section.mid, kind, codec, new_ssrc(), repair, new_ssrc() if repair else None)


def _first(
    offer: Offer, kind: Kind, pick: Callable[[Section], Codec | None]
) -> tuple[Section | None, Codec | None]:
    for section in offer.of_kind(kind):
        if codec := pick(section):
            return section, codec
    return None, None


def _directions(offer: Offer, fitting: tuple[str, ...], wanted: str) -> None:
    for section in offer.sections:
        media = section.kind in (Kind.VIDEO, Kind.AUDIO) and not section.rejected
        if media and section.direction not in fitting:
            raise SdpError(f"a={section.direction} is not possible here: offer {wanted}", 422)
