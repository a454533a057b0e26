"""The hub that this agent is enrolled at, and what it is told."""

from typing import TypeVar

from pydantic import BaseModel, field_validator

from home_agent.boxclock import BoxClock, HubTime
from home_agent.state import Stored
from village_core.enrolment import KeyText
from village_core.keys import PublicKey, SigningKey
from village_core.line import Line, parsed
from village_core.messages import (
    AgentStatus,
    GrantList,
    GrantListAnswer,
    LogAnswer,
    LogBatch,
    OwnerNote,
    SosAnswer,
    SosRaised,
)
from village_core.tokens import Issuer, Kind
from village_core.uplink import Dial

T = TypeVar("T", bound=BaseModel)


class Enrolment(Stored):
    """enrolment.json: what an agent keeps of its enrolment."""

    url: str
    hub: str
    hub_name: str
    hub_key: KeyText  # pinned
    agent: str
    household: str
    household_name: str
    node: str  # fingerprint of the agent's own key that was enrolled
    owners: tuple[OwnerNote, ...] = ()  # as the hub named them when the box was enrolled
    site: str = ""  # the address that it was enrolled at: where the owners' passkeys are used

    @property
    def fingerprint(self) -> str:
        return PublicKey.from_text(self.hub_key).fingerprint

    @field_validator("hub_key")
    @classmethod
    def _is_a_key(cls, text: str) -> str:
        return PublicKey.from_text(text).text


class Parent:
    """The hub this agent is enrolled at."""

    def __init__(self, enrolment: Enrolment, url: str, key: SigningKey, clock: BoxClock) -> None:
        self.enrolment = enrolment
        self.line = Line(url, enrolment.fingerprint)
        self._clock = clock
        self._issuer = Issuer(enrolment.agent, key, HubTime(clock))

    def token(self) -> str:
        """A fresh node token for one call."""
        return self._issuer.mint(
            Kind.NODE, subject=self.enrolment.agent, audience=self.enrolment.hub
        )

    async def dial(self) -> Dial:
        """For the uplink: whom to dial, after the hub vouched for itself again."""
        vouched = await self.line.vouch()
        self._clock.learn(vouched.utc_ms)
        return Dial(self.line.http, self.line.url, self.token())

    async def tell(self, status: AgentStatus) -> None:
        """PUT /api/v1/node/status. Raises one of PARENT_ERRORS."""
        await self.line.ask("PUT", "/api/v1/node/status", body=status, token=self.token())

    async def tell_grants(self, said: GrantList) -> GrantListAnswer:
        """Raises one of PARENT_ERRORS; so do the next two."""
        return await self._say("PUT", "/api/v1/node/grants", said, GrantListAnswer)

    async def tell_sos(self, said: SosRaised) -> SosAnswer:
        return await self._say("POST", "/api/v1/node/sos", said, SosAnswer)

    async def tell_log(self, said: LogBatch) -> LogAnswer:
        return await self._say("POST", "/api/v1/node/log", said, LogAnswer)

    async def leave(self) -> None:
        """DELETE /api/v1/node: this box is no part of the village any more. Raises one of
        PARENT_ERRORS."""
        await self.line.ask("DELETE", "/api/v1/node", token=self.token())

    async def _say(self, method: str, path: str, said: BaseModel, kind: type[T]) -> T:
        _, body = await self.line.ask(method, path, body=said, token=self.token())
        return parsed(kind, body)

    async def close(self) -> None:
        await self.line.close()
