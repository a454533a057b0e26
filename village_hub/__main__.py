"""`village-hub`: the command line."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from village_core.keys import KeyFileError
from village_core.settings import SettingsError
from village_hub import (
    audit_commands,
    commands,
    demo,
    household_commands,
    logs,
    staff_commands,
    tree_commands,
    trust_commands,
    village_commands,
)
from village_hub.catalogue.store import CatalogueError
from village_hub.command_words import Apart, Command, Word, tied
from village_hub.commands import CommandError, Lines, office
from village_hub.config import Config, read
from village_hub.errors import HubError
from village_hub.serving import START_ERRORS, serve

DEFAULT_CONFIG = Path("/etc/village-hub/hub.toml")
FAILED, WRONG_USE = 1, 2  # exit statuses; the second is argparse's own

COMMAND_ERRORS = (CommandError, HubError, KeyFileError, CatalogueError, OSError)


HOUSEHOLD = "its name or id"
TYPED = Word("typed", "a short code to type, for 10 minutes, instead of a link or QR", flag=True)
GROUPS = {
    "households": "homes that take part",
    "people": "who owns which household, who is appointed to what",
    "units": "committees, stations, operators: where staff belong",
    "shifts": "who is on duty now",
    "codes": "one-time codes to sign in with",
    "enrolments": "boxes (home agents) joining a household",
    "agents": "boxes that have joined",
    "hubs": "hubs of the tier below that join this one",
    "parent": "the hub of the tier above",
    "trust": "which hub may speak for which people and place",
    "audit": "the log of who saw and did what",
    "cameras": "what there is to see, and cameras that push by themselves",
}
COMMANDS: tuple[Command | Apart, ...] = (
    *staff_commands.COMMANDS,
    *household_commands.COMMANDS,
    *village_commands.COMMANDS,
    *tree_commands.COMMANDS,
    *trust_commands.COMMANDS,
    Command(
        "households",
        "add",
        "a new household",
        lambda here, said: commands.add_household(here, said.name),
        [Word("name")],
    ),
    Command("households", "list", "all households", lambda here, _: commands.list_households(here)),
    Command("people", "list", "all people", lambda here, _: commands.list_people(here)),
    Command(
        "enrolments",
        "new",
        "a QR code (and its text) that enrols one box, within 7 days",
        lambda here, said: commands.new_enrolment(here, said.household, typed=said.typed),
        [Word("household", HOUSEHOLD), TYPED],
    ),
    Command(
        "enrolments", "list", "those that are open", lambda here, _: commands.list_enrolments(here)
    ),
    Command(
        "enrolments",
        "confirm",
        "enter the six digits that the box shows",
        lambda here, said: commands.confirm_enrolment(here, said.enrolment, said.digits),
        [Word("enrolment", "its id"), Word("digits")],
    ),
    Command("agents", "list", "all enrolled boxes", lambda here, _: commands.list_agents(here)),
    Command(
        "agents",
        "revoke",
        "cut a box off for good",
        lambda here, said: commands.revoke_agent(here, said.agent),
        [Word("agent", "its id")],
    ),
    Command("cameras", "list", "all cameras", lambda here, _: commands.list_cameras(here)),
    Command(
        "cameras",
        "sign",
        "the code and address for a camera's sign, by which anybody may object to it",
        lambda here, said: commands.camera_sign(here, said.camera),
        [Word("camera", "name or id")],
    ),
    Command(
        "cameras",
        "add-push",
        "a camera that pushes by itself (OBS, a phone)",
        lambda here, said: commands.add_push_camera(here, said.name, said.household),
        [Word("name"), Word("household", HOUSEHOLD, option=True)],
    ),
    Command(
        "cameras",
        "publish-token",
        "a new publish token for such a camera; the old one ends",
        lambda here, said: (
            commands.revoke_publish_token(here, said.camera)
            if said.revoke
            else commands.publish_token(here, said.camera)
        ),
        [Word("camera", "name or id"), Word("revoke", "only end the old one", flag=True)],
    ),
    Command(
        "cameras",
        "remove",
        "a camera that pushes by itself",
        lambda here, said: commands.remove_camera(here, said.camera),
        [Word("camera", "name or id")],
    ),
    Apart(
        "audit",
        "verify",
        "whether the log is as it was written; else the first bad index, and status 1",
        audit_commands.verify,
        [
            Word("database", "the URL of another database, such as a copy", maybe=True),
            Word("export", "a file that `audit export` wrote", maybe=True),
            Word("witness", "a file that `audit witnessed` wrote at another hub", maybe=True),
            Word("key", "the fingerprint of the hub's node key (or the key itself)", maybe=True),
        ],
    ),
    Command(
        "audit",
        "witnessed",
        "what this hub holds of the logs of the hubs above and below",
        lambda here, said: audit_commands.witnessed(here, said.hub, said.file),
        [
            Word("hub", "its id: its checkpoints go into --file", maybe=True),
            Word("file", "a new one", maybe=True),
        ],
    ),
    Command(
        "audit",
        "export",
        "a copy of some days of the log that proves itself",
        lambda here, said: audit_commands.export_log(
            here, said.first_day, said.last_day, Path(said.file)
        ),
        [
            Word("first-day", "2026-11-01 (UTC)", option=True),
            Word("last-day", "2026-11-30 (UTC)", option=True),
            Word("file", "a new one", option=True),
        ],
    ),
)


VALUED = {
    f"--{word.name}" for command in COMMANDS for word in command.words if word.option or word.maybe
}


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; the exit status: 0 done, 1 failed, 2 wrong use."""
    words = sys.argv[1:] if words is None else words
    said = parser().parse_args(tied(words, VALUED))
    if said.command == "demo":
        return _demo(said)
    path = _config_path(getattr(said, "config", None))
    try:
        config = read(path)
    except SettingsError as error:
        return _complain(error, WRONG_USE)
    logs.set_up(config.log)
    run: Command | Apart | None = said.run
    if isinstance(run, Command) and path is None and not config.state.exists():
        missing = f"no {DEFAULT_CONFIG} and no hub in {config.state}: name the settings by --config"
        return _complain(CommandError(missing), WRONG_USE)
    try:
        if run is None:
            asyncio.run(serve(config))
        else:
            print("\n".join(asyncio.run(_do(run, config, said))))
    except (*COMMAND_ERRORS, *START_ERRORS) as error:
        return _complain(error, FAILED)
    return 0


