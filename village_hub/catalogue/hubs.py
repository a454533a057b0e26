"""Queries about hubs of the tier below: sync, no HTTP, no events."""

from collections.abc import Collection

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from village_core.keys import PublicKey
from village_hub.catalogue import remote
from village_hub.catalogue.models import HubBelow
from village_hub.catalogue.rows import HubRow


class OtherHub(Exception):  # noqa: N818 - a state of the catalogue
    """This id is another hub's, as far as is known here: neither its place nor its key fits."""


def find(session: Session, hub: str) -> HubRow | None:
    """One that left too: its tokens are refused as such."""
    row = session.get(HubBelow, hub)
    return _row(row) if row else None


def living(session: Session) -> list[HubRow]:
    return [_row(row) for row in session.exec(_living().order_by(HubBelow.place))]


def join(
    session: Session, hub: str, at: tuple[str, str], node_key: str, now: int
) -> Collection[str]:
    """The hub is below this one; the ids of those whose place it takes. `at`: its administrative
    code and its name. It keeps its id when it comes again with its key, or with a new one for the
    place that it had; anything else might be somebody else. Raises OtherHub."""
    place, name = at
    row = session.get(HubBelow, hub)
    if row is not None and row.node_key != node_key and row.place != place:
        raise OtherHub("this id is known here as another hub's")
    before = [old.id for old in session.exec(_living().where(HubBelow.place == place))]
    for old in {*before, hub}:
        leave(session, old, now)
    session.flush()  # a place has one hub at any moment
    if row is None:
        row = HubBelow(id=hub, place=place, name=name, node_key=node_key, joined=now)
    row.place, row.name, row.node_key, row.joined, row.revoked = place, name, node_key, now, None
    session.add(row)
    remote.welcome(session, hub, place, now)
    return before


def leave(session: Session, hub: str, now: int) -> bool:
    """False when it is not below this one. Nothing of what it told stays."""
    row = session.exec(_living().where(HubBelow.id == hub)).first()
    if row is None:
        return False
    row.revoked = now
    remote.forget(session, hub)
    return True


def _living() -> SelectOfScalar[HubBelow]:
    return select(HubBelow).where(col(HubBelow.revoked).is_(None))


def _row(row: HubBelow) -> HubRow:
    return HubRow(
        id=row.id,
        place=row.place,
        name=row.name,
        key=PublicKey.from_text(row.node_key),
        revoked=row.revoked is not None,
    )
