"""SDP for WHIP and WHEP: read an offer, choose, write the answer."""

from village_core.transport.sdp_choose import choose_to_receive, choose_to_send, new_ssrc
from village_core.transport.sdp_model import (
    Answer,
    Candidate,
    Choice,
    Codec,
    Offer,
    SdpError,
    Section,
    Transport,
)
from village_core.transport.sdp_read import read_answer, read_offer
from village_core.transport.sdp_write import write_answer, write_offer
from village_core.transport.sdpfrag import Fragment, read_fragment, write_fragment

__all__ = [
    "Answer",
    "Candidate",
    "Choice",
    "Codec",
    "Fragment",
    "Offer",
    "SdpError",
    "Section",
    "Transport",
    "choose_to_receive",
    "choose_to_send",
    "new_ssrc",
    "read_answer",
    "read_fragment",
    "read_offer",
    "write_answer",
    "write_fragment",
    "write_offer",
]
