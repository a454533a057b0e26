"""Values that queries about consent return: frozen, free of a database session. Times: UTC ms."""

from dataclasses import dataclass, field

from village_core.grants import GrantStatus, GrantTerms
from village_core.keys import PublicKey
from village_hub.consent.states import DraftState


@dataclass(frozen=True, slots=True)
class GrantRow:
    """A grant as it is looked up. What it says is in `text` alone, signed: consent/signed.py."""

    id: str
    household: str
    node: str
    draft: str | None
    text: str = field(repr=False)
    kind: str
    person: str
    unit: str
    not_before: int
    until: int
    route: str
    given_by: str
    given: int
    status: GrantStatus
    index: int
    stopped: int | None
    stopped_by: str
    why: str
    told_home: bool
    version: int


@dataclass(frozen=True, slots=True)
class HomeRow:
    """A household with the keys of its living agent, or None when it has no agent."""

    household: str
    name: str
    node: str | None
    key: PublicKey | None


@dataclass(frozen=True, slots=True)
class DraftRow:
    id: str
    household: str
    route: str
    state: DraftState
    terms: GrantTerms
    made_by: str
    made_name: str
    made_unit: str
    created: int
    expires: int
    confirmed: str | None = field(repr=False)
    refused: str
    grant: str | None
    ask: str | None
    witness: str
    scan: str
    version: int


@dataclass(frozen=True, slots=True)
class InvitationRow:
    id: str
    household: str
    made_by: str
    name: str
    wish: str
    tries: int
    created: int
    expires: int
    ended: int | None
    person: str | None
    draft: str | None


@dataclass(frozen=True, slots=True)
class AskRow:
    """`answer` is for the household's eyes only."""

    id: str
    household: str
    issuer: str
    asker: str
    asker_name: str
    unit: str
    unit_name: str
    role: str
    wish: str
    created: int
    expires: int
    answer: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class FilmedRow:
    camera: str
    person: str
    name: str
    guardian: bool
    since: int
    objects: int | None
