"""The rules of a WHIP or WHEP session's URL, without HTTP (RFC 9725 section 4; MED-1 to MED-9).

The hub and the agent's LAN page both answer with these: each call returns what to say, and their
HTTP layers say it. Who may ask is theirs to check first; a session that is not the caller's is 404.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from village_core.ids import new_secret
from village_core.transport.ice_servers import IceServer
from village_core.transport.lite import State
from village_core.transport.sdp_model import Choice, Offer, SdpError, Transport
from village_core.transport.sdpfrag import Fragment, read_fragment, write_fragment

SDP = "application/sdp"
SDPFRAG = "application/trickle-ice-sdpfrag"
EXPOSED = "Location, ETag, Link, Accept-Patch, Retry-After"
ANY = ("*", '"*"')  # HTTP writes the first (RFC 9110), RFC 9725 the second


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer. An error has a `detail` sentence instead of a body."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: str = field(default="", repr=False)
    detail: str = ""


class Session(Protocol):
    """What the rules need of a ServerSession."""

    @property
    def state(self) -> State: ...

    def restart_ice(self, peer_ufrag: str) -> Transport: ...

    def close(self, reason: str) -> None: ...


def preflight() -> Reply:
    """OPTIONS, without a token and without TURN credentials (MED-3, MED-4)."""
    return Reply(
        200,
        (
            ("Access-Control-Allow-Origin", "*"),
            ("Access-Control-Allow-Methods", "OPTIONS, GET, HEAD, POST, PATCH, DELETE"),
            ("Access-Control-Allow-Headers", "Authorization, Content-Type, If-Match"),
            ("Access-Control-Expose-Headers", EXPOSED),
            ("Access-Control-Max-Age", "3600"),
            ("Accept-Post", SDP),
            ("Accept-Patch", SDPFRAG),
        ),
    )


def post_type(content_type: str) -> Reply | None:
    """415 unless a POST brings an offer (MED-1)."""
    if _plain(content_type) == SDP:
        return None
    return Reply(415, (("Accept-Post", SDP),), detail=f"an offer must be sent as {SDP}")


def offer_refused(error: SdpError) -> Reply:
    """400 for malformed SDP, 422 for SDP that cannot be served."""
    return Reply(error.status, detail=str(error))


class SessionUrl:
    """One session as its URL's methods see it. `secret` is the last part of the URL (MED-2)."""

    def __init__(self, session: Session, offer: Offer, choices: Sequence[Choice]) -> None:
        self.secret = new_secret()
        self.etag = _new_etag()
        self._session = session
        self._sections = [(choice.kind.value, choice.mid) for choice in choices]
        transport = offer.transport_of(choices)
        self._peer = (transport.ufrag, transport.pwd)
        self._mids = {section.mid for section in offer.sections}

    @property
    def open(self) -> bool:
        return self._session.state != State.CLOSED

    def created(self, answer: str, location: str, servers: Sequence[IceServer] = ()) -> Reply:
        """201 with the answer (MED-1, MED-8, MED-11)."""
        headers = [
            ("Content-Type", SDP),
            ("Location", location),
            ("ETag", self.etag),
            ("Accept-Patch", SDPFRAG),
            ("Access-Control-Expose-Headers", EXPOSED),
            *(("Link", server.link()) for server in servers),
        ]
        return Reply(201, tuple(headers), answer)

    def get(self) -> Reply:
        """204: there is a session, and nothing to show of it (MED-5)."""
        return Reply(204) if self.open else _gone()

    def delete(self) -> Reply:
        """200, then 404; any If-Match is ignored (MED-6)."""
        if not self.open:
            return _gone()
        self._session.close("ended by its client")
        return Reply(200)

    def patch(self, content_type: str, if_match: str | None, body: str) -> Reply:
        """Trickle (204, no ETag) or ICE restart (200, fragment, new ETag); MED-7."""
        if not self.open:
            return _gone()
        if _plain(content_type) != SDPFRAG:
            accepted = (("Accept-Patch", SDPFRAG),)
            return Reply(415, accepted, detail=f"a PATCH must be sent as {SDPFRAG}")
        if if_match is None:
            return Reply(428, detail="a PATCH needs If-Match: the session's ETag, or * to restart")
        if not self._matches(if_match):
            return Reply(412, detail="the ETag is not the session's latest")
        try:
            return self._apply(read_fragment(body))
        except SdpError as error:
            return offer_refused(error)

    def _apply(self, fragment: Fragment) -> Reply:
        if unknown := set(fragment.mids) - self._mids:
            raise SdpError(f"the session has no m-section {min(unknown)[:20]!r}", 422)
        if fragment.ufrag is None or fragment.pwd is None:
            return Reply(204)
        new, old = (fragment.ufrag, fragment.pwd), self._peer
        if new == old:
            return Reply(204)  # candidates of a client are not needed: its checks show them
        if new[0] == old[0] or new[1] == old[1]:
            raise SdpError("an ICE restart changes both a=ice-ufrag and a=ice-pwd", 422)
        transport = self._session.restart_ice(fragment.ufrag)
        self._peer, self.etag = new, _new_etag()
        headers = (
            ("Content-Type", SDPFRAG),
            ("ETag", self.etag),
            ("Access-Control-Expose-Headers", EXPOSED),
        )
        return Reply(200, headers, write_fragment(transport, self._sections))

    def _matches(self, if_match: str) -> bool:
        return any(each.strip() in (*ANY, self.etag) for each in if_match[:1000].split(","))


def _new_etag() -> str:
    return f'"{secrets.token_urlsafe(12)}"'


def _plain(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _gone() -> Reply:
    return Reply(404, detail="there is no such session")
