"""The notices of a running hub, joined: carriers, postman, phone keys, SOS calls, and what a
gateway may tell us."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp

from village_core.clock import Clock
from village_core.jobs import Supervisor
from village_hub.catalogue.store import Catalogue, CatalogueError
from village_hub.config import NoticesConfig
from village_hub.errors import NotFound
from village_hub.notices import sentences
from village_hub.notices.carriers import Carrier, Result
from village_hub.notices.gateway import Gateway
from village_hub.notices.kinds import Channel
from village_hub.notices.phone_keys import BY_PHONE, PhoneKeys
from village_hub.notices.postman import Postman, note
from village_hub.notices.rings import Rings
from village_hub.notices.signing import Verifier
from village_hub.notices.webhook import Webhooks

TIMEOUT = aiohttp.ClientTimeout(total=10)  # a carrier that takes longer is tried again
JOBS = ("postman", "sos calls")


class Notices:
    """What handlers and other parts reach for."""

    def __init__(
        self, settings: NoticesConfig, catalogue: Catalogue, phone_keys: PhoneKeys, clock: Clock
    ) -> None:
        self.settings = settings
        self.phone_keys = phone_keys
        self._catalogue = catalogue
        self._clock = clock
        secret = settings.gateway.secret
        self._verifier = Verifier(secret, clock) if settings.gateway.url and secret else None

    def check_gateway(self, headers: Mapping[str, str], body: bytes) -> str:
        """The id of a call that is the gateway's own. Raises NotFound without a gateway, Forbidden,
        Conflict."""
        return self._known_gateway().check(headers, body)

    def carried_out(self, call: str) -> None:
        """It is done; the same call again would be a replay."""
        self._known_gateway().done(call)

    async def receipt(self, reference: str, result: Result) -> None:
        """What became of a text message or call; what was never sent is ignored."""
        if reference.partition(".")[2].partition(".")[0] in BY_PHONE:
            await self._catalogue.write(note, reference, result, self._clock.utc_ms())

    def _known_gateway(self) -> Verifier:
        if self._verifier is None:
            raise NotFound("this hub has no gateway")
        return self._verifier


@asynccontextmanager
async def opened(
    settings: NoticesConfig, catalogue: Catalogue, supervisor: Supervisor, clock: Clock
) -> AsyncIterator[Notices]:
    """The notices at work, until the end of the block."""
    await asyncio.to_thread(sentences.words)
    phone_keys, rings = PhoneKeys(catalogue, clock), Rings(catalogue, clock)
    rings.register(phone_keys)
    async with aiohttp.ClientSession(timeout=TIMEOUT) as session:
        gateway = Gateway(settings.gateway, session, clock)
        carriers: dict[Channel, Carrier] = {
            Channel.SMS: gateway,
            Channel.VOICE: gateway,
            Channel.WEBHOOK: Webhooks(settings.webhooks, session, clock),
        }
        postman = Postman(catalogue, carriers, phone_keys, supervisor, clock)
        for name, job in zip(JOBS, (postman.run, rings.run), strict=True):
            supervisor.start(name, job, expected=(CatalogueError,))
        yield Notices(settings, catalogue, phone_keys, clock)
        for name in JOBS:
            await supervisor.end(name)
        await postman.finish()
