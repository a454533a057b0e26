"""`home-agent`: run, enrol, switch, code, grants, owners, sos, status, discover, check, reset."""

import argparse
import asyncio
import getpass
import logging
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import aiohttp

from home_agent import consent_commands
from home_agent.boxclock import BoxClock
from home_agent.config import CameraConfig, Config, check_hub_url, read_or_default
from home_agent.control import Command, ControlError, NotRunningError, ask
from home_agent.enrol import enrol_by_code, enrol_by_qr, stored_enrolment
from home_agent.household import CodeError, Household
from home_agent.parent import Enrolment
from home_agent.reset import reset
from home_agent.rtsp.digest import Credentials
from home_agent.state import State, StateError
from home_agent.switch import Switch
from village_core.enrolment import QR_PREFIX, EnrolmentError
from village_core.line import ParentError
from village_core.log_lines import TextLines
from village_core.settings import Secret, SettingsError, read_secret

if TYPE_CHECKING:
    from home_agent.discovery import FoundHub
    from home_agent.sources import SourceOptions

COMMAND_ERRORS = (
    *(SettingsError, StateError, ControlError, EnrolmentError, CodeError, ParentError),
    *(aiohttp.ClientError, OSError, TimeoutError),
)
LOOK_FOR_HUBS = 5.0  # seconds

Action = Callable[[argparse.Namespace, Config], Awaitable[int]]


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence; exit code 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}. Try {self.prog} --help.\n")


def main(arguments: Sequence[str] | None = None) -> None:
    """The command's entry point."""
    given = parser().parse_args(arguments)
    sys.exit(_run(given))


def _run(given: argparse.Namespace) -> int:
    try:
        config = read_or_default(given.config)
        _log(config if given.action is run_agent else None)
        action: Action = given.action
        return asyncio.run(_awaited(action(given, config)))
    except SettingsError as error:
        return _fail(error, 2)
    except COMMAND_ERRORS as error:
        return _fail(error, 1)
    except (KeyboardInterrupt, EOFError):
        return 130


async def _awaited(work: Awaitable[int]) -> int:
    return await work


def parser() -> Parser:
    """All of the command line."""
    top = Parser(prog="home-agent", description="One household's cameras, under its own rules.")
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add(commands, "run", run_agent, "work until stopped")
    enrol = _add(commands, "enrol", enrol_agent, "join this box to a village hub")
    enrol.add_argument(
        "to", nargs="?", metavar="URL-OR-QR", help="the hub's address, or the text of its QR code"
    )
    enrol.add_argument("--code", help="the typed code, XXXX-XXXX; asked for when left out")
    enrol.add_argument("--hub", metavar="URL", help="the hub's address; else found on the LAN")
    switch = _add(commands, "switch", turn_switch, "the privacy switch: off, on or status")
    switch.add_argument("way", choices=["off", "on", "status"])
    _add(commands, "code", new_code, "make a new household code; the old one ends")
    _add_consent(commands)
    _add(commands, "status", show_status, "what the running agent does")
    discover = _add(commands, "discover", discover_cameras, "look for cameras on this network")
    discover.add_argument(
        "--seconds", type=_seconds, default=10.0, help="how long, 1 to 60 (default: 10)"
    )
    check = _add(commands, "check", check_cameras, "say in words what is wrong with a camera")
    check.add_argument(
        "address",
        nargs="*",
        metavar="ADDRESS",
        help="rtsp://..., a host or ONVIF address, or a camera of the settings (default: all)",
    )
    check.add_argument("--user", default="", help="the camera's account; its password is asked for")
    check.add_argument("--password-file", type=Path, metavar="FILE", help="instead of asking")
    check.add_argument("--udp", action="store_true", help="RTSP over UDP instead of TCP")
    words = "erase all that this box knows of the household, and leave the village"
    erase = _add(commands, "reset", reset_box, words)
    erase.add_argument("--yes", action="store_true", help="do not ask")
    return top


def _add_consent(commands: Any) -> None:
    words = "who may see this home: list; stop, confirm or refuse one"
    grants = _add(commands, "grants", consent_commands.grants, words)
    consent_commands.add_arguments(grants, list(consent_commands.GRANTS), "as the list has it")
    words = "the owners this home knows: list; confirm, refuse or remove one"
    owners = _add(commands, "owners", consent_commands.owners, words)
    consent_commands.add_arguments(owners, list(consent_commands.OWNERS), "as the list has it")
    _add(commands, "sos", consent_commands.sos, "call the village for help")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 1 <= seconds <= 60:
        raise argparse.ArgumentTypeError("must be 1 to 60")
    return seconds


