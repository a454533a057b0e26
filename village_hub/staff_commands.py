"""`village-hub units|people|codes|shifts ...` for staff: the same acts of two named persons as in
the API. The command line itself only names units, and admins until there are two: one alone could
never be confirmed. It opens no picture and makes no grant. For households: `household_commands.py`.
"""

from village_core.enrolment import read_typed_code
from village_core.ids import new_id
from village_core.permits import Role
from village_hub.access import codes
from village_hub.access.acts import Act
from village_hub.access.appointments import DAY_MS, FITS
from village_hub.access.facts import Subject
from village_hub.access.seconds import Seconds, duty_of
from village_hub.access.staff_acts import AddPerson, Appoint, StaffCode
from village_hub.catalogue import appointments, audit, people, seconds, shifts, units
from village_hub.catalogue.rows import PersonRow
from village_hub.catalogue.staff_models import Appointment, Unit
from village_hub.catalogue.staff_rows import AppointmentRow, UnitKind, UnitRow
from village_hub.catalogue.store import Session
from village_hub.command_words import Command, Word
from village_hub.commands import (
    COMMAND_LINE,
    CommandError,
    Lines,
    Office,
    checked_name,
    entry_of,
    pick,
    time_text,
    write_down,
)

ENOUGH = 2  # admins, after whom the command line names none
MOST = 10_000  # rows of a list


async def add_unit(here: Office, name: str, kind: str, place: str, parent: str | None) -> Lines:
    if kind not in list(UnitKind):
        raise CommandError(f"a unit is one of: {', '.join(UnitKind)}")
    if place and not (place.isdecimal() and len(place) in (6, 9, 12)):
        raise CommandError("a place is an administrative code of 6, 9 or 12 digits")
    above = await find_unit(here, parent) if parent else None
    if above and not place.startswith(above.place):
        raise CommandError(f"{place} is outside the place of {above.name}")
    row = Unit(
        id=new_id(here.clock),
        kind=kind,
        name=checked_name(name),
        place=place,
        parent_id=above.id if above else None,
        created=here.clock.utc_ms(),
    )
    made = await here.catalogue.write(units.add, row)
    await write_down(here, "add_unit", made=made.id, name=made.name, unit_kind=kind, place=place)
    return [f"{kind} {made.name}: {made.id}"]


async def list_units(here: Office) -> Lines:
    rows = await here.catalogue.read(units.everything)
    return [f"{row.id}  {row.kind}  {row.name}  {row.place}" for row in rows] or ["no unit yet"]


async def first_admin(here: Office, name: str, unit: str) -> Lines:
    """A named person who is an admin from now on, and their enrolment code."""
    where = await find_unit(here, unit)
    if Role.ADMIN not in FITS[where.kind]:
        raise CommandError(f"a {where.kind} has no admin; take an operator, say")
    who = checked_name(name)

    def act(session: Session) -> tuple[str, str]:
        now = here.clock.utc_ms()
        there = appointments.not_over_in_role(session, Role.ADMIN, now)
        if len(there) >= ENOUGH:
            raise CommandError(
                "there are two admins: one asks (people appoint --by), the other confirms"
            )
        person = new_id(here.clock)
        people.add_staff(session, person, who, now)
        appointments.add(session, _first(here, person, where.id))
        done = entry_of(here, "first_admin", person=person, name=who, unit=where.id)
        audit.append(session, done, audit.CLI)
        return person, codes.link(session, here.clock, person, people.PASSKEY)

    person, code = await here.catalogue.write(act)
    return [f"{who} is an admin of {where.name} for a year: {person}", *_key_link(here, code)]


def _first(here: Office, person: str, unit: str) -> Appointment:
    now = here.clock.utc_ms()
    return Appointment(
        id=new_id(here.clock),
        person_id=person,
        unit_id=unit,
        role=Role.ADMIN.value,
        begins=now,
        until=now + 365 * DAY_MS,
        appointed_by=COMMAND_LINE,
        confirmed_by=COMMAND_LINE,
        confirmed=now,
    )


async def add_staff(here: Office, name: str, by: str) -> Lines:
    return await ask(here, by, AddPerson(name=checked_name(name)), Role.ADMIN)


async def appoint(  # noqa: PLR0913 - what an appointment is
    here: Office, person: str, role: str, unit: str, by: str, *, days: str | None, unrelated: bool
) -> Lines:
    if role not in list(Role):
        raise CommandError(f"a role is one of: {', '.join(Role)}")
    if days is not None and not days.isdecimal():
        raise CommandError("--days is a number")
    who, where, now = (
        await find_person(here, person),
        await find_unit(here, unit),
        here.clock.utc_ms(),
    )
    act = Appoint(
        person=who.id,
        unit=where.id,
        role=Role(role),
        begins=now,
        until=now + int(days or 365) * DAY_MS,
        declared_unrelated=unrelated,
    )
    return await ask(here, by, act, Role.ADMIN)


async def new_key(here: Office, person: str, by: str) -> Lines:
    return await ask(here, by, StaffCode(person=(await find_person(here, person)).id))


async def confirm(here: Office, act: str, by: str) -> Lines:
    """As the second person. Raises HubError when it is not theirs to confirm."""
    row = await here.catalogue.read(seconds.waiting, act, here.clock.utc_ms())
    outcome = await _seconds(here).confirm(await subject_of(here, by), act)
    lines = [f"done: {outcome.made}"]
    if not outcome.code:
        return lines
    if row is not None and row.kind == StaffCode.model_fields["kind"].default:
        return [*lines, *_key_link(here, outcome.code)]
    return [*lines, *code_lines(here, outcome.code)]


