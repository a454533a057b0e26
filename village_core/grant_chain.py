"""Grants handed on offline, narrower at every link (IDN-7). Pure.

The household names in `cnf` the key that may hand a grant on; that key signs a child for somebody
else, and may name a further key in it. A verifier reads the whole chain, root first, and checks
each link against its parent. Nobody without such a key can hand anything on.
"""

from collections.abc import Iterable, Sequence

from village_core.clock import Clock
from village_core.grant_limits import LIMITS, PERSON
from village_core.grant_tokens import (
    Grant,
    GrantError,
    House,
    mint,
    read_cnf,
    read_grant,
    read_terms,
    verified,
)
from village_core.grants import DAY_MINUTES, GrantTerms, Hours, Recipient
from village_core.keys import PublicKey, SigningKey
from village_core.tokens import Issuer

DEEPEST = 3  # links, the household's own among them

Span = tuple[int, int]


def sign_child(
    parent: Grant, terms: GrantTerms, key: SigningKey, clock: Clock, *, cnf: PublicKey | None = None
) -> str:
    """The last link of a longer chain, by the key that the parent names. Raises GrantError when
    nobody would accept it."""
    if parent.cnf != key.public or len(parent.text) >= DEEPEST or wider(terms, parent.terms):
        raise GrantError("chain")
    issuer = Issuer(key.public.fingerprint, key, clock)
    return mint(issuer, parent.hub, terms, {"parent": parent.id}, cnf, None)


def read_chain(texts: Sequence[str], house: House, now: int, *, expired_ok: bool = False) -> Grant:
    """The grant at the end of the chain; its terms are the narrowest. Whether any of `parents` was
    taken back is for who keeps that. Raises GrantError."""
    if not 0 < len(texts) <= DEEPEST:
        raise GrantError("chain")
    grant = read_grant(texts[0], house, now, expired_ok=expired_ok)
    for text in texts[1:]:
        grant = _child(text, grant, now, expired_ok=expired_ok)
    return grant


def _child(text: str, parent: Grant, now: int, *, expired_ok: bool) -> Grant:
    key = parent.cnf
    if key is None:
        raise GrantError("chain")
    try:
        claims = verified(text, key.fingerprint, key, parent.hub)
    except GrantError as error:
        raise GrantError("chain" if error.code == "unknown_key" else error.code) from error
    if claims.more.get("parent") != parent.id or {"confirmed", "status"} & set(claims.more):
        raise GrantError("chain")
    terms = read_terms(claims, now, expired_ok=expired_ok)
    if wider(terms, parent.terms):
        raise GrantError("chain")
    return Grant(
        id=claims.id,
        household=parent.household,
        hub=parent.hub,
        terms=terms,
        issued=claims.issued_at,
        parents=(*parent.parents, parent.id),
        cnf=read_cnf(claims, terms),
        status=parent.status,
        text=(*parent.text, text),
    )


def wider(child: GrantTerms, parent: GrantTerms) -> str:
    """In what the child goes beyond its parent; "" when in nothing."""
    beyond = {
        "hand_on": not parent.may_hand_on or not LIMITS[parent.kind].handed_on,
        "kind": child.kind is not parent.kind,
        "camera": not child.cameras <= parent.cameras,
        "action": not child.actions <= parent.actions,
        "purpose": child.purpose is not parent.purpose,
        "begin": child.not_before < parent.not_before,
        "end": child.until > parent.until,
        "hours": not hours_within(child.hours, parent.hours),
        "footage": not _footage_within(child, parent),
        "recipient": not _recipient_within(child, parent.recipient),
        "inside": child.sensitive or bool(child.filmed),  # never handed on (PRM-3, PRM-13)
    }
    return next((name for name, is_so in beyond.items() if is_so), "")


def hours_within(child: Sequence[Hours], parent: Sequence[Hours]) -> bool:
    """Whether every minute of the child's week is one of the parent's; () is the whole week."""
    allowed = _week(parent)
    return all(
        any(begin <= start and end <= stop for begin, stop in allowed)
        for start, end in _week(child)
    )


def _week(hours: Sequence[Hours]) -> list[Span]:
    """Minutes of the week, joined where they touch."""
    if not hours:
        return [(0, 7 * DAY_MINUTES)]
    spans = (
        (day * DAY_MINUTES + each.begin, day * DAY_MINUTES + each.end)
        for each in hours
        for day in each.days
    )
    return _joined(sorted(spans))


def _joined(spans: Iterable[Span]) -> list[Span]:
    found: list[Span] = []
    for begin, end in spans:
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((begin, end))
    return found


def _footage_within(child: GrantTerms, parent: GrantTerms) -> bool:
    if parent.footage is None:
        return True
    if child.footage is None:
        return False
    return parent.footage[0] <= child.footage[0] < child.footage[1] <= parent.footage[1]


def _recipient_within(child: GrantTerms, parent: Recipient) -> bool:
    """A person may hand on to a person; a unit only within itself and the same role."""
    given = child.recipient
    if child.responders or given.role not in LIMITS[child.kind].recipients:
        return False
    if not parent.unit:
        return given.role is PERSON
    return (
        (given.unit, given.role) == (parent.unit, parent.role)
        and parent.issuer in ("", given.issuer)
        and parent.person in ("", given.person)
    )
