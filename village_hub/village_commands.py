"""`village-hub households place`, `people phone`, `units phone`, `cameras records`: the committee's
and the admin's daily work besides people. It shows what is on record of cameras, never a picture.
"""

import re

from village_core.permits import Role
from village_hub.access import classes
from village_hub.access.village_books import PLACE, By, VillageBooks
from village_hub.catalogue import audit, camera_records, cameras, household_places, people
from village_hub.catalogue.camera_records import RecordRow
from village_hub.catalogue.household_places import HouseholdPlaceRow
from village_hub.catalogue.rows import CameraRow
from village_hub.catalogue.store import Session
from village_hub.command_words import Command, Word
from village_hub.commands import COMMAND_LINE, CommandError, Lines, Office, pick, time_text
from village_hub.notices.contacts import Contact, normal_phone
from village_hub.staff_commands import BY, PERSON, find_person, find_unit, subject_of


async def put_place(
    here: Office, household: str, place: str, unit: str | None, by: str | None
) -> Lines:
    """`by`: a clerk of the committee, who answers for the place."""
    if not re.fullmatch(PLACE, place):
        raise CommandError("a household's place is its village's code of 12 digits, or longer")
    found = pick(await here.catalogue.read(people.households), household, "household")
    row = await here.catalogue.read(household_places.find, found.id)
    site = (await find_unit(here, unit)).id if unit else None
    version = row.version if row else 0
    wanted = HouseholdPlaceRow(found.id, found.name, place, site, version)
    put = await _books(here).put_place(await _by(here, by, Role.COMMITTEE), wanted)
    return [f"{put.name}: {put.place}{', a site of ' + unit if unit else ''}"]


async def put_phone(here: Office, person: str, number: str, by: str) -> Lines:
    found = await find_person(here, person)
    contact = Contact(found.id, normal_phone(number))
    await _books(here).put_contact(await _by(here, by, Role.COMMITTEE), contact)
    return [f"{found.name} is told by {contact.phone}"]


async def put_unit_phone(here: Office, unit: str, number: str, by: str) -> Lines:
    found = await find_unit(here, unit)
    contact = Contact(found.id, normal_phone(number))
    await _books(here).put_unit_contact(await _by(here, by, Role.ADMIN), found.id, contact)
    return [f"whoever is on duty at {found.name} is told by {contact.phone}"]


async def list_records(here: Office) -> Lines:
    """What an admin looks through: what is on record, and why a camera is not shared."""
    return await here.catalogue.read(_records) or ["no camera yet"]


def _records(session: Session) -> Lines:
    rows = cameras.everything(session)
    standings = camera_records.standings(session, {row.id for row in rows})
    return [
        line
        for row in rows
        for line in _record(row, standings[row.id], camera_records.find(session, row.id))
    ]


def _record(
    camera: CameraRow, standing: camera_records.Standing, record: RecordRow | None
) -> Lines:
    place = standing.place or "no place"
    head = f"{camera.id}  {camera.name}  {standing.home} ({place})"
    why = classes.withheld(standing.record)
    shared = "may be shared" if why is None else f"not shared: {WHY[why.value]}"
    if record is None:
        return [head, f"    nothing on record; {shared}"]
    view = f"approved {time_text(record.approved)}" if record.approved else "not approved"
    return [
        head,
        f"    {record.camera_class} {record.place}  for: {record.purpose}",
        f"    sign {_yes(record.sign_placed)}  mask {_mask(camera, record)}  view {view}; {shared}",
    ]


def _mask(camera: CameraRow, record: RecordRow) -> str:
    if not record.mask_needed:
        return "not needed"
    return "in force" if camera.masked else "needed, not in force"


def _yes(value: bool) -> str:  # noqa: FBT001 - it is what is said
    return "placed" if value else "missing"


def _books(here: Office) -> VillageBooks:
    return VillageBooks(here.catalogue, here.clock, audit.CLI)


async def _by(here: Office, name: str | None, role: Role) -> By:
    if name is None:
        return By(None, COMMAND_LINE)
    return By(await subject_of(here, name, role), COMMAND_LINE)


WHY = {
    "unrecorded": "its record is missing, not approved, or the box says another class",
    "objection": "somebody objected, and it is not settled",
    "mask": "it needs a mask that is not in force",
}
COMMANDS = (
    Command(
        "households",
        "place",
        "where a household is; with --unit it is no home, but that unit's own site",
        lambda here, said: put_place(here, said.household, said.place, said.unit, said.by),
        [
            Word("household", "its name or id"),
            Word(
                "place", "administrative code: 12 digits, and more within the village", option=True
            ),
            Word("unit", "whose site it is: name or id", maybe=True),
            Word("by", "who does it: a clerk of the committee", maybe=True),
        ],
    ),
    Command(
        "people",
        "phone",
        "the first number of somebody who set none, such as a neighbour's",
        lambda here, said: put_phone(here, said.person, said.number, said.by),
        [PERSON, Word("number"), BY],
    ),
    Command(
        "units",
        "phone",
        "the number of whoever is on duty there; an SOS rings it",
        lambda here, said: put_unit_phone(here, said.unit, said.number, said.by),
        [Word("unit", "name or id"), Word("number"), BY],
    ),
    Command(
        "cameras",
        "records",
        "what is on record of every camera, and why it is not shared",
        lambda here, _: list_records(here),
    ),
)
