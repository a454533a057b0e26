"""Acts about staff and their keys that two named persons do: what they are, who may, what they
change.

Each is checked when it is asked for and again when it is confirmed, in the transaction that does
it; what is wrong is raised, and nothing is done.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, TypeAdapter

from village_core.ids import new_id
from village_core.permits import Role
from village_hub.access import appointments as rules
from village_hub.access import codes, household_acts
from village_hub.access.acts import (
    Act,
    Check,
    Id,
    Kind,
    Name,
    Outcome,
    Scene,
    find_person,
    wrong,
)
from village_hub.access.appointments import Fault, Proposal
from village_hub.access.facts import Subject
from village_hub.access.household_acts import AddOwner, SignInCode, VillagerCode
from village_hub.catalogue import appointments, passkeys, people, units
from village_hub.catalogue.staff_models import Appointment, Unit
from village_hub.catalogue.staff_rows import UnitKind, UnitRow
from village_hub.catalogue.store import Session
from village_hub.errors import Conflict, NotFound, Refused, Unprocessable

Place = Annotated[str, StringConstraints(pattern=r"^([0-9]{6}([0-9]{3}([0-9]{3})?)?)?$")]


class Appoint(Act):
    """Somebody to a role of a unit; times in UTC ms."""

    kind: Literal["appoint"] = "appoint"
    person: Id
    unit: Id
    role: Role
    begins: int
    until: int
    declared_unrelated: bool = False  # an auditor: no close relative of the committee


class AddUnit(Act):
    kind: Literal["add_unit"] = "add_unit"
    name: Name
    unit_kind: UnitKind
    place: Place
    parent: Id | None = None


class RemoveUnit(Act):
    kind: Literal["remove_unit"] = "remove_unit"
    unit: Id


class AddPerson(Act):
    """Somebody of no household here, so that they can be appointed."""

    kind: Literal["add_person"] = "add_person"
    name: Name


class RemovePerson(Act):
    kind: Literal["remove_person"] = "remove_person"
    person: Id


class StaffCode(Act):
    """A first key for duty, or a new one after loss: before it is made, all sessions and keys of
    the person end."""

    kind: Literal["staff_code"] = "staff_code"
    person: Id


AnyAct = Annotated[
    Appoint
    | AddUnit
    | RemoveUnit
    | AddPerson
    | RemovePerson
    | StaffCode
    | AddOwner
    | SignInCode
    | VillagerCode,
    Field(discriminator="kind"),
]
ACT: TypeAdapter[AnyAct] = TypeAdapter(AnyAct)


def check(session: Session, act: Act, scene: Scene) -> None:
    """Raises what is wrong with it, for the one who asks or the one who confirms."""
    if scene.second is not None and scene.second.id == scene.asker.id:
        raise wrong(Fault.ITSELF)
    KINDS[type(act)].check(session, act, scene)


def do(session: Session, act: Act, scene: Scene) -> Outcome:
    """Check it, then do it."""
    check(session, act, scene)
    return KINDS[type(act)].do(session, act, scene)


def concerns(act: Act) -> str | None:
    """The unit that it is about."""
    return act.unit if isinstance(act, Appoint | RemoveUnit) else None


def home_of(session: Session, act: Act) -> str:
    """The household that reads of it in its log; "" for an act about staff."""
    if isinstance(act, AddOwner):
        return act.household
    if isinstance(act, RemovePerson | SignInCode | VillagerCode):
        return min(people.households_of(session, act.person), default="")
    return ""


def _by_admin(session: Session, act: Act, scene: Scene) -> None:
    """✎ of the column "users, roles, keys"."""
    about = act.person if isinstance(act, Appoint | RemovePerson) else ""
    if Role.ADMIN not in scene.asker.roles:
        raise Refused("only an admin asks for this")
    fault = rules.asking_fault(scene.asker, about)
    if fault is None and scene.second is not None:
        fault = rules.confirming_fault(scene.second, scene.asker.id, about)
    if fault is not None:
        raise wrong(fault)
    _CHECKS.get(type(act), _nothing)(session, act, scene)


def _check_appointment(session: Session, act: Any, scene: Scene) -> None:
    unit, _ = _unit(session, act.unit), find_person(session, act.person)
    proposal = Proposal(
        act.person, act.role, unit.kind, act.begins, act.until, act.declared_unrelated
    )
    rows = appointments.to_come(session, act.person, scene.now)
    fault = rules.fault_of(
        proposal,
        {row.role for row in rows},
        committee_at_home=_other_at_home(session, act, scene.now),
        now=scene.now,
    )
    if fault is not None:
        raise wrong(fault)
    if any((row.unit, row.role) == (act.unit, act.role) for row in rows):
        raise Conflict("this person has this role there already", code="appointed_already")


def _other_at_home(session: Session, act: Appoint, now: int) -> bool:
    """Committee and oversight are of different homes (PRM-11)."""
    other = Role.COMMITTEE if act.role is Role.AUDITOR else Role.AUDITOR
    holders = {row.person for row in appointments.not_over_in_role(session, other, now)}
    homes = people.households_of(session, act.person)
    near = {row.person for home in homes for row in people.members(session, home)}
    return bool(holders & near - {act.person})


def _appoint(session: Session, act: Any, scene: Scene) -> Outcome:
    row = Appointment(
        id=new_id(scene.clock),
        person_id=act.person,
        unit_id=act.unit,
        role=act.role.value,
        begins=act.begins,
        until=act.until,
        appointed_by=scene.asker.id,
        confirmed_by=scene.second.id if scene.second else None,
        confirmed=scene.now,
        declared_unrelated=act.declared_unrelated,
    )
    made = row.id
    appointments.add(session, row)
    return Outcome(made)


def _add_unit(session: Session, act: Any, scene: Scene) -> Outcome:
    made = new_id(scene.clock)
    row = Unit(
        id=made,
        kind=act.unit_kind.value,
        name=act.name,
        place=act.place,
        parent_id=act.parent,
        created=scene.now,
    )
    units.add(session, row)
    return Outcome(made)


def _check_new_unit(session: Session, act: Any, _scene: Scene) -> None:
    if act.parent is not None and not act.place.startswith(_unit(session, act.parent).place):
        raise Unprocessable("the place is outside that of the unit above", code="place_outside")


def _remove_unit(session: Session, act: Any, scene: Scene) -> Outcome:
    units.remove(session, act.unit, scene.now)
    return Outcome(act.unit)


def _add_person(session: Session, act: Any, scene: Scene) -> Outcome:
    made = new_id(scene.clock)
    people.add_staff(session, made, act.name, scene.now)
    return Outcome(made)


def _remove_person(session: Session, act: Any, scene: Scene) -> Outcome:
    people.remove_person(session, act.person, scene.now)
    return Outcome(act.person)


def _by_tier_above(session: Session, act: Any, scene: Scene) -> None:
    """Staff enrol before two persons of the tier above; where that has nobody here, before two
    admins. For somebody of two units it is one from above each: whoever was given a second unit
    by two others is not theirs."""
    find_person(session, act.person)
    rows = appointments.to_come(session, act.person, scene.now)
    if not rows:
        raise Conflict("this person holds no appointment: appoint them first", code="not_staff")
    parents = {found.parent for row in rows if (found := units.find(session, row.unit))}
    above = {
        parent for parent in parents if parent and appointments.any_in(session, parent, scene.now)
    }
    for who in (scene.asker, scene.second):
        if who is not None and who.id == act.person:
            raise wrong(Fault.ITSELF)
        if who is not None and not _fits_above(who, above):
            raise Refused("only two persons of the unit above do this", code="scope")
    if scene.second is not None and above - {scene.asker.unit, scene.second.unit}:
        raise Refused("one person of each unit above does this", code="scope")


def _fits_above(who: Subject, above: set[str]) -> bool:
    if above:
        return who.unit in above and bool(who.roles & rules.SECONDS)
    return Role.ADMIN in who.roles


def _staff_code(session: Session, act: Any, scene: Scene) -> Outcome:
    people.end_sign_ins(session, act.person, scene.now)
    passkeys.end_all(session, act.person, scene.now)
    code = codes.link(session, scene.clock, act.person, people.PASSKEY)
    return Outcome(act.person, code)


def _check_removal(session: Session, act: Any, _scene: Scene) -> None:
    find_person(session, act.person)


def _check_unit(session: Session, act: Any, _scene: Scene) -> None:
    _unit(session, act.unit)


def _nothing(_session: Session, _act: Any, _scene: Scene) -> None:
    """Right as it is."""


def _unit(session: Session, name: str) -> UnitRow:
    row = units.find(session, name)
    if row is None:
        raise NotFound("there is no such unit", code="no_such_unit")
    return row


_CHECKS: Mapping[type[Act], Check] = MappingProxyType(
    {
        Appoint: _check_appointment,
        AddUnit: _check_new_unit,
        RemoveUnit: _check_unit,
        RemovePerson: _check_removal,
    }
)
KINDS: Mapping[type[Act], Kind] = MappingProxyType(
    {
        Appoint: Kind(_by_admin, _appoint),
        AddUnit: Kind(_by_admin, _add_unit),
        RemoveUnit: Kind(_by_admin, _remove_unit),
        AddPerson: Kind(_by_admin, _add_person),
        RemovePerson: Kind(_by_admin, _remove_person),
        StaffCode: Kind(_by_tier_above, _staff_code),
        AddOwner: Kind(household_acts.check_owner, household_acts.add_owner),
        SignInCode: Kind(household_acts.check_window, household_acts.sign_in_code),
        VillagerCode: Kind(household_acts.check_window, household_acts.villager_code),
    }
)
