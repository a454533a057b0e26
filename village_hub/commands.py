"""What the command line does besides serving: each command is a function from words to lines.

They work on the hub's own database, whether the hub runs or not; what they end, a running hub ends
within seconds.
"""

import asyncio
import io
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol, TypeVar

import segno

from village_core.clock import SYSTEM_CLOCK, Clock
from village_core.enrolment import TYPED_TRIES, TYPED_VALID
from village_core.ids import new_id, new_secret
from village_hub.access.credentials import digest
from village_hub.access.receipts import new_sign
from village_hub.audit import making
from village_hub.audit.entry import ALLOWED, Entry
from village_hub.catalogue import audit, cameras, nodes, people, signs
from village_hub.catalogue.rows import CameraKind, CameraRow
from village_hub.catalogue.store import Catalogue
from village_hub.config import Config
from village_hub.node import Node, load_node
from village_hub.tiers.enrolment import Enrolments
from village_hub.tiers.seat import Seat

Lines = list[str]
COMMAND_LINE = "the hub's command line"


class CommandError(Exception):
    """The command cannot be done; the sentence says why."""


class Named(Protocol):
    @property
    def id(self) -> str: ...

    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=Named)


@dataclass(frozen=True, slots=True)
class Office:
    """The hub's books, open for one command."""

    config: Config
    node: Node
    catalogue: Catalogue
    clock: Clock


@asynccontextmanager
async def office(config: Config, clock: Clock = SYSTEM_CLOCK) -> AsyncIterator[Office]:
    """Raises KeyFileError, CatalogueError."""
    node = await asyncio.to_thread(load_node, config, clock)
    catalogue = await Catalogue.open(config.database_url)
    try:
        yield Office(config, node, catalogue, clock)
    finally:
        await catalogue.close()


async def add_household(here: Office, name: str) -> Lines:
    household = new_id(here.clock)
    checked = checked_name(name)
    await here.catalogue.write(people.add_household, household, checked, here.clock.utc_ms())
    await write_down(here, "household.add", made=household, name=checked)
    return [f"household {checked}: {household}"]


async def write_down(here: Office, action: str, result: str = ALLOWED, **about: str) -> None:
    """In the audit log."""
    await here.catalogue.write(audit.append, entry_of(here, action, result, **about), audit.CLI)


def entry_of(
    here: Office, action: str, result: str = ALLOWED, *, household: str = "", **about: str
) -> Entry:
    """Whoever may use this machine did it, and no name is known for certain."""
    more = {"device": COMMAND_LINE, "household": household, "about": about}
    return making.act(here.clock, None, action, result, **more)


async def list_households(here: Office) -> Lines:
    rows = await here.catalogue.read(people.households)
    return [f"{row.id}  {row.name}" for row in rows] or ["no household yet"]


async def list_people(here: Office) -> Lines:
    households = {row.id: row.name for row in await here.catalogue.read(people.households)}
    return [
        f"{row.id}  {row.name}  ({', '.join(households[each] for each in row.households)})"
        for row in await here.catalogue.read(people.people)
    ] or ["nobody yet"]


async def new_enrolment(here: Office, household: str, *, typed: bool) -> Lines:
    found = pick(await here.catalogue.read(people.households), household, "household")
    enrolments = Enrolments(here.node, here.catalogue, None, here.clock)
    if typed:
        name, code = await enrolments.new_typed(found.id)
        await write_down(here, "enrolment.new", household=found.id)
        return [
            f"in {found.name}, within {TYPED_VALID // 60} minutes, {TYPED_TRIES} tries:",
            f"  home-agent enrol --hub {here.node.url} --code {code}",
            "then enter here the six digits that the box shows:",
            f"  village-hub enrolments confirm {name} DIGITS",
        ]
    text = (await enrolments.new_qr(found.id)).text()
    await write_down(here, "enrolment.new", household=found.id)
    return [
        *qr_lines(text),
        f"for {found.name}, once, within 7 days; it enrols a box, so show it to no one else:",
        text,
    ]


async def list_enrolments(here: Office) -> Lines:
    rows = await here.catalogue.read(nodes.enrolments, here.clock.utc_ms())
    return [
        f"{row.id}  {row.household_name or row.name}  {row.state}  until {time_text(row.expires)}"
        + (f"  digits {row.digits}" if row.digits else "")
        for row in rows
    ] or ["no open enrolment"]


