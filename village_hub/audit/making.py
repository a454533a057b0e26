"""Makes the entries of what a signed-in person does, complete with from where.

entry = making.act(clock, caller.subject, "grant.stop", household=..., grant=...)
await catalogue.write(stop, ..., entry)      # where `stop` ends with audit.append(session, entry)
"""

from typing import Any

from village_core.clock import Clock
from village_core.ids import new_id
from village_hub.access.audit import CALLED_FROM
from village_hub.access.facts import Permit, Subject
from village_hub.audit.entry import ALLOWED, Entry, EntryKind, Who


def act(
    clock: Clock, subject: Subject | None, action: str, result: str = ALLOWED, **more: Any
) -> Entry:
    """What somebody did, or was refused: in a handler, for it says where the request came from.
    Without a subject it was the command line, which knows nobody for certain."""
    return Entry.model_validate(
        {
            "id": new_id(clock),
            "utc_ms": clock.utc_ms(),
            "kind": EntryKind.ACT,
            "action": action,
            "result": result,
            "who": Who.of(subject) if subject else None,
            **called_from(),
            **more,
        }
    )


def system(clock: Clock, action: str, **more: Any) -> Entry:
    """What the hub itself did or noticed."""
    return Entry.model_validate(
        {
            "id": new_id(clock),
            "utc_ms": clock.utc_ms(),
            "kind": EntryKind.SYSTEM,
            "action": action,
            "result": ALLOWED,
            **more,
        }
    )


def called_from() -> dict[str, str]:
    origin = CALLED_FROM.get()
    return {"source": origin.address, "device": origin.device}


def of_permit(permit: Permit) -> dict[str, Any]:
    """What an entry takes over from the permit that it followed from."""
    begin, end = permit.footage or (None, None)
    return {
        "who": Who.of(permit.subject),
        "camera": permit.camera,
        "quality": permit.quality.value,
        "purpose": permit.purpose.value,
        "basis": permit.basis,
        "grant": permit.ref,
        "permit": permit.id,
        "reason": permit.reason,
        "footage_from": begin,
        "footage_to": end,
    }
