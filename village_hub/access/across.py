"""Looks that cross hubs, in the guard's words: what this node is asked for by another hub, and what
another node answered to this one. The guard alone calls it.
"""

from typing import Any

from village_core.clock import Clock
from village_core.exchange import Look, LookGiven
from village_core.permits import Action
from village_hub.access import below
from village_hub.access.facts import Permit, Reason, ShiftFacts, Subject
from village_hub.access.identity import LookCaller, MediaCaller
from village_hub.access.matrix import Code
from village_hub.access.questions import Question
from village_hub.audit import making
from village_hub.audit.entry import Entry, EntryKind
from village_hub.catalogue.remote_find import Below
from village_hub.catalogue.rows import CameraRow
from village_hub.catalogue.store import Session


def question(caller: LookCaller, camera: CameraRow, now: int, of: Permit | str) -> Question:
    """`of`: a new decision's id, or the permit that is asked for again. The shift is by the word of
    the hub that the subject signed in at: this one has no rows of it."""
    look, subject = caller.look, caller.subject
    shift = None
    if look.shift is not None and subject.unit:
        shift = ShiftFacts(look.shift.id, subject.unit, look.shift.ends)
    return Question(
        decision=of if isinstance(of, str) else of.id,
        subject=subject,
        camera=camera.id,
        quality=camera.nearest(look.quality) if isinstance(of, str) else of.quality,
        now=now,
        reason=look.reason,
        via=subject.issuer,
        shift=shift,
    )


def permit(hub: str, caller: MediaCaller, camera: Below, given: LookGiven, now: int) -> Permit:
    """As this hub keeps it: to the end that it was told, by its own clock."""
    note = given.permit
    return Permit(
        id=note.id,
        subject=caller.subject,
        via=hub,
        camera=camera.id,
        quality=note.quality,
        action=note.action,
        purpose=note.purpose,
        basis=note.basis,
        until=now + given.lives_ms,
        outside=True,
        sign_in=caller.sign_in,
        reason=note.reason,
        owner=camera.owner,
    )


def stands(session: Session, hub: str, held: Permit, now: int) -> Permit | Reason:
    """Whether a shift that it was given for is still open here."""
    if held.basis == Code.D and below.shift(session, hub, held.subject, now) is None:
        return Reason.NO_SHIFT
    return held


def asked(look: Look) -> dict[str, Any]:
    """What an entry says of a look that was refused."""
    return {
        "quality": look.quality.value,
        "purpose": look.purpose.value,
        "reason": look.reason,
    }


def entry(
    clock: Clock, subject: Subject, camera: Below, result: str, about: dict[str, Any]
) -> Entry:
    """This hub's own, of what another node decided."""
    said = {
        "kind": EntryKind.DECISION,
        "camera": camera.id,
        "camera_name": camera.name,
        "about": {"owner": camera.owner},
    }
    return making.act(clock, subject, Action.LIVE.value, result, **{**said, **about})