def _add(commands: Any, name: str, action: Action, words: str) -> Parser:
    command: Parser = commands.add_parser(name, help=words, description=words)
    command.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="settings (default: ./agent.toml, else /etc/home-agent/agent.toml)",
    )
    command.set_defaults(action=action)
    return command


async def run_agent(_: argparse.Namespace, config: Config) -> int:
    from home_agent.agent import running  # the media library is heavy: only where it is used

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with running(config, find_hubs=_find_hubs) as agent:
        if not agent.household.has_code():
            print("The LAN page and the privacy switch need a code: home-agent code", flush=True)
        await stop.wait()
    return 0


async def enrol_agent(given: argparse.Namespace, config: Config) -> int:
    state = await asyncio.to_thread(State.open, config.state)
    if stored_enrolment(state) is not None and not await _yes(
        "This box is enrolled already. Enrolling again ends that. Go on?"
    ):
        return 1
    if (given.to or "").startswith(QR_PREFIX):
        enrolment = await enrol_by_qr(state, given.to)
    else:
        url = await _hub_address(given.to or given.hub or config.hub.url)
        code = given.code or await _line("The code that the hub shows: ")
        enrolment = await enrol_by_code(state, url, code, _same_digits, BoxClock())
    _welcome(state, enrolment)
    return 0


async def turn_switch(given: argparse.Namespace, config: Config) -> int:
    command = Command(do=given.way)
    if given.way == "on":
        command = Command(do="on", code=await asyncio.to_thread(getpass.getpass, "Code: "))
    try:
        answer = await ask(config.state, command)
        off = bool(answer["privacy_off"])
    except NotRunningError:
        off = await _turn_stored(config, command)
    print("off: nothing leaves this home" if off else "on: the hub may ask for pictures")
    return 0


async def new_code(_: argparse.Namespace, config: Config) -> int:
    state = await asyncio.to_thread(State.open, config.state)
    print(f"The household's code is now {Household(state).new_code()}. It is shown only here.")
    return 0


async def reset_box(given: argparse.Namespace, config: Config) -> int:
    return await reset(config, _yes, yes=given.yes)


async def show_status(_: argparse.Namespace, config: Config) -> int:
    report = await ask(config.state, Command(do="status"))
    hub = "connected" if report["connected"] else report["hub_trouble"]
    print(f"hub      {report['hub'] or '-'}: {hub}")
    print(f"switch   {'off: nothing leaves this home' if report['privacy_off'] else 'on'}")
    for camera in report["cameras"]:
        pictures = ", ".join(f"{name} {size}" for name, size in camera["pictures"].items())
        print(f"camera   {camera['name']}: {pictures or 'no picture'} {camera['trouble']}".rstrip())
    for alarm in report["alarms"]:
        for line in alarm["inputs"]:
            print(f"alarm    {alarm['camera']}: {line}. {alarm['trouble']}".rstrip())
    for push in report["pushes"]:
        print(f"watched  {push['camera']} ({push['quality']})")
    return 0


async def discover_cameras(given: argparse.Namespace, _: Config) -> int:
    from home_agent import discovery  # mDNS is heavy: only where it is used

    print(f"Looking for {given.seconds:.0f} s ...", flush=True)
    found = await discovery.discover_cameras(given.seconds)
    if not found:
        print("No camera was found. Is it switched on, and on this network?")
        return 1
    head = ("HOST", "NAME", "BY", "ADDRESS")
    rows = [(c.host, c.name or "-", c.how, c.onvif or (c.rtsp or ("-",))[0]) for c in found]
    widths = [max(len(row[at]) for row in [head, *rows]) for at in range(len(head))]
    for row, note in zip([head, *rows], ["", *(c.note for c in found)], strict=True):
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )
        if note:
            print(f"    {note}")
    return 0


