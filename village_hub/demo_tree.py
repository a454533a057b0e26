"""The demo's tree: a township's and a county's hub above the village, the county's trust list, and
staff at each of them. All by what the command line does."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from village_core.permits import CameraClass, Role
from village_hub import (
    commands,
    staff_commands,
    tree_commands,
    trust_commands,
    village_commands,
)
from village_hub.access.classes import Place
from village_hub.catalogue import camera_records, cameras, people
from village_hub.catalogue.camera_records import RecordRow
from village_hub.catalogue.staff_rows import UnitKind
from village_hub.commands import Office, office
from village_hub.config import read

VILLAGE, TOWN, COUNTY = "110101001001", "110101001", "110101"
OPERATOR, ADMINS = "电信", ("吴军", "林红")
COMMITTEE, CLERKS = "西村村委会", ("陈平", "孙丽")
ENGINEER = "赵磊"
LANE = "村口"
AUDITOR, OVERSIGHT = "马林", "县监督委员会"


@dataclass(frozen=True, slots=True)
class Tier:
    """A hub above, with one officer."""

    name: str
    tier: str
    place: str
    kind: UnitKind
    role: Role
    officer: str


STATION = Tier(
    "青山派出所",
    "township",
    TOWN,
    UnitKind.STATION,
    Role.STATION_OFFICER,
    "何静",
)
BUREAU = Tier(
    "平安县公安局",
    "bureau",
    COUNTY,
    UnitKind.BUREAU,
    Role.BUREAU_OFFICER,
    "周强",
)
ABOVE = (BUREAU, STATION)  # the one on top first: each joins the one before it
Ask = tuple[str, str]
"""Who, and the link by which they add their key."""


def new_root(folder: Path) -> tuple[Path, str]:
    """The county's root key, and its text for the settings."""
    file = folder / "root.key"
    said = trust_commands.make_root(file)
    return file, said[-1].split('"')[1]


async def join(below: Path, above: Path, place: str) -> None:
    """The hub with the settings `below` joins the one with the settings `above`."""
    async with office(read(above)) as upper, office(read(below)) as lower:
        said = await tree_commands.new_hub(upper, place, lower.node.name, typed=False)
        await tree_commands.join(lower, said[-1].split("'")[1], None)


async def trust(root: Path, configs: Sequence[Path], county: Path) -> None:
    """The county's list names them all; its hub hands it down."""
    lines: list[str] = []
    for config in configs:
        async with office(read(config)) as here:
            lines += await trust_commands.entry(here)
    issuers, signed = root.with_name("hubs.toml"), root.with_name("list.jwt")
    await asyncio.to_thread(issuers.write_text, "\n".join(lines), encoding="utf-8")
    words = {"key": str(root), "issuers": str(issuers), "number": "1", "file": str(signed)}
    async with office(read(county)) as here:
        await trust_commands.sign(here.config, argparse.Namespace(**words))
        await trust_commands.install(here, str(signed))


async def admins(here: Office, place: str) -> None:
    """From now on whatever is done about people takes two of them."""
    await staff_commands.add_unit(here, OPERATOR, UnitKind.OPERATOR, place[:6], None)
    for admin in ADMINS:
        await staff_commands.first_admin(here, admin, OPERATOR)


async def staff(here: Office, name: str, role: Role, unit: str, *, unrelated: bool = False) -> None:
    asker, second = ADMINS
    asked = await staff_commands.add_staff(here, name, asker)
    await staff_commands.confirm(here, staff_commands.act_in(asked), second)
    asked = await staff_commands.appoint(
        here, name, role, unit, asker, days=None, unrelated=unrelated
    )
    await staff_commands.confirm(here, staff_commands.act_in(asked), second)


async def key_link(here: Office, name: str) -> str:
    """Opened once, to add their key."""
    asker, second = ADMINS
    asked = await staff_commands.new_key(here, name, asker)
    return (await staff_commands.confirm(here, staff_commands.act_in(asked), second))[-1]


async def village_staff(here: Office) -> None:
    await admins(here, VILLAGE)
    await staff_commands.add_unit(here, COMMITTEE, UnitKind.COMMITTEE, VILLAGE, None)
    for clerk in CLERKS:
        await staff(here, clerk, Role.COMMITTEE, COMMITTEE)


async def officer(config: Path, tier: Tier) -> str:
    """The unit at a hub above, and its officer's link."""
    async with office(read(config)) as here:
        await admins(here, tier.place)
        await staff_commands.add_unit(here, tier.name, tier.kind, tier.place, None)
        await staff(here, tier.officer, tier.role, tier.name)
        return await key_link(here, tier.officer)


async def auditor(config: Path) -> str:
    """At the county's hub."""
    async with office(read(config)) as here:
        await staff_commands.add_unit(here, OVERSIGHT, UnitKind.OVERSIGHT, COUNTY, None)
        await staff(here, AUDITOR, Role.AUDITOR, OVERSIGHT, unrelated=True)
        return await key_link(here, AUDITOR)


async def engineer(here: Office) -> str:
    """Of the telecom operator: health and settings, no picture (PRM-1)."""
    await staff(here, ENGINEER, Role.ENGINEER, OPERATOR)
    return await key_link(here, ENGINEER)


async def lane(here: Office, enrol: Callable[[str], Awaitable[None]]) -> None:
    """The committee's own site with a camera of the lane, on record: what is seen above. `enrol`:
    its box, by the household's name."""
    await commands.add_household(here, COMMITTEE)
    await village_commands.put_place(here, COMMITTEE, f"{VILLAGE}001", COMMITTEE, CLERKS[0])
    await enrol(COMMITTEE)


async def on_record(here: Office) -> None:
    """Proposed by one clerk and approved by the other (CAM-9), once its box told of it."""
    ids = {row.name: row.id for row in await here.catalogue.read(people.people)}
    rows = await here.catalogue.read(cameras.everything)
    camera = next(row.id for row in rows if row.name == LANE)
    now = here.clock.utc_ms()
    record = RecordRow(
        camera=camera,
        camera_class=CameraClass.P9,
        place=Place.LANE,
        purpose="看村口道路",
        installer=OPERATOR,
        duty=COMMITTEE,
        sign_placed=True,
        mask_needed=False,
        mask=(),
        proposed_by=ids[CLERKS[0]],
        proposed=now,
        picture_sha256=None,
        approved_by=None,
        approved=None,
        objection=None,
        version=0,
    )
    await here.catalogue.write(camera_records.put, record)
    write = here.catalogue.write
    await write(camera_records.approve, camera, 1, "0" * 64, ids[CLERKS[1]], now)
