"""The county's root key and the trust list that it signs (IDN-4), by the command line.

The root key belongs on a machine of the county's that runs no hub.
"""

import argparse
import asyncio
import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from village_core.clock import SYSTEM_CLOCK
from village_core.keys import PublicKey, SigningKey
from village_core.permits import Role
from village_core.tokens import Issuer, TokenError
from village_core.trust import Entry, TrustList, sign_trust_list
from village_hub.command_words import Apart, Command, Word
from village_hub.commands import CommandError, Lines, Office, write_down
from village_hub.config import Config
from village_hub.tiers import tie, trust
from village_hub.tiers.seat import Seat

ROLES = {
    "village": {Role.COMMITTEE, Role.CARER, Role.ENGINEER, Role.AUDITOR, Role.ADMIN},
    "township": {Role.TOWNSHIP, Role.STATION_OFFICER, Role.ENGINEER, Role.AUDITOR, Role.ADMIN},
    "bureau": {Role.BUREAU_OFFICER, Role.ENGINEER, Role.AUDITOR, Role.ADMIN},
}
"""Whom the hub of a tier may say that its people are, unless the county says otherwise."""


class _Issuers(BaseModel):
    model_config = ConfigDict(extra="forbid")

    issuer: list[Entry] = Field(min_length=1, max_length=200)


async def new_root(_: Config, said: argparse.Namespace) -> Lines:
    return await asyncio.to_thread(make_root, Path(said.file))


def make_root(file: Path) -> Lines:
    """Blocks on the disk."""
    if file.exists():
        raise CommandError(f"{file} is there already")
    key = SigningKey.load_or_make(file)
    return [
        f"the county's root key is in {file}: keep it where no hub runs, and a copy elsewhere",
        "for the settings of the county's hub, [trust]:",
        f'  root = "{key.public.text}"',
    ]


async def sign(_: Config, said: argparse.Namespace) -> Lines:
    return await asyncio.to_thread(
        _sign, Path(said.key), Path(said.issuers), said.number, Path(said.file)
    )


def _sign(key_file: Path, issuers: Path, number: str, file: Path) -> Lines:
    if not key_file.exists():
        raise CommandError(f"{key_file} is not there")
    if not number.isascii() or not number.isdigit():
        raise CommandError("the number is to be a whole one: one more than the last list had")
    key = SigningKey.load(key_file)
    try:
        entries = _Issuers.model_validate(tomllib.loads(issuers.read_text(encoding="utf-8"))).issuer
        found = TrustList(number=int(number), entries=tuple(entries))
        text = sign_trust_list(Issuer("county root", key, SYSTEM_CLOCK), found)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CommandError(f"{issuers} is not TOML: {error}") from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the list"
        raise CommandError(f"{issuers}: {where}: {first['msg']}") from error
    file.write_text(f"{text}\n", encoding="ascii")
    return [
        f"trust list {found.number} with {len(found.entries)} hubs is in {file}, good for 400 days",
        f"on the county's hub: village-hub trust install {file}",
    ]


async def entry(here: Office) -> Lines:
    """What the list has to say of this hub."""
    seat = Seat.of(here.config)
    if seat is None:
        raise CommandError("this hub has no place in its settings")
    roles = ", ".join(f'"{role}"' for role in sorted(ROLES[seat.tier]))
    return [
        f"# {here.node.name}",
        "[[issuer]]",
        f'issuer = "{here.node.id}"',
        f'keys = ["{here.node.key.public.text}"]',
        f'place = "{seat.place}"',
        f"roles = [{roles}]",
    ]


async def install(here: Office, file: str) -> Lines:
    """At the county's hub; it hands it on to all below."""
    root = await asyncio.to_thread(root_of, here.config)
    if root is None:
        raise CommandError("no root key is known here: [trust] root in the settings, or join first")
    try:
        text = (await asyncio.to_thread(Path(file).read_text, encoding="ascii")).strip()
        found = await asyncio.to_thread(trust.install, here.config.state, text, root, here.clock)
    except (TokenError, UnicodeDecodeError) as error:
        why = error.code if isinstance(error, TokenError) else "it is no text"
        raise CommandError(f"{file} is not accepted: {WHY.get(why, why)}") from error
    await write_down(here, "trust.install", number=str(found.number))
    return [f"trust list {found.number} is installed: {len(found.entries)} hubs"]


WHY = {
    "unknown_key": "the county's root key did not sign it",
    "expired": "it is over; have it signed again",
    "older": "a later one is installed",
    "malformed": "it is no trust list",
    "wrong_typ": "it is no trust list",
}


def root_of(config: Config) -> PublicKey | None:
    """From the settings, else from the hub above. Blocks on the disk."""
    if config.trust.root:
        return PublicKey.from_text(config.trust.root)
    try:
        found = tie.read(config.state)
    except tie.TieError:
        return None
    return PublicKey.from_text(found.root) if found and found.root else None


COMMANDS: tuple[Command | Apart, ...] = (
    Apart(
        "trust",
        "new-root",
        "the county's root key, in a new file; once, on a machine that runs no hub",
        new_root,
        [Word("file")],
    ),
    Apart(
        "trust",
        "sign",
        "sign the list of hubs and what each may say of its people",
        sign,
        [
            Word("key", "the root key's file", option=True),
            Word("issuers", "TOML: what `trust entry` printed on each hub", option=True),
            Word("number", "one more than the last list had", option=True),
            Word("file", "where the list goes", option=True),
        ],
    ),
    Command("trust", "entry", "what the list has to say of this hub", lambda here, _: entry(here)),
    Command(
        "trust",
        "install",
        "at the county's hub: the signed list, for it and all below",
        lambda here, said: install(here, said.file),
        [Word("file")],
    ),
)
