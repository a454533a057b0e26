"""Queries about cameras: sync, no HTTP, no events."""

from collections.abc import Collection

from sqlmodel import Session, col, select, update
from sqlmodel.sql.expression import SelectOfScalar

from village_core.messages import AgentStatus, CameraNote, EncodingNote
from village_core.troubles import Trouble
from village_hub.catalogue import people
from village_hub.catalogue.models import Camera, Node, PublishToken
from village_hub.catalogue.rows import CameraKind, CameraRow


class CameraElsewhere(Exception):  # noqa: N818 - a state of the catalogue
    """An agent names a camera that is another household's, or another live agent's."""


def find(session: Session, camera_id: str) -> CameraRow | None:
    row = session.get(Camera, camera_id)
    return _camera_row(row) if row and row.gone is None else None


def some(session: Session, camera_ids: Collection[str]) -> dict[str, CameraRow]:
    """Those of them that are there, by id."""
    rows = session.exec(_there().where(col(Camera.id).in_(camera_ids)))
    return {row.id: _camera_row(row) for row in rows}


def owners(session: Session, camera_ids: frozenset[str]) -> dict[str, tuple[str, frozenset[str]]]:
    """Of each camera that is there: its household and the ids of the people who own that."""
    rows = session.exec(_there().where(col(Camera.id).in_(camera_ids))).all()
    households = {row.household_id for row in rows}
    owning = {name: people.owners(session, name) for name in households}
    return {row.id: (row.household_id, owning[row.household_id]) for row in rows}


def everything(session: Session) -> list[CameraRow]:
    return [_camera_row(row) for row in session.exec(_there())]


def of_households(session: Session, household_ids: tuple[str, ...]) -> list[CameraRow]:
    rows = session.exec(_there().where(col(Camera.household_id).in_(household_ids)))
    return [_camera_row(row) for row in rows]


def apply_status(session: Session, node_id: str, status: AgentStatus, now: int) -> None:
    """An agent's cameras are what it says they are: they appear, change and vanish (tombstones:
    an id keeps its row). Raises CameraElsewhere; nothing is then changed."""
    node = session.get_one(Node, node_id)
    node.version, node.privacy_off, node.seen = status.version, status.privacy_off, now
    told = {note.id: note for note in status.cameras}
    for note in told.values():
        off = {"online": False, "trouble": Trouble.PRIVACY_OFF} if status.privacy_off else {}
        _put(session, node, note.model_copy(update=off), now)
    vanished = update(Camera).where(
        col(Camera.node_id) == node_id, col(Camera.gone).is_(None), col(Camera.id).not_in(told)
    )
    session.exec(vanished.values(gone=now, online=False))


def add_push_camera(
    session: Session, camera_id: str, name: str, household_id: str, now: int
) -> None:
    """A camera that pushes by itself; what it sends is known when it does."""
    kind = CameraKind.PUSH.value
    session.add(Camera(id=camera_id, household_id=household_id, kind=kind, name=name, created=now))


def remove(session: Session, camera_id: str, now: int) -> None:
    if row := session.get(Camera, camera_id):
        row.gone, row.online = now, False
    revoke_publish_tokens(session, camera_id, now)


def add_publish_token(
    session: Session, token_id: str, camera_id: str, digest: str, now: int
) -> None:
    """The camera's only one: those before are revoked."""
    revoke_publish_tokens(session, camera_id, now)
    session.add(PublishToken(id=token_id, camera_id=camera_id, digest=digest, created=now))


def revoke_publish_tokens(session: Session, camera_id: str, now: int) -> int:
    """How many there were."""
    query = select(PublishToken).where(
        PublishToken.camera_id == camera_id, col(PublishToken.revoked).is_(None)
    )
    rows = session.exec(query).all()
    for row in rows:
        row.revoked = now
    return len(rows)


def publish_token(session: Session, digest: str) -> tuple[str, str] | None:
    """(token id, camera id) of the living token with this digest."""
    query = select(PublishToken).where(
        PublishToken.digest == digest, col(PublishToken.revoked).is_(None)
    )
    row = session.exec(query).first()
    return (row.id, row.camera_id) if row else None


def living_publish_tokens(session: Session, token_ids: frozenset[str]) -> frozenset[str]:
    living = select(PublishToken.id).where(
        col(PublishToken.id).in_(token_ids), col(PublishToken.revoked).is_(None)
    )
    return frozenset(session.exec(living))


def _put(session: Session, node: Node, note: CameraNote, now: int) -> None:
    row = session.get(Camera, note.id)
    if row is None:
        kind = CameraKind.AGENT.value
        row = Camera(
            id=note.id, household_id=node.household_id, kind=kind, name=note.name, created=now
        )
        session.add(row)
    elif not _may_hold(session, node, row):
        raise CameraElsewhere(f"camera {note.id} is not this agent's")
    row.node_id, row.gone = node.id, None
    row.name, row.online, row.trouble = note.name, note.online, note.trouble
    row.main = note.main.model_dump_json() if note.main else None
    row.sub = note.sub.model_dump_json() if note.sub else None
    row.audio, row.masked, row.transcoded = note.audio, note.masked, note.transcoded
    row.told_class = note.camera_class.value


def _may_hold(session: Session, node: Node, row: Camera) -> bool:
    """Its own, or one of its household's revoked agents: the box was changed or enrolled again."""
    if row.node_id == node.id:
        return True
    holder = session.get(Node, row.node_id) if row.node_id else None
    return row.household_id == node.household_id and bool(holder and holder.revoked)


def _there() -> SelectOfScalar[Camera]:
    return select(Camera).where(col(Camera.gone).is_(None)).order_by(col(Camera.created))


def _camera_row(row: Camera) -> CameraRow:
    return CameraRow(
        id=row.id,
        name=row.name,
        kind=CameraKind(row.kind),
        household=row.household_id,
        node=row.node_id,
        online=row.online,
        trouble=Trouble(row.trouble) if row.trouble else None,
        main=EncodingNote.model_validate_json(row.main) if row.main else None,
        sub=EncodingNote.model_validate_json(row.sub) if row.sub else None,
        audio=row.audio,
        masked=row.masked,
        transcoded=row.transcoded,
    )
