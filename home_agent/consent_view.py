"""Consent as people at home read it: for the LAN page and the command line. Plain data, no words
of any language but those the household's own papers hold."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from village_core.grant_tokens import AtHome, AtWindow, ByPasskey
from village_core.grants import GrantTerms

if TYPE_CHECKING:
    from home_agent.agent import Agent

LOOKED = 50  # lines of the log that are shown
ENDED_SHOWN = 30  # grants that are over or stopped


def consent(agent: "Agent") -> dict[str, Any]:
    """Everything of it."""
    names = {name: camera.name for name, camera in agent.cameras.items()}
    return {
        "grants": _grants(agent, names),
        "drafts": _drafts(agent, names),
        "owners": [{"id": each.id, "name": each.name} for each in agent.consent.owners.all],
        "proposals": [
            {"id": each.id, "name": each.name, "passkey": each.passkey is not None}
            for each in agent.consent.owners.waiting
        ],
        "openings": _openings(agent, names),
        "looked": _looked(agent, names),
        "window": agent.consent.window,
        "sos": sos(agent),
    }


def sos(agent: "Agent") -> dict[str, Any] | None:
    """The call for help that people at home are to know of now."""
    shown = agent.sos.shown
    if shown is None:
        return None
    return {
        "id": shown.id,
        "raised_ms": shown.raised_ms,
        "sent": shown.sent,
        "open": agent.consent.openings.get(shown.id) is not None,
        "cameras": len(shown.cameras),
        "trouble": agent.sos.trouble,
    }


def _grants(agent: "Agent", names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Those that hold, or will, first; then what has ended, the newest first."""
    now = agent.clock.utc_ms()
    read = agent.consent.grants.all()
    found = []
    for each in reversed(agent.consent.grants.ledger.given):
        grant = read.get(each.id)
        if grant is None:
            continue
        over = each.stopped is not None or grant.terms.until <= now
        shown = {
            "id": each.id,
            "over": over,
            "stopped": each.stopped,
            "stopped_by": each.stopped_by,
            "how": _how(grant.confirmed),
            "at": each.at,
            **_terms(grant.terms, names),
        }
        found.append(shown)
    holding = [each for each in found if not each["over"]]
    return [*holding, *[each for each in found if each["over"]][:ENDED_SHOWN]]


def _drafts(agent: "Agent", names: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "id": each.draft.id,
            "asked_by": each.draft.asked_name or each.draft.asked_by,
            "asked": each.draft.asked_ms,
            **_terms(each.draft.terms, names),
        }
        for each in agent.consent.grants.ledger.waiting
    ]


def _terms(terms: GrantTerms, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "kind": terms.kind,
        "who": terms.recipient.name or terms.recipient.person or terms.recipient.unit,
        "contact": terms.recipient.contact,
        "responders": [each.name for each in terms.responders],
        "cameras": sorted(names.get(each, "?") for each in terms.cameras),
        "actions": sorted(terms.actions),
        "purpose": terms.purpose,
        "from": terms.not_before,
        "until": terms.until,
        "hours": [
            {"days": sorted(each.days), "begin": each.begin, "end": each.end}
            for each in terms.hours
        ],
        "footage": terms.footage,
        "inside": terms.sensitive,
        "filmed": [each.name for each in terms.filmed],
        "hand_on": terms.may_hand_on,
        "why": terms.why,
    }


def _how(confirmed: ByPasskey | AtHome | AtWindow | None) -> str:
    return confirmed.how if confirmed is not None else ""


def _openings(agent: "Agent", names: Mapping[str, str]) -> list[dict[str, Any]]:
    left = agent.clock.monotonic()
    return [
        {
            "id": each.id,
            "kind": each.kind,
            "cameras": sorted(names.get(camera, "?") for camera in each.cameras),
            "opened": each.opened_ms,
            "seconds": round(each.ends - left),
            "by": each.by,
            "unit": each.unit,
            "incident": each.incident,
        }
        for each in agent.consent.openings.running()
    ]


def _looked(agent: "Agent", names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Who was let see what, the newest first, each with its end once there is one."""
    lines = agent.journal.recent
    ends = {line.ref: line.at for line in lines if line.event == "ended"}
    found = [
        {
            "at": line.at,
            "ended": ends.get(line.permit.id),
            "event": line.event,
            "camera": names.get(line.permit.camera, "?"),
            "name": line.permit.name or line.permit.subject,
            "unit": line.permit.unit_name,
            "purpose": line.permit.purpose,
            "outside": line.permit.outside,
        }
        for line in reversed(lines)
        if line.permit is not None
    ]
    return found[:LOOKED]