async def list_acts(here: Office) -> Lines:
    names = {row.id: row.name for row in await here.catalogue.read(people.people)}
    return [
        f"{row.id}  {row.kind}  asked by {names.get(row.requested_by, row.requested_by)}"
        f"  until {time_text(row.expires)}"
        for row in await here.catalogue.read(seconds.all_waiting, here.clock.utc_ms())
    ] or ["nothing waits"]


async def list_appointments(here: Office) -> Lines:
    now = here.clock.utc_ms()
    rows = await here.catalogue.read(appointments.page, "", MOST)
    return [
        f"{row.id}  {row.person_name}  {row.role}  {row.unit_name}  {_state(row, now)}"
        for row in rows
    ] or ["nobody is appointed yet"]


async def end_appointment(here: Office, appointment: str, by: str) -> Lines:
    """At once: what takes rights away waits for nobody."""
    await _seconds(here).end_appointment(await subject_of(here, by, Role.ADMIN), appointment)
    return ["ended; what rests on it ends within seconds"]


async def list_shifts(here: Office) -> Lines:
    now = here.clock.utc_ms()
    names = {row.id: row.name for row in await here.catalogue.read(units.everything)}
    return [
        f"{row.id}  {row.person_name}  {names.get(row.unit, row.unit)}  until {time_text(row.ends)}"
        for row in await here.catalogue.read(shifts.all_open, now)
    ] or ["nobody is on duty"]


def _state(row: AppointmentRow, now: int) -> str:
    if row.ended is not None:
        return f"ended {time_text(row.ended)}"
    return f"{'was' if row.until <= now else 'until'} {time_text(row.until)}"


async def ask(here: Office, by: str, act: Act, role: Role | None = None) -> Lines:
    asker = await subject_of(here, by, role)
    row = await _seconds(here).ask(asker, act)
    return [
        f"{asker.name} asked for it; within 30 minutes another named person confirms:",
        f"village-hub people confirm {row.id} --by NAME",
    ]


def act_in(asked: Lines) -> str:
    """The id that `ask` told of."""
    return asked[-1].split()[3]


def _seconds(here: Office) -> Seconds:
    return Seconds(here.node.id, here.catalogue, here.clock, audit.CLI)


async def subject_of(here: Office, by: str, role: Role | None = None) -> Subject:
    """A named person, by their living appointment. Raises CommandError."""
    who, now = await find_person(here, by), here.clock.utc_ms()
    found = await here.catalogue.read(duty_of, here.node.id, who.id, None, now, role)
    if found is None:
        raise CommandError(f"{who.name} holds no appointment{f' as {role}' if role else ''}")
    return found


async def find_person(here: Office, text: str) -> PersonRow:
    return pick(await here.catalogue.read(people.people), text, "person")


async def find_unit(here: Office, text: str) -> UnitRow:
    return pick(await here.catalogue.read(units.everything), text, "unit")


def _key_link(here: Office, code: str) -> Lines:
    return [
        "they open this once, within 72 hours, and add their key (a USB key, a phone):",
        f"{here.node.url}/enrol#code={code}",
    ]


def code_lines(here: Office, code: str) -> Lines:
    """A code to sign in at home with: a link's, or one that is typed."""
    if read_typed_code(code):
        return ["they type this within 10 minutes:", f"{here.node.url}/sign-in  {code}"]
    return ["they open this once, within 72 hours:", f"{here.node.url}/sign-in#code={code}"]


BY = Word("by", "who does it: the name or id of somebody appointed", option=True)
PERSON = Word("person", "name or id")
COMMANDS = (
    Command(
        "units",
        "add",
        "a new unit",
        lambda here, said: add_unit(here, said.name, said.kind, said.place or "", said.parent),
        [
            Word("name"),
            Word("kind", f"one of: {', '.join(UnitKind)}", option=True),
            Word("place", "administrative code: what it answers for", maybe=True),
            Word("parent", "the unit above", maybe=True),
        ],
    ),
    Command("units", "list", "all units", lambda here, _: list_units(here)),
    Command(
        "people",
        "first-admin",
        "a named person who may appoint others; until there are two",
        lambda here, said: first_admin(here, said.name, said.unit),
        [Word("name"), Word("unit", "where they belong", option=True)],
    ),
    Command(
        "people",
        "add-staff",
        "ask for a person of no household",
        lambda here, said: add_staff(here, said.name, said.by),
        [Word("name"), BY],
    ),
    Command(
        "people",
        "appoint",
        "ask for somebody's role in a unit",
        lambda here, said: appoint(
            here,
            said.person,
            said.role,
            said.unit,
            said.by,
            days=said.days,
            unrelated=said.unrelated,
        ),
        [
            PERSON,
            Word("role", f"one of: {', '.join(Role)}", option=True),
            Word("unit", "name or id", option=True),
            BY,
            Word("days", "how long (default: 365)", maybe=True),
            Word("unrelated", "an auditor declares: no close relative of the committee", flag=True),
        ],
    ),
    Command(
        "people",
        "confirm",
        "confirm what another asked for, as the second person",
        lambda here, said: confirm(here, said.act, said.by),
        [Word("act", "its id"), BY],
    ),
    Command("people", "acts", "what waits for a second person", lambda here, _: list_acts(here)),
    Command(
        "people",
        "appointments",
        "who is appointed to what, and was",
        lambda here, _: list_appointments(here),
    ),
    Command(
        "people",
        "end-appointment",
        "end one at once",
        lambda here, said: end_appointment(here, said.appointment, said.by),
        [Word("appointment", "its id"), BY],
    ),
    Command(
        "codes",
        "new-key",
        "ask for a code to add a key for duty with; all older keys end",
        lambda here, said: new_key(here, said.person, said.by),
        [PERSON, BY],
    ),
    Command("shifts", "list", "who is on duty now", lambda here, _: list_shifts(here)),
)
