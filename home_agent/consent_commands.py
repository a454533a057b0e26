"""`home-agent grants`, `owners` and `sos`: the running agent does it, this asks and prints."""

import argparse
import asyncio
import getpass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from home_agent.config import Config
from home_agent.control import Command, ControlError, ask
from village_core.clock import SYSTEM_CLOCK

GRANTS = {"stop": "stop", "confirm": "give", "refuse": "refuse"}
OWNERS = {"confirm": "owner_give", "refuse": "owner_refuse", "remove": "owner_remove"}
NEEDS_CODE = frozenset({"give", "owner_give", "owner_remove"})
SENT_WITHIN = 10.0  # seconds in which the command waits for the hub
LOOK_EVERY = 0.5
VILLAGE = timezone(timedelta(hours=8))  # the village's time, whatever the box is set to


def add_arguments(parser: argparse.ArgumentParser, ways: list[str], what: str) -> None:
    parser.add_argument("way", choices=["list", *ways])
    parser.add_argument("id", nargs="?", default="", metavar="ID", help=what)


async def grants(given: argparse.Namespace, config: Config) -> int:
    """`grants list|stop|confirm|refuse`."""
    said = await _ask(given, config, GRANTS, "grants")
    for grant in said["grants"]:
        print(f"{_state(grant):8} {grant['id']}  {_words(grant)}")
    for draft in said["drafts"]:
        print(f"{'waits':8} {draft['id']}  {_words(draft)}, asked for by {draft['asked_by']}")
    if not said["grants"] and not said["drafts"]:
        print("Nobody outside this household may see anything.")
    return 0


async def owners(given: argparse.Namespace, config: Config) -> int:
    """`owners list|confirm|refuse|remove`."""
    said = await _ask(given, config, OWNERS, "owners")
    for owner in said["owners"]:
        print(f"{'owner':8} {owner['id']}  {owner['name']}")
    for proposal in said["proposals"]:
        what = "a passkey" if proposal["passkey"] else "a new owner"
        print(f"{'waits':8} {proposal['id']}  {proposal['name']}: {what}")
    if not said["owners"]:
        print("No owner is known here: nobody sees this home from outside of it.")
    return 0


async def sos(_: argparse.Namespace, config: Config) -> int:
    """Calls for help, and says whether the call was sent. 1: it was not."""
    try:
        said = await ask(config.state, Command(do="sos"))
        ends = SYSTEM_CLOCK.monotonic() + SENT_WITHIN
        while not _sent(said) and SYSTEM_CLOCK.monotonic() < ends:
            await asyncio.sleep(LOOK_EVERY)
            said = await ask(config.state, Command(do="grants"))
    except ControlError as error:
        print("NOT SENT. Call 110 now.")
        raise error from None
    if _sent(said):
        cameras = said["sos"]["cameras"]
        print(f"Sent: the village's hub has taken the call. Cameras opened for it: {cameras}.")
        return 0
    print("NOT SENT YET. Call 110 now.")
    print(f"The box goes on trying ({said['sos']['trouble'] or 'no answer'}).")
    return 1


def _sent(said: dict[str, Any]) -> bool:
    return bool(said["sos"] and said["sos"]["sent"])


async def _ask(
    given: argparse.Namespace, config: Config, ways: dict[str, Any], listing: Any
) -> dict[str, Any]:
    """The list after it was done."""
    if given.way == "list":
        return await ask(config.state, Command(do=listing))
    if not given.id:
        raise ControlError(f"name which one: see the list of {listing}")
    do = ways[given.way]
    code = await asyncio.to_thread(getpass.getpass, "Code: ") if do in NEEDS_CODE else ""
    return await ask(config.state, Command(do=do, id=given.id, code=code))


def _state(grant: dict[str, Any]) -> str:
    if grant["stopped"] is not None:
        return "stopped"
    return "over" if grant["over"] else "holds"


def _words(terms: dict[str, Any]) -> str:
    who = ", ".join([terms["who"], *terms["responders"]])
    cameras = ", ".join(terms["cameras"])
    return f"{who}: {cameras}; {terms['kind']}, {terms['purpose']}; until {_time(terms['until'])}"


def _time(utc_ms: int) -> str:
    return datetime.fromtimestamp(utc_ms / 1000, UTC).astimezone(VILLAGE).strftime("%Y-%m-%d %H:%M")
