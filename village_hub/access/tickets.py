"""Tickets: a receiver's leave to push or upload to it (MED-3). One POST or PUT spends a ticket;
after that it is good for the session it opened and nothing else."""

from village_core.clock import Clock
from village_core.ids import new_secret
from village_core.permits import Action, Quality
from village_core.tokens import Claims, Kind, TokenError
from village_hub.access.identity import TicketCaller
from village_hub.access.token_keys import TokenKeys
from village_hub.errors import Unauthorized


class Tickets:
    """Which are spent is kept in memory: one process owns a stream and checks its own tickets, and
    a ticket of an earlier run (`run` differs) opens nothing."""

    def __init__(self, hub: str, keys: TokenKeys, clock: Clock) -> None:
        self._hub = hub
        self._keys = keys
        self._clock = clock
        self._run = new_secret()[:16]
        self._spent: dict[str, int] = {}  # id -> UTC s when it would have ended

    def for_push(self, camera: str, quality: Quality, push: str) -> str:
        """A ticket for one WHIP POST of this camera at this quality."""
        more = {"quality": quality.value, "push": push, "action": Action.LIVE.value}
        return self._mint(camera, more)

    def for_upload(self, camera: str, upload: str) -> str:
        """A ticket for one PUT of a still."""
        return self._mint(camera, {"push": upload, "action": Action.STILL.value})

    def read(self, claims: Claims) -> TicketCaller:
        """Who holds a verified ticket. Raises TokenError."""
        if claims.text("run") != self._run:
            raise TokenError("earlier_run")
        try:
            action = Action(claims.text("action"))
            quality = Quality(claims.text("quality")) if "quality" in claims.more else None
        except ValueError as error:
            raise TokenError("claim_missing") from error
        push = claims.text("push")
        return TicketCaller(claims.id, claims.subject, push, action, quality, claims.expires_at)

    def spend(self, ticket: TicketCaller) -> None:
        """Once; raises Unauthorized when it has been."""
        now = self._clock.utc_ms() // 1000
        self._spent = {name: ends for name, ends in self._spent.items() if ends >= now}
        if ticket.id in self._spent:
            raise Unauthorized("this ticket is spent")
        self._spent[ticket.id] = ticket.expires_at

    def _mint(self, camera: str, more: dict[str, str]) -> str:
        issuer = self._keys.issuer()
        with_run = {**more, "run": self._run}
        return issuer.mint(Kind.TICKET, subject=camera, audience=self._hub, more=with_run)
