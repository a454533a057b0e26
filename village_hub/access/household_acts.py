"""Acts of two named persons about a household's people: an owner of it, and codes by which its
people sign in. Whoever could do them alone could sign in as anybody.

While nobody was ever appointed there is nobody to confirm anything: then, and only then, the
machine's command line makes a household's first owner and that owner's first code (`first_owner`,
`first_code`), and takes back what was never used.
"""

from typing import Any, Literal

from village_core.clock import Clock
from village_core.ids import new_id
from village_core.permits import Role
from village_hub.access import appointments as rules
from village_hub.access import codes
from village_hub.access.acts import Act, Id, Name, Outcome, Scene, find_person, wrong
from village_hub.access.appointments import Fault
from village_hub.access.facts import Subject
from village_hub.access.sign_in_notes import tell_home
from village_hub.catalogue import appointments, household_places, passkeys, people
from village_hub.catalogue.store import Session
from village_hub.errors import Conflict, NotFound, Refused
from village_hub.notices.kinds import Kind


class AddOwner(Act):
    """Somebody new, who owns the household."""

    kind: Literal["add_owner"] = "add_owner"
    name: Name
    household: Id


class SignInCode(Act):
    """At the window: a code to sign in at home with; what the person has open stays open."""

    kind: Literal["sign_in_code"] = "sign_in_code"
    person: Id
    typed: bool = False  # eight letters for 10 minutes instead of a link


class VillagerCode(Act):
    """A lost phone, at the window: the person's sessions and keys at home end, and there is a new
    code."""

    kind: Literal["villager_code"] = "villager_code"
    person: Id


def check_owner(session: Session, act: Any, scene: Scene) -> None:
    """An admin asks; whoever may confirm an appointment confirms."""
    if Role.ADMIN not in scene.asker.roles:
        raise Refused("only an admin asks for this")
    if scene.second is not None:
        fault = rules.confirming_fault(scene.second, scene.asker.id, "")
        if fault is not None:
            raise wrong(fault)
    _check_home(session, act.household)


def _check_home(session: Session, household: str) -> None:
    """Raises NotFound, Conflict."""
    found = household_places.find(session, household)
    if found is None:
        raise NotFound("there is no such household", code="no_such_household")
    if found.unit is not None:
        raise Conflict("this is a unit's site, and nobody's home", code="unit_site")


def add_owner(session: Session, act: Any, scene: Scene) -> Outcome:
    """The owners that there are hear of it."""
    made, who = new_id(scene.clock), (scene.asker, scene.second)
    if people.owners(session, act.household):
        by = "/".join(each.name for each in who if each is not None)
        tell_home(session, Kind.OWNER_ADDED, act.household, (made, act.name), scene.now, by=by)
    people.add_owner(session, made, act.name, act.household, scene.now)
    return Outcome(made)


def check_window(session: Session, act: Any, scene: Scene) -> None:
    """Two of the committee whose place the household is in."""
    find_person(session, act.person)
    places = people.places_of(session, act.person)
    if not places:
        raise Conflict("this person belongs to no household here", code="no_household")
    for who in (scene.asker, scene.second):
        if who is not None:
            _check_clerk(who, act.person, places)


def _check_clerk(who: Subject, person: str, places: list[str]) -> None:
    if who.id == person:
        raise wrong(Fault.ITSELF)
    inside = any(place.startswith(who.place or "") or not place for place in places)
    if Role.COMMITTEE not in who.roles or not inside:
        raise Refused("only two persons of the committee do this", code="scope")


def sign_in_code(session: Session, act: Any, scene: Scene) -> Outcome:
    make = codes.typed if act.typed else codes.link
    return Outcome(act.person, make(session, scene.clock, act.person))


def villager_code(session: Session, act: Any, scene: Scene) -> Outcome:
    people.end_sign_ins(session, act.person, scene.now, at_home=True)
    passkeys.end_all(session, act.person, scene.now, at_home=True)
    return Outcome(act.person, codes.link(session, scene.clock, act.person))


def first_owner(session: Session, name: str, household: str, clock: Clock) -> str:
    """By one alone, of a household without an owner. Raises Refused."""
    _check_beginning(session)
    if people.owners(session, household):
        raise Refused("this household has an owner already: two persons add another", code="second")
    _check_home(session, household)
    made = new_id(clock)
    people.add_owner(session, made, name, household, clock.utc_ms())
    return made


def first_code(session: Session, person: str, clock: Clock, *, typed: bool) -> str:
    """By one alone, for somebody who never signed in. Raises Refused."""
    _check_unused(session, person)
    return (codes.typed if typed else codes.link)(session, clock, person)


def take_back(session: Session, person: str, now: int) -> None:
    """Remove somebody who never signed in, by one alone. Raises Refused."""
    _check_unused(session, person)
    people.remove_person(session, person, now)


def _check_unused(session: Session, person: str) -> None:
    _check_beginning(session)
    if people.has_signed_in(session, person):
        raise Refused("this person has signed in already: it takes two persons", code="second")


def _check_beginning(session: Session) -> None:
    if appointments.any_ever(session):
        raise Refused("people are appointed here: it takes two of them (--by)", code="second")
