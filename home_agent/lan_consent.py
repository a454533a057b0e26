"""The LAN page's part on consent: who may see, who asks, who looked, openings, SOS.

Everything here needs a signed-in session (lan_guard.py); stopping is one tap without a question.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from home_agent import consent_view
from home_agent.lan_guard import refused
from home_agent.state import StateError
from village_core.uplink import Refused

if TYPE_CHECKING:
    from home_agent.agent import Agent

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.Response]]


class Yes(BaseModel):
    """One answer of the household's."""

    model_config = ConfigDict(extra="forbid")

    yes: bool


class LanConsent:
    def __init__(self, agent: "Agent") -> None:
        self._agent = agent
        self._consent = agent.consent

    def add(self, router: web.UrlDispatcher) -> None:
        router.add_get("/api/consent", self._show, name="consent")
        router.add_post("/api/grants/{id}/stop", said(self._stop), name="grant_stop")
        router.add_post("/api/drafts/{id}", said(self._draft), name="draft")
        router.add_post("/api/owners/{id}", said(self._proposal), name="owner")
        router.add_post("/api/owners/{id}/remove", said(self._remove), name="owner_remove")
        router.add_post("/api/openings/{id}/end", said(self._end), name="opening_end")
        router.add_post("/api/window", said(self._window), name="window")
        router.add_post("/api/sos", said(self._sos), name="sos")

    async def _show(self, _: web.Request) -> web.Response:
        return web.json_response(consent_view.consent(self._agent))

    async def _stop(self, request: web.Request) -> bool:
        return await self._consent.stop(request.match_info["id"], "lan")

    async def _draft(self, request: web.Request) -> bool:
        name = request.match_info["id"]
        if await _yes(request):
            return await self._consent.give(name) is not None
        return await self._consent.refuse(name)

    async def _proposal(self, request: web.Request) -> bool:
        name = request.match_info["id"]
        if await _yes(request):
            return await self._consent.confirm_owner(name)
        return await self._consent.refuse_owner(name)

    async def _remove(self, request: web.Request) -> bool:
        return await self._consent.remove_owner(request.match_info["id"])

    async def _end(self, request: web.Request) -> bool:
        """An SOS is the household's to take back; an emergency ends by its own clock."""
        opening = self._consent.openings.get(request.match_info["id"])
        if opening is None or opening.kind != "sos":
            return False
        return await self._consent.end_opening(opening.id)

    async def _window(self, request: web.Request) -> bool:
        await self._consent.set_window(on=await _yes(request))
        return True

    async def _sos(self, _: web.Request) -> bool:
        await self._agent.sos.press("lan")
        return True


def said(does: Callable[[web.Request], Awaitable[bool]]) -> Handler:
    """What came of it as an answer: 204, or why not."""

    async def handle(request: web.Request) -> web.Response:
        try:
            found = await does(request)
        except Refused as error:
            return refused(error.status, error.code, str(error))
        except (ValidationError, UnicodeDecodeError):
            return refused(400, "bad_body", "the body is not what this address takes")
        except StateError as error:
            log.error("%s", error)  # noqa: TRY400
            return refused(500, "state", "the box's own folder cannot be used: look into its log")
        if not found:
            return refused(404, "not_found", "there is no such thing any more")
        return web.Response(status=204)

    return handle


async def _yes(request: web.Request) -> bool:
    """Raises ValidationError for anything but {"yes": true} or false."""
    return Yes.model_validate_json(await request.read()).yes
