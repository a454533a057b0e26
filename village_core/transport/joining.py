"""Between what was negotiated and the media layer: how a leg writes, how a receiver reads."""

from village_core.media.leg import Sending
from village_core.media.receiving import Receiving
from village_core.transport.sdp_model import Choice


def sending_of(choice: Choice) -> Sending:
    """How a leg writes to the peer of this choice; RTX (RFC 4588) when both sides have it."""
    repair = choice.repair
    return Sending(
        ssrc=choice.ssrc,
        payload_type=choice.codec.payload_type,
        clock_rate=choice.codec.clock_rate,
        rtx_ssrc=choice.repair_ssrc if repair else None,
        rtx_payload_type=repair.payload_type if repair else None,
    )


def receiving_of(choice: Choice) -> Receiving:
    """How a publisher's RTP of this choice is read."""
    repair = choice.repair
    return Receiving(
        payload_type=choice.codec.payload_type,
        clock_rate=choice.codec.clock_rate,
        rtx_payload_type=repair.payload_type if repair else None,
        kind=choice.kind,
    )
