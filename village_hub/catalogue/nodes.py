"""Queries about agents and their enrolments: sync, no HTTP, no events."""

from collections.abc import Collection

from sqlmodel import Session, col, or_, select, update
from sqlmodel.sql.expression import SelectOfScalar

from village_core.keys import PublicKey
from village_hub.catalogue import hubs, people
from village_hub.catalogue.models import Camera, Enrolment, Household, Node
from village_hub.catalogue.rows import EnrolmentRow, EnrolmentState, NodeRow

Keys = tuple[str, str | None, str | None]
"""A child's, as text: node key; household key of an agent; id of a hub."""
ENDED = (EnrolmentState.DONE, EnrolmentState.OVER)


def find(session: Session, node_id: str) -> NodeRow | None:
    """Revoked ones too: their tokens are refused as such."""
    row = session.get(Node, node_id)
    return _node_row(row) if row else None


def living(session: Session) -> list[NodeRow]:
    return [_node_row(row) for row in session.exec(_living())]


def living_children(session: Session) -> set[str]:
    """Ids of agents and of hubs below: whoever may keep an uplink."""
    return {*(row.id for row in living(session)), *(row.id for row in hubs.living(session))}


def revoke(session: Session, node_id: str, now: int) -> bool:
    """False when there is no such living node. Its cameras become tombstones."""
    row = session.exec(_living().where(Node.id == node_id)).first()
    if row is None:
        return False
    row.revoked = now
    its = update(Camera).where(col(Camera.node_id) == node_id, col(Camera.gone).is_(None))
    session.exec(its.values(gone=now, online=False))
    return True


def add_enrolment(session: Session, enrolment: Enrolment, now: int) -> bool:
    """False, and nothing added, when another open typed code has the same selector."""
    if enrolment.selector is not None and _by_selector(session, enrolment.selector, now):
        return False
    session.add(enrolment)
    return True


def enrolments(session: Session, now: int) -> list[EnrolmentRow]:
    """Those that can still come to something."""
    query = select(Enrolment).where(Enrolment.expires > now, col(Enrolment.state).not_in(ENDED))
    return [_enrolment_row(session, row) for row in session.exec(query)]


def enrolment(session: Session, enrolment_id: str, now: int) -> EnrolmentRow | None:
    """Neither expired nor over; a done one too, for who asks again."""
    row = _open_row(session, enrolment_id, now)
    return _enrolment_row(session, row) if row else None


def begin_typed(
    session: Session, selector: str, digest: str, commitment: str, nonce: str, now: int
) -> EnrolmentRow | None:
    """The enrolment whose code this is; a wrong code costs it one of its tries, the last of them
    ends it. Its commitment is the first that was made."""
    row = _by_selector(session, selector, now)
    if row is None:
        return None
    if row.digest != digest:
        row.tries -= 1
        if row.tries <= 0:
            row.state = EnrolmentState.OVER
        return None
    if row.state == EnrolmentState.OPEN:
        row.state, row.commitment, row.hub_nonce = EnrolmentState.BEGUN, commitment, nonce
    return _enrolment_row(session, row)


def reveal(session: Session, enrolment_id: str, keys: Keys, digits: str) -> bool:
    """False: it was revealed before."""
    row = session.get_one(Enrolment, enrolment_id)
    if row.state != EnrolmentState.BEGUN:
        return False
    row.state, row.digits = EnrolmentState.REVEALED, digits
    row.node_key, row.household_key, row.hub = keys
    return True


def confirm(session: Session, enrolment_id: str, digits: str, now: int) -> bool | None:
    """Whether the digits are the right ones; wrong ones end the enrolment. None: nothing to
    confirm."""
    row = _open_row(session, enrolment_id, now)
    if row is None or row.state != EnrolmentState.REVEALED:
        return None
    right = row.digits == digits
    row.state = EnrolmentState.CONFIRMED if right else EnrolmentState.OVER
    return right


def end(session: Session, enrolment_id: str) -> None:
    if row := session.get(Enrolment, enrolment_id):
        row.state, row.secret = EnrolmentState.OVER, None


def forget_ended(session: Session, now: int) -> None:
    """Enrolments that can come to nothing any more keep no code and no secret."""
    ended = or_(Enrolment.expires <= now, col(Enrolment.state) == EnrolmentState.OVER)
    session.exec(update(Enrolment).where(ended).values(secret=None, digest=None, selector=None))


def finish(
    session: Session, enrolment_id: str, node_id: str, keys: Keys, now: int
) -> tuple[str, Collection[str]] | None:
    """The node exists: its id, and the ids of those it takes the place of, now revoked. A hub has
    its own id, an agent gets `node_id`.

    Done before with the same keys: the id it got then. None: it cannot be finished (any more).
    Raises OtherHub."""
    row = _open_row(session, enrolment_id, now)
    if row is not None and row.state == EnrolmentState.DONE:
        done = row.hub or row.node_id
        same = (row.node_key, row.household_key, row.hub) == keys
        return (done, []) if done and same else None
    ready = EnrolmentState.OPEN if row and row.secret else EnrolmentState.CONFIRMED
    if row is None or row.state != ready:
        return None
    node_key, _, hub = keys
    if hub:
        before = hubs.join(session, hub, (row.place, row.name), node_key, now)
    else:
        before = _join_household(session, row.household_id or "", node_id, keys, now)
        row.node_id = node_id
    row.state = EnrolmentState.DONE
    row.node_key, row.household_key, row.hub = keys
    return hub or node_id, before


def _join_household(
    session: Session, household: str, node_id: str, keys: Keys, now: int
) -> list[str]:
    before = [old.id for old in session.exec(_living().where(Node.household_id == household))]
    for old in before:
        revoke(session, old, now)
    session.flush()  # a household has one living agent at any moment
    session.add(
        Node(
            id=node_id,
            household_id=household,
            node_key=keys[0],
            household_key=keys[1] or "",
            enrolled=now,
        )
    )
    session.flush()
    return before


def _living() -> SelectOfScalar[Node]:
    return select(Node).where(col(Node.revoked).is_(None))


def _open_row(session: Session, enrolment_id: str, now: int) -> Enrolment | None:
    row = session.get(Enrolment, enrolment_id)
    return row if row and row.expires > now and row.state != EnrolmentState.OVER else None


def _by_selector(session: Session, selector: str, now: int) -> Enrolment | None:
    query = select(Enrolment).where(
        Enrolment.selector == selector,
        Enrolment.expires > now,
        col(Enrolment.state).in_([EnrolmentState.OPEN, EnrolmentState.BEGUN]),
    )
    return session.exec(query).first()


def _node_row(row: Node) -> NodeRow:
    return NodeRow(
        id=row.id,
        household=row.household_id,
        key=PublicKey.from_text(row.node_key),
        household_key=PublicKey.from_text(row.household_key),
        revoked=row.revoked is not None,
        version=row.version,
        privacy_off=row.privacy_off,
        seen=row.seen,
    )


def _enrolment_row(session: Session, row: Enrolment) -> EnrolmentRow:
    household = session.get_one(Household, row.household_id) if row.household_id else None
    return EnrolmentRow(
        id=row.id,
        household=household.id if household else "",
        household_name=household.name if household else "",
        place=row.place,
        name=row.name,
        hub=row.hub,
        owners=people.named_owners(session, household.id) if household else (),
        state=EnrolmentState(row.state),
        expires=row.expires,
        secret=row.secret,
        commitment=row.commitment,
        hub_nonce=row.hub_nonce,
        node_key=row.node_key,
        household_key=row.household_key,
        digits=row.digits,
        node=row.node_id,
    )
