"""WebRTC transport: the only package that touches aiortc, aioice and pylibsrtp."""

from village_core.transport import sdp
from village_core.transport.client import Push, PushMedia, PushSettings
from village_core.transport.door import PortError, PortSettings
from village_core.transport.dtls import Certificate
from village_core.transport.ice_servers import IceServer
from village_core.transport.lite import ServerSession, State
from village_core.transport.port import MediaPort
from village_core.transport.sdp import Choice, Offer, SdpError
from village_core.transport.whip import PushError

__all__ = [
    "Certificate",
    "Choice",
    "IceServer",
    "MediaPort",
    "Offer",
    "PortError",
    "PortSettings",
    "Push",
    "PushError",
    "PushMedia",
    "PushSettings",
    "SdpError",
    "ServerSession",
    "State",
    "sdp",
]
