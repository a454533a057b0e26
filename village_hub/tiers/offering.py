"""What this node offers of cameras here and below, read from its books; offer.py decides."""

from dataclasses import replace

from village_core.catalogue_notes import MOST_NAMED, NamedNote, OfferNote, StateNote
from village_hub.access.basis import camera_facts
from village_hub.cases import openings
from village_hub.cases.request_basis import requests_about
from village_hub.catalogue import camera_records, cameras, far, remote_find
from village_hub.catalogue.rows import CameraRow
from village_hub.catalogue.store import Session
from village_hub.consent.standing import granted_of
from village_hub.tiers.offer import BUREAU, TOWNSHIP, Offered, Ours, Parent, offer
from village_hub.tiers.tie import Tie

UNTOLD = StateNote(id="x", number=1, online=False, since=0)


def parent_of(tie: Tie) -> Parent:
    roles = TOWNSHIP if tie.above == "township" else BUREAU
    return Parent(hub=tie.hub, place=tie.above_place, roles=roles)


def own(
    session: Session, hub: str, parent: Parent, now: int
) -> tuple[dict[str, OfferNote], dict[str, CameraRow]]:
    """By id: what is offered, and the cameras as this hub last heard of them."""
    rows = {row.id: row for row in cameras.everything(session)}
    facts = camera_facts(session, rows.values())
    units = frozenset(each.id for each in far.units(session) if each.hub == parent.hub)
    parent = replace(parent, units=units)
    grants = granted_of(session, hub, rows.values(), now)
    opened = openings.of_cameras(session, rows, now)
    requests = requests_about(session, set(rows))
    ours = [
        Ours(
            facts=facts[name],
            name=row.name,
            kind=_kind(session, name) if name in grants or name in opened else "",
            grants=grants.get(name, ()),
            openings=opened.get(name, ()),
            requests=requests.get(name, ()),
        )
        for name, row in rows.items()
    ]
    return {each.id: _note(each, hub) for each in offer(parent, ours, now)}, rows


def below(session: Session, parent: Parent) -> dict[str, tuple[OfferNote, StateNote]]:
    """Public cameras that hubs below told of, handed on unchanged: a hub in between neither adds to
    them nor decides. Homes' cameras are named for this hub's own people, and go no further."""
    found = {}
    for each, state in remote_find.public(session):
        if each.place.startswith(parent.place):
            note = OfferNote(
                place=each.place,
                name=each.name,
                camera_class=each.camera_class,
                state=state,
                owner=each.owner,
                lat=each.lat,
                lon=each.lon,
            )
            found[each.id] = (note, state)
    return found


def _kind(session: Session, camera: str) -> str:
    record = camera_records.find(session, camera)
    return record.place.value if record else ""


def _note(each: Offered, hub: str) -> OfferNote:
    named = [NamedNote(unit=who.unit or None, person=who.person or None) for who in each.named]
    return OfferNote(
        place=each.place,
        name=each.name,
        camera_class=each.camera_class,
        state=UNTOLD.model_copy(update={"id": each.id}),
        owner=hub,
        named=tuple(named[:MOST_NAMED]),
    )
