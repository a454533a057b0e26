"""Keeps live sessions to what they stand on (MED-17): renews permits while sign-in and basis hold,
ends within seconds the sessions for which they do not, and those of a revoked publish token.

The command line changes the same database from another process, so it looks rather than listens;
`look_soon` when somebody signs out here.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from village_core.clock import Clock
from village_core.jobs import Supervisor
from village_hub.access.facts import Permit, Reason
from village_hub.access.guard import Guard
from village_hub.access.identity import PUBLISH
from village_hub.access.rules import PERMIT_LIFE_MS
from village_hub.catalogue import cameras
from village_hub.catalogue.store import Catalogue
from village_hub.errors import NotFound
from village_hub.media.service import LiveService, LiveSession

log = logging.getLogger(__name__)

LOOKS_EVERY = 2.0  # seconds
RENEWED_EVERY_MS = 60_000  # of the 90 s that a permit lives


class Lender(Protocol):
    """Gives permits for cameras of other nodes (tiers/borrowing.py)."""

    async def renew(self, permit: Permit) -> Permit | Reason | None:
        """None: nobody could be asked now."""
        ...

    def keep(self, permits: frozenset[str]) -> None:
        """Nobody watches by any other any more."""
        ...


class Renewal:
    def __init__(
        self,
        live: LiveService,
        guard: Guard,
        lender: Lender,
        catalogue: Catalogue,
        supervisor: Supervisor,
        clock: Clock,
    ) -> None:
        self._live = live
        self._lender = lender
        self._supervisor = supervisor
        self._guard = guard
        self._catalogue = catalogue
        self._clock = clock
        self._soon = asyncio.Event()

    async def run(self) -> None:
        """A job."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOKS_EVERY):
                    await self._soon.wait()
            self._soon.clear()
            await self.look()

    def look_soon(self) -> None:
        """Something ended here: look now."""
        self._soon.set()

    async def look(self) -> None:
        """One look at every session that is open."""
        sessions = self._live.sessions()
        lost = frozenset(self._live.lost)
        self._live.lost.clear()
        permits = {session.permit.id: session.permit for session in sessions if session.permit}
        verdicts = await self._guard.renew(permits.values())
        for name, verdict in verdicts.items():
            if isinstance(verdict, Permit) and (name in lost or self._is_due(permits[name])):
                if verdict.owner:
                    _ = self._supervisor.once(f"renewal of {name}", self._ask_again(verdict))
                else:
                    await self._live.renewed(verdict)
        self._lender.keep(frozenset(permits))
        revoked = await self._revoked_publishers(sessions)
        for session in sessions:
            if session.permit is None:
                reason = "revoked" if session.credential in revoked else None
            else:
                reason = _why_not(verdicts[session.permit.id])
            if reason is not None:
                await self._end(session, reason)

    async def _ask_again(self, permit: Permit) -> None:
        """At the node that gave it; while that is not reached it lapses by itself."""
        verdict = await self._lender.renew(permit)
        if isinstance(verdict, Permit):
            await self._live.renewed(verdict)
        elif verdict is not None:
            await self.ended(permit.id, verdict.value)

    async def ended(self, permit: str, reason: str) -> None:
        """Whatever is shown by this permit ends now."""
        for session in self._live.sessions():
            if session.permit is not None and session.permit.id == permit:
                await self._end(session, reason)

    def _is_due(self, permit: Permit) -> bool:
        """Also when it seems to live too long: the wall clock was set back."""
        left = permit.until - self._clock.utc_ms()
        return not PERMIT_LIFE_MS - RENEWED_EVERY_MS < left <= PERMIT_LIFE_MS

    async def _revoked_publishers(self, sessions: Sequence[LiveSession]) -> frozenset[str]:
        """Their credentials. A ticket's session is no concern here: the agent ends it."""
        there = frozenset(each.credential for each in sessions if each.permit is None)
        tokens = frozenset(each.removeprefix(PUBLISH) for each in there if each.startswith(PUBLISH))
        if not tokens:
            return frozenset()
        living = await self._catalogue.read(cameras.living_publish_tokens, tokens)
        return frozenset(f"{PUBLISH}{token}" for token in tokens - living)

    async def _end(self, session: LiveSession, reason: str) -> None:
        permit = session.permit
        about = {"camera": permit.camera, "permit": permit.id} if permit else {}
        log.info("a session ends: %s", reason, extra=about)
        with suppress(NotFound):  # it ended by itself meanwhile
            await self._live.end(session, reason)


def _why_not(verdict: Permit | Reason) -> str | None:
    return None if isinstance(verdict, Permit) else verdict.value