async def confirm_enrolment(here: Office, enrolment: str, digits: str) -> Lines:
    """Raises HubError when the digits are wrong or nobody waits."""
    seat = Seat.of(here.config)
    enrolments = Enrolments(here.node, here.catalogue, None, here.clock, seat)
    await enrolments.confirm(enrolment, digits.replace(" ", ""))
    return ["the digits are the same: it is enrolled as soon as its side agrees too"]


async def list_agents(here: Office) -> Lines:
    households = {row.id: row.name for row in await here.catalogue.read(people.households)}
    return [
        f"{row.id}  {households[row.household]}  last heard {time_text(row.seen)}"
        for row in await here.catalogue.read(nodes.living)
    ] or ["no box is enrolled"]


async def revoke_agent(here: Office, agent: str) -> Lines:
    if not await here.catalogue.write(nodes.revoke, agent, here.clock.utc_ms()):
        raise CommandError(f"no enrolled box has the id {agent}")
    await write_down(here, "agent.revoke", agent=agent)
    return ["revoked; a running hub cuts it off within seconds"]


async def list_cameras(here: Office) -> Lines:
    households = {row.id: row.name for row in await here.catalogue.read(people.households)}
    return [
        f"{row.id}  {row.name}  {row.kind}  {households[row.household]}"
        for row in await here.catalogue.read(cameras.everything)
    ] or ["no camera yet"]


async def camera_sign(here: Office, camera: str) -> Lines:
    """What its sign has to say (DEV-15): the code stays the same for good."""
    row = await _camera(here, camera)
    code = await here.catalogue.write(signs.sign_of, row.id, new_sign())
    return [
        f"sign of {row.name}: {code[:4]}-{code[4:]}",
        f"objections: POST {here.node.url}/api/v1/signs/{code}/objections",
    ]


async def add_push_camera(here: Office, name: str, household: str) -> Lines:
    """One that pushes by itself; its publish token is shown once."""
    found = pick(await here.catalogue.read(people.households), household, "household")
    camera, checked, now = new_id(here.clock), checked_name(name), here.clock.utc_ms()
    await here.catalogue.write(cameras.add_push_camera, camera, checked, found.id, now)
    return [f"camera {checked} of {found.name}: {camera}", *await publish_token(here, camera)]


async def publish_token(here: Office, camera: str) -> Lines:
    """A new one; the one before is revoked."""
    row = _pushing(await _camera(here, camera))
    secret, now = new_secret(), here.clock.utc_ms()
    name = new_id(here.clock)
    await here.catalogue.write(cameras.add_publish_token, name, row.id, digest(secret), now)
    return [
        f"WHIP address:  {here.node.url}/whip/{row.id}",
        f"Bearer token:  {secret}",
        "the token is shown only now; a new one ends it",
    ]


async def revoke_publish_token(here: Office, camera: str) -> Lines:
    row = _pushing(await _camera(here, camera))
    count = await here.catalogue.write(cameras.revoke_publish_tokens, row.id, here.clock.utc_ms())
    return [f"{row.name}: {count} publish token{'s' * (count != 1)} revoked"]


async def remove_camera(here: Office, camera: str) -> Lines:
    row = _pushing(await _camera(here, camera))
    await here.catalogue.write(cameras.remove, row.id, here.clock.utc_ms())
    return [f"{row.name} is removed"]


def pick(rows: Sequence[N], text: str, what: str) -> N:
    """The one row with this id or name. Raises CommandError."""
    found = [row for row in rows if text in (row.id, row.name)]
    if not found:
        known = ", ".join(row.name for row in rows[:10]) or "none"
        raise CommandError(f'there is no {what} "{text}"; there are: {known}')
    if len(found) > 1:
        ids = ", ".join(row.id for row in found)
        raise CommandError(f'"{text}" is the name of several; say which id: {ids}')
    return found[0]


async def _camera(here: Office, camera: str) -> CameraRow:
    return pick(await here.catalogue.read(cameras.everything), camera, "camera")


def _pushing(row: CameraRow) -> CameraRow:
    if row.kind is not CameraKind.PUSH:
        raise CommandError(f"{row.name} is behind a home's box, which looks after it")
    return row


def checked_name(text: str) -> str:
    name = " ".join(text.split())
    if not 1 <= len(name) <= 80 or not name.isprintable():
        raise CommandError("a name has 1 to 80 characters, all of them visible")
    return name


def qr_lines(text: str) -> Lines:
    drawn = io.StringIO()
    segno.make_qr(text, error="l").terminal(drawn, compact=True)
    return drawn.getvalue().splitlines()


def time_text(utc_ms: int | None) -> str:
    if utc_ms is None:
        return "never"
    return f"{datetime.fromtimestamp(utc_ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
