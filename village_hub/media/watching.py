"""A WHEP session of this node, and the reading of offers into errors that HTTP knows."""

from dataclasses import dataclass, field

from village_core.media.viewer import Viewer
from village_core.transport import Choice, Offer, SdpError, ServerSession, sdp
from village_core.transport.signalling import SessionUrl
from village_hub.access.facts import Permit
from village_hub.errors import BadRequest, HubError, Unprocessable
from village_hub.media.feed import Feed


@dataclass(slots=True, kw_only=True)
class Watching:
    """One viewer. `ends_at` is the permit's end on the monotonic clock."""

    id: str
    credential: str
    permit: Permit
    ends_at: float
    node: str | None
    viewer: Viewer
    session: ServerSession
    url: SessionUrl
    wants: set[Feed] = field(default_factory=set)

    def end(self, reason: str) -> None:
        self.viewer.end(reason)
        self.session.close(reason)


def read_offer(text: str) -> Offer:
    """Raises BadRequest or Unprocessable with the sentence that names what is wrong."""
    try:
        return sdp.read_offer(text)
    except SdpError as error:
        raise refused_offer(error) from error


def choose_to_send(offer: Offer, profile: str | None, audio: str | None) -> list[Choice]:
    try:
        return sdp.choose_to_send(offer, profile, audio)
    except SdpError as error:
        raise refused_offer(error) from error


def choose_to_receive(offer: Offer) -> list[Choice]:
    try:
        return sdp.choose_to_receive(offer)
    except SdpError as error:
        raise refused_offer(error) from error


def refused_offer(error: SdpError) -> HubError:
    kind = Unprocessable if error.status == 422 else BadRequest
    return kind(str(error), code="sdp")