def _demo(said: argparse.Namespace) -> int:
    try:
        demo.run(said.camera, said.port, lambda line: print(line, flush=True))
    except demo.DemoError as error:
        return _complain(error, FAILED)
    return 0


def parser() -> argparse.ArgumentParser:
    """All commands and their words."""
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        default=argparse.SUPPRESS,
        help=f"the settings (default: {DEFAULT_CONFIG}, where it exists)",
    )
    top = argparse.ArgumentParser(
        prog="village-hub",
        description="The village hub: shows people their cameras, and keeps its books.",
        epilog="Every command has its own --help. Settings: docs/ref/config.md",
        parents=[shared],
    )
    places = top.add_subparsers(title="commands", required=True, metavar="COMMAND", dest="command")
    serving = places.add_parser("serve", help="run the hub until it is stopped", parents=[shared])
    serving.set_defaults(run=None)
    showing = places.add_parser(
        "demo", help="three hubs, two households, virtual cameras, on this machine"
    )
    showing.add_argument(
        "--camera",
        metavar="RTSP_URL",
        action="append",
        default=[],
        help="a camera of yours, shown in the first household; may be repeated",
    )
    showing.add_argument(
        "--port", type=int, help="of the pages (default: a free one, from 8443 on)"
    )
    for group, what in GROUPS.items():
        those = places.add_parser(group, help=what, description=what)
        inner = those.add_subparsers(title="commands", required=True, metavar="COMMAND")
        for command in (each for each in COMMANDS if each.group == group):
            leaf = inner.add_parser(
                command.name, help=command.help, description=command.help, parents=[shared]
            )
            leaf.set_defaults(run=command)
            for word in command.words:
                word.add_to(leaf)
    return top


async def _do(command: Command | Apart, config: Config, said: argparse.Namespace) -> Lines:
    if isinstance(command, Apart):
        return await command.run(config, said)
    async with office(config) as here:
        return await command.run(here, said)


def _config_path(said: Path | None) -> Path | None:
    if said is None and DEFAULT_CONFIG.exists():
        return DEFAULT_CONFIG
    return said


def _complain(error: Exception, status: int) -> int:
    print(f"village-hub: {_sentence(error)}", file=sys.stderr)
    return status


def _sentence(error: Exception) -> str:
    """What is wrong, without the number that Python puts before the system's words."""
    if not isinstance(error, OSError) or not error.strerror:
        return str(error)
    return f"{error.filename}: {error.strerror}" if error.filename else error.strerror


if __name__ == "__main__":
    sys.exit(main())
