"""The command line's part of the tree: hubs that join below this one, and joining the one above."""

import asyncio
import sys
from collections.abc import Awaitable, Callable

from village_core import enrolling
from village_core.enrolment import TYPED_TRIES, TYPED_VALID, EnrolmentError, OwnKeys
from village_core.line import PARENT_ERRORS
from village_hub.catalogue import far, hubs
from village_hub.command_words import Command, Word
from village_hub.commands import (
    CommandError,
    Lines,
    Office,
    checked_name,
    qr_lines,
    write_down,
)
from village_hub.tiers import tie
from village_hub.tiers.enrolment import Enrolments, HubPlace
from village_hub.tiers.parent import Parent
from village_hub.tiers.seat import NotBelow, Seat
from village_hub.tiers.tie import Tie, TieError

Asked = Callable[[str], Awaitable[bool]]
NO_PLACE = 'this hub has no place: set place = "..." (its administrative code) in its settings'


async def new_hub(here: Office, place: str, name: str, *, typed: bool) -> Lines:
    """A code that joins one hub below this one."""
    seat = Seat.of(here.config)
    if seat is None:
        raise CommandError(NO_PLACE)
    try:
        seat.check_below(place)
    except NotBelow as error:
        raise CommandError(str(error)) from error
    of = HubPlace(place, checked_name(name))
    enrolments = Enrolments(here.node, here.catalogue, None, here.clock, seat)
    if typed:
        enrolment, code = await enrolments.new_typed(of)
        await write_down(here, "hub.invite", place=place)
        return [
            f"on the hub of {of.name}, within {TYPED_VALID // 60} minutes, {TYPED_TRIES} tries:",
            f"  village-hub parent join {here.node.url} --code {code}",
            "then enter here the six digits that it shows:",
            f"  village-hub enrolments confirm {enrolment} DIGITS",
        ]
    text = (await enrolments.new_qr(of)).text()
    await write_down(here, "hub.invite", place=place)
    return [
        *qr_lines(text),
        f"for the hub of {of.name}, once, within 7 days; show it to no one else:",
        f"  village-hub parent join '{text}'",
    ]


async def list_hubs(here: Office) -> Lines:
    rows = await here.catalogue.read(hubs.living)
    return [f"{row.place}  {row.name}  {row.id}" for row in rows] or ["no hub has joined this one"]


async def revoke_hub(here: Office, hub: str) -> Lines:
    rows = await here.catalogue.read(hubs.living)
    found = [row for row in rows if hub in (row.id, row.place)]
    if not found:
        raise CommandError(f"no hub that has joined this one has the id or the place {hub}")
    await here.catalogue.write(hubs.leave, found[0].id, here.clock.utc_ms())
    await write_down(here, "hub.revoke", hub=found[0].id, place=found[0].place)
    return [f"{found[0].name} is taken out; a running hub cuts it off within seconds"]


async def join(here: Office, where: str, code: str | None, asked: Asked | None = None) -> Lines:
    """By the text of a QR, or by the address above and a typed code."""
    state, keys = here.config.state, OwnKeys(here.node.key, hub=here.node.id)
    try:
        joined = (
            await enrolling.by_qr(where, keys)
            if code is None
            else await enrolling.by_code(
                where, code, keys, asked or _ask, clock=here.clock, learn=lambda _: None
            )
        )
        found = Tie.of(joined)
        _check_place(here, found)
        before = await _before(here)
        if before is not None and before.hub != found.hub:
            await _leave(here, before)
        await asyncio.to_thread(tie.write, state, found)
    except (EnrolmentError, TieError, *PARENT_ERRORS) as error:
        raise CommandError(str(error) or type(error).__name__) from error
    await write_down(here, "parent.join", hub=found.hub, place=found.place)
    return [
        f"joined: {found.hub_name} is above {here.node.name} now, as the hub of {found.place}",
        "a running hub takes it up within seconds",
    ]


async def leave(here: Office) -> Lines:
    """On both sides, or (when the one above cannot be reached) on this one alone."""
    found = await _tie(here)
    if found is None:
        raise CommandError("this hub has joined no other")
    said = await _leave(here, found)
    try:
        await asyncio.to_thread(tie.forget, here.config.state)
    except TieError as error:
        raise CommandError(str(error)) from error
    await here.catalogue.write(far.put_units, ())
    await write_down(here, "parent.leave", hub=found.hub)
    return [f"{here.node.name} has left {found.hub_name}", *said]


async def show(here: Office) -> Lines:
    found = await _tie(here)
    if found is None:
        return ["this hub has joined no other"]
    return [
        f"above: {found.hub_name} ({found.above} of {found.above_place})",
        f"address: {found.url}",
        f"its node key: {found.fingerprint}",
        f"joined as the hub of {found.place}",
    ]


async def _leave(here: Office, found: Tie) -> Lines:
    parent = Parent(found, here.node, here.clock)
    try:
        await parent.leave()
    except PARENT_ERRORS as error:
        return [
            f"{found.hub_name} was not told: {error}",
            f"it shows this hub's cameras as stale until somebody takes {here.node.id} out there",
        ]
    finally:
        await parent.line.close()
    return []


async def _tie(here: Office) -> Tie | None:
    try:
        return await asyncio.to_thread(tie.read, here.config.state)
    except TieError as error:
        raise CommandError(str(error)) from error


async def _before(here: Office) -> Tie | None:
    """A spoilt file keeps nobody from joining anew."""
    try:
        return await asyncio.to_thread(tie.read, here.config.state)
    except TieError:
        return None


def _check_place(here: Office, found: Tie) -> None:
    if here.config.place != found.place:
        said = here.config.place or "no place"
        raise CommandError(
            f"the code is for the hub of {found.place}, and this hub's settings name {said}: "
            f'set place = "{found.place}", or ask for another code'
        )


async def _ask(digits: str) -> bool:
    sys.stdout.write(f"six digits: {digits[:3]} {digits[3:]}\nare they the same above? [y/N] ")
    sys.stdout.flush()
    answer = await asyncio.to_thread(sys.stdin.readline)
    return answer.strip().lower() in ("y", "yes")


COMMANDS = (
    Command(
        "hubs",
        "new",
        "a QR code (and its text) that joins the hub of one place below, within 7 days",
        lambda here, said: new_hub(here, said.place, said.name, typed=said.typed),
        [
            Word("place", "its administrative code"),
            Word("name", "how it is called here"),
            Word("typed", "a short code to type, for 10 minutes, instead of a QR", flag=True),
        ],
    ),
    Command("hubs", "list", "all that have joined", lambda here, _: list_hubs(here)),
    Command(
        "hubs",
        "revoke",
        "cut a hub off for good",
        lambda here, said: revoke_hub(here, said.hub),
        [Word("hub", "its id, or its place")],
    ),
    Command(
        "parent",
        "join",
        "join the hub above, by the QR's text, or by its address and a typed code",
        lambda here, said: join(here, said.where, said.code),
        [Word("where", "the QR's text, or https://..."), Word("code", "XXXX-XXXX", maybe=True)],
    ),
    Command("parent", "leave", "leave it, on both sides", lambda here, _: leave(here)),
    Command("parent", "show", "who is above this hub", lambda here, _: show(here)),
)
