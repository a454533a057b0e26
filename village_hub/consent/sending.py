"""A draft on its way to the home: what is sent, what its answer means. Pure."""

from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from village_core.grant_tokens import AtWindow, ByPasskey, StatusPlace
from village_core.messages import Answer, DraftNote, Granted, PasskeyKey
from village_hub.catalogue.consent_rows import DraftRow
from village_hub.consent.states import Act

CONFIRMED: TypeAdapter[ByPasskey | AtWindow] = TypeAdapter(ByPasskey | AtWindow)
BUSY = frozenset({429, 503})  # the home has its hands full: later


@dataclass(frozen=True, slots=True)
class Outcome:
    """`act` None: nothing is decided yet, it is sent again later."""

    act: Act | None
    code: str = ""  # of a refusal
    grant: str = ""  # the text that was signed


def note_of(draft: DraftRow, clerk_keys: tuple[PasskeyKey, ...], status: StatusPlace) -> DraftNote:
    confirmed = CONFIRMED.validate_json(draft.confirmed) if draft.confirmed else None
    return DraftNote(
        id=draft.id,
        terms=draft.terms,
        asked_by=draft.made_by,
        asked_name=draft.made_name[:120],
        asked_ms=draft.created,
        confirmed=confirmed,
        clerk_keys=clerk_keys if isinstance(confirmed, AtWindow) else (),
        status=status,
    )


def outcome_of(answer: Answer) -> Outcome:
    body = answer.body or {}
    if answer.status == 201:
        try:
            return Outcome(Act.GIVE, grant=Granted.model_validate(body).grant)
        except ValidationError:
            return Outcome(Act.REFUSE, "bad_child")
    if answer.status == 202:
        return Outcome(Act.HELD)
    if answer.status in BUSY:
        return Outcome(None)
    return Outcome(Act.REFUSE, str(body.get("code") or "refused")[:40])