async def check_cameras(given: argparse.Namespace, config: Config) -> int:
    from home_agent.check import check, summary  # the media library is heavy
    from home_agent.check_alarm import check_alarm

    targets = [
        each
        for address in given.address or list(config.cameras)
        for each in await _targets(address, given, config)
    ]
    if not targets:
        raise SettingsError("name an address: the settings have no camera")
    reports = []
    for address, options in targets:
        reports.append(await check(address, options))
        print("\n".join(reports[-1].lines()), flush=True)
    for key in given.address or list(config.cameras):
        camera = config.cameras.get(key)
        if camera is not None and camera.alarm_inputs:
            reports.append(await check_alarm(camera, await _credentials(key, camera, config)))
            print("\n".join(reports[-1].lines()), flush=True)
    return summary(reports)


async def _credentials(key: str, camera: CameraConfig, config: Config) -> Credentials | None:
    password = await _kept_password(key, camera, config)
    return Credentials(camera.user, password.reveal() if password else "") if camera.user else None


async def _targets(
    address: str, given: argparse.Namespace, config: Config
) -> list[tuple[str, "SourceOptions"]]:
    """What to look at: a camera of the settings with its account, or an address."""
    from home_agent.sources import SourceOptions

    camera = config.cameras.get(address)
    if camera is None:
        password = await _password(given) if given.user else None
        return [(address, SourceOptions(user=given.user, password=password, udp=given.udp))]
    password = await _kept_password(address, camera, config)
    options = SourceOptions(user=camera.user, password=password, udp=camera.udp)
    streams = [url for url in (camera.main, camera.sub) if url] or [camera.onvif]
    return [(url, options) for url in streams]


async def _kept_password(key: str, camera: CameraConfig, config: Config) -> Secret | None:
    if camera.password is not None or not config.state.is_dir():
        return camera.password
    kept = await asyncio.to_thread(State(config.state).password, key)
    return Secret(kept) if kept is not None else None


async def _password(given: argparse.Namespace) -> Secret:
    if given.password_file is not None:
        return await asyncio.to_thread(read_secret, given.password_file, "--password-file")
    return Secret(await asyncio.to_thread(getpass.getpass, f"Password of {given.user}: "))


async def _turn_stored(config: Config, command: Command) -> bool:
    """The switch while no agent runs: only what is written down."""
    state = await asyncio.to_thread(State.open, config.state)
    switch = Switch(state, Household(state))
    if command.do == "off":
        await switch.turn_off("command")
    elif command.do == "on":
        await switch.turn_on(command.code, "console", "command")
    return switch.off


async def _hub_address(given: str) -> str:
    """What was given, else the only hub on the LAN."""
    if not given:
        print("Looking for a hub on this network ...", flush=True)
        found = [hub.url for hub in await _find_hubs(LOOK_FOR_HUBS)]
        if len(found) != 1:
            words = "no hub was found" if not found else f"hubs were found at {', '.join(found)}"
            raise SettingsError(f"{words}: name one with --hub https://...")
        given = found[0]
        print(f"Found {given}", flush=True)
    check_hub_url(given)
    return given


async def _find_hubs(seconds: float) -> Sequence["FoundHub"]:
    from home_agent.discovery import find_hubs  # mDNS is heavy: only where it is used

    return await find_hubs(seconds)


async def _same_digits(digits: str) -> bool:
    print(f"\n    {digits[:3]} {digits[3:]}\n")
    return await _yes("Enter these six digits at the hub. Does the hub's page show the same?")


async def _yes(question: str) -> bool:
    return (await _line(f"{question} [y/N] ")).strip().lower() in ("y", "yes", "是", "好")


async def _line(prompt: str) -> str:
    return await asyncio.to_thread(input, prompt)


def _welcome(state: State, enrolment: Enrolment) -> None:
    print(f"Enrolled at {enrolment.hub_name} for {enrolment.household_name}.")
    owners = ", ".join(each.name or each.id for each in enrolment.owners)
    print(f"Its owners, who see it from everywhere: {owners or 'nobody yet'}.")
    print("Is this not so? Then do not start the agent; have it put right and enrol again.")
    household = Household(state)
    if not household.has_code():
        print(f"The household's code is {household.new_code()}.")
        print("It opens the page on your own network and turns the privacy switch on again.")


def _log(config: Config | None) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(TextLines())
    level = (config.log.level if config else "error").upper()
    logging.basicConfig(level=level, handlers=[handler])


def _fail(error: Exception, code: int) -> int:
    print(f"home-agent: {str(error) or type(error).__name__}", file=sys.stderr)
    return code


if __name__ == "__main__":
    main()
