"""`village-hub people add|remove` and `codes sign-in|lost-phone`: a household's owners and their
ways in. Each takes two named persons; while nobody was ever appointed here, the command line alone
makes a household's first owner and that owner's first code (`access/household_acts.py`).
"""

from collections.abc import Callable
from typing import TypeVar

from village_core.permits import Role
from village_hub.access import household_acts
from village_hub.access.household_acts import AddOwner, SignInCode, VillagerCode
from village_hub.access.staff_acts import RemovePerson
from village_hub.catalogue import audit, people
from village_hub.catalogue.store import Session
from village_hub.command_words import Command, Word
from village_hub.commands import (
    CommandError,
    Lines,
    Office,
    checked_name,
    entry_of,
    pick,
    write_down,
)
from village_hub.errors import Refused
from village_hub.staff_commands import BY, PERSON, ask, code_lines, find_person

T = TypeVar("T")


async def add_owner(here: Office, name: str, household: str, by: str | None) -> Lines:
    """Somebody new, who owns the household."""
    found = pick(await here.catalogue.read(people.households), household, "household")
    checked = checked_name(name)
    if by is not None:
        return await ask(here, by, AddOwner(name=checked, household=found.id), Role.ADMIN)
    made = await _alone(
        here,
        "owner.add",
        lambda session: household_acts.first_owner(session, checked, found.id, here.clock),
        household=found.id,
        name=checked,
    )
    return [f"person {checked}, owner of {found.name}: {made}"]


async def sign_in_code(here: Office, person: str, by: str | None, *, typed: bool) -> Lines:
    """For somebody's next way in; what they have open stays open."""
    found = await find_person(here, person)
    if by is not None:
        return await ask(here, by, SignInCode(person=found.id, typed=typed), Role.COMMITTEE)
    code = await _alone(
        here,
        "code.make",
        lambda session: household_acts.first_code(session, found.id, here.clock, typed=typed),
        household=found.households[0] if found.households else "",
        person=found.id,
    )
    return code_lines(here, code)


async def lost_phone(here: Office, person: str, by: str) -> Lines:
    act = VillagerCode(person=(await find_person(here, person)).id)
    return await ask(here, by, act, Role.COMMITTEE)


async def remove_person(here: Office, person: str, by: str | None) -> Lines:
    found = await find_person(here, person)
    if by is not None:
        return await ask(here, by, RemovePerson(person=found.id), Role.ADMIN)
    await _alone(
        here,
        "remove_person",
        lambda session: household_acts.take_back(session, found.id, here.clock.utc_ms()),
        household=found.households[0] if found.households else "",
        person=found.id,
    )
    return [f"{found.name} may nothing any more"]


async def _alone(
    here: Office, action: str, work: Callable[[Session], T], household: str, **about: str
) -> T:
    """By the command line alone, in the log whether it may or not. Raises CommandError."""

    def act(session: Session) -> T:
        done = work(session)
        audit.append(session, entry_of(here, action, household=household, **about), audit.CLI)
        return done

    try:
        return await here.catalogue.write(act)
    except Refused as refused:
        await write_down(here, action, refused.code, household=household, **about)
        raise CommandError(refused.args[0]) from refused


BY_ONE = Word("by", "who asks: the name or id of somebody appointed", maybe=True)
COMMANDS = (
    Command(
        "people",
        "add",
        "ask for a new person, who owns a household",
        lambda here, said: add_owner(here, said.name, said.household, said.by),
        [Word("name"), Word("household", "its name or id", option=True), BY_ONE],
    ),
    Command(
        "people",
        "remove",
        "ask that a person may nothing any more",
        lambda here, said: remove_person(here, said.person, said.by),
        [PERSON, BY_ONE],
    ),
    Command(
        "codes",
        "sign-in",
        "ask for a sign-in link for one person, once, within 72 hours",
        lambda here, said: sign_in_code(here, said.person, said.by, typed=said.typed),
        [
            PERSON,
            BY_ONE,
            Word("typed", "a short code to type, for 10 minutes, instead of a link", flag=True),
        ],
    ),
    Command(
        "codes",
        "lost-phone",
        "ask to end a villager's sessions, and for a new code",
        lambda here, said: lost_phone(here, said.person, said.by),
        [PERSON, BY],
    ),
)
