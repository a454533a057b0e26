"""The tree as a part of the application: who is below and above, before and after the media."""

import asyncio
import logging
from collections.abc import AsyncIterator
from functools import partial

from aiohttp import web

from village_core.exchange import PermitEnded
from village_core.keys import PublicKey
from village_core.line import PARENT_ERRORS
from village_core.uplink import LONGEST_PAUSE
from village_hub import keys
from village_hub.access.guard import CREDENTIALS
from village_hub.catalogue import hubs, remote
from village_hub.catalogue.store import CatalogueError
from village_hub.errors import HubError
from village_hub.media.uploads import Uploads
from village_hub.tiers.books import Books
from village_hub.tiers.borrowing import Borrowing
from village_hub.tiers.called import Called
from village_hub.tiers.calling import Calling
from village_hub.tiers.children import Children
from village_hub.tiers.enrolment import Enrolments
from village_hub.tiers.far_notices import FarNotices
from village_hub.tiers.from_above import FromAbove, TrustNote
from village_hub.tiers.lending import Lending
from village_hub.tiers.letters import Letters
from village_hub.tiers.parent import UPWARD_ERRORS, Upward
from village_hub.tiers.seat import Seat
from village_hub.tiers.telling import Telling
from village_hub.tiers.trust import Trust
from village_hub.tiers.units_above import AskingUnits
from village_hub.tiers.witnessing import Witnessing

log = logging.getLogger(__name__)

LINE_JOBS = ("letters", "units above", "lines for other hubs")
JOBS = ("cameras for the hub above", "uplink", "trust list")


async def with_tiers(app: web.Application) -> AsyncIterator[None]:
    node, catalogue, clock = app[keys.NODE], app[keys.CATALOGUE], app[keys.CLOCK]
    config, supervisor = app[keys.CONFIG], app[keys.SUPERVISOR]
    app[keys.CHILDREN] = children = Children(node.id, catalogue, supervisor, clock)
    root = partial(_root, app)
    app[keys.ENROLMENTS] = Enrolments(node, catalogue, children, clock, Seat.of(config), root)
    app[keys.UPLOADS] = Uploads(node.url, app[keys.TICKETS])
    app[keys.UPWARD] = upward = Upward(config.state, node, supervisor, clock)
    app[keys.TRUST] = trust = Trust(node.id, config.state, root, upward.learn_root, clock)
    app[CREDENTIALS].foreign = trust.verify
    app[keys.CALLING] = Calling(node.id, node.key, trust, catalogue, children, clock=clock)
    guard = app[keys.GUARD]
    app[keys.BORROWING] = Borrowing(node.id, node.key, guard, catalogue, children, clock)
    yield
    await upward.close()


async def with_lines(app: web.Application) -> AsyncIterator[None]:
    """What must arrive at other hubs, and what they tell that must arrive here."""
    catalogue, supervisor, clock = app[keys.CATALOGUE], app[keys.SUPERVISOR], app[keys.CLOCK]
    upward, trust, place = app[keys.UPWARD], app[keys.TRUST], app[keys.CONFIG].place
    app[keys.BOOKS] = books = Books(upward, app[keys.CHILDREN], catalogue, clock)
    app[keys.CHECKPOINTS].tell.append(Witnessing(books, upward, clock).tell)
    letters = Letters(app[keys.NODE], upward, trust, catalogue, books, clock=clock)
    FarNotices(letters, trust, place, clock)
    app[keys.UNITS_ABOVE] = units = AskingUnits(upward, catalogue, place, clock)
    for name, job in zip(LINE_JOBS, (letters.run, units.run, books.run), strict=True):
        supervisor.start(name, job, expected=(CatalogueError,))
    yield
    for name in LINE_JOBS:
        await supervisor.end(name)


async def with_above(app: web.Application) -> AsyncIterator[None]:
    """Behind the media: what the hub above may ask for, and what it and those below are told."""
    upward, trust, above = app[keys.UPWARD], app[keys.TRUST], app[keys.LIVE].above
    supervisor, clock, children = app[keys.SUPERVISOR], app[keys.CLOCK], app[keys.CHILDREN]
    catalogue = app[keys.CATALOGUE]
    lending = Lending(app[keys.GUARD], trust, children, above, views=app[keys.VIEWS], clock=clock)
    answers = FromAbove(catalogue, children, lending, above, trust, clock)
    called = Called(app[keys.NODE].id, catalogue, children, app[keys.FRONT_DOOR], clock)
    upward.routes = [*answers.routes, *app[keys.BOOKS].routes, *called.routes]
    above.tell = partial(_tell_over, upward)

    def changed(child: str, online: bool) -> None:  # noqa: FBT001 - a callback
        work = _hand_on(app, [child]) if online else _lost(app, child)
        _ = supervisor.once(f"child {child}", work)

    children.on_change.append(changed)
    trust.on_new.append(lambda _: _all_below(app))
    live = app[keys.LIVE]
    app[keys.TELLING] = telling = Telling(
        app[keys.NODE].id, upward, catalogue, children, live, clock
    )
    supervisor.start("cameras for the hub above", telling.run)
    supervisor.start("trust list", trust.watch, expected=(OSError,))
    supervisor.start("uplink", upward.run, expected=UPWARD_ERRORS, longest_pause=LONGEST_PAUSE)
    yield
    children.on_change.remove(changed)
    for name in JOBS:
        await supervisor.end(name)
    await called.close()


def _root(app: web.Application) -> PublicKey | None:
    """The county's root key: from the settings, else from the hub above."""
    tie = app[keys.UPWARD].tie
    text = app[keys.CONFIG].trust.root or (tie.root if tie else None)
    return PublicKey.from_text(text) if text else None


async def _tell_over(upward: Upward, permit: str, why: str) -> bool:
    """Whether the hub above says that nobody is shown anything by this permit any more."""
    try:
        parent = upward.parent()
        said = PermitEnded(permit=permit, why=why[:80])
        await parent.line.ask("PUT", "/api/v1/node/permits/ended", body=said, token=parent.token())
    except PARENT_ERRORS as error:
        log.warning("the hub above did not confirm the end of permit %s: %s", permit, error)
        return False
    return True


def _all_below(app: web.Application) -> None:
    online = app[keys.CHILDREN].online_now()
    _ = app[keys.SUPERVISOR].once("trust list below", _hand_on(app, online))


async def _hand_on(app: web.Application, children: list[str]) -> None:
    """The trust list, to the hubs among these children."""
    text = app[keys.TRUST].text
    if not text:
        return
    below = {row.id for row in await app[keys.CATALOGUE].read(hubs.living)}
    root = _root(app)
    note = TrustNote(list=text, root=root.text if root else None)
    asking = [_give_list(app, child, note) for child in children if child in below]
    await asyncio.gather(*asking)


async def _give_list(app: web.Application, child: str, note: TrustNote) -> None:
    try:
        answer = await app[keys.CHILDREN].ask(child, "PUT", "/trust", note)
    except HubError as error:
        log.info("the trust list did not reach hub %s: %s", child, error)
        return
    if answer.status != 200:
        log.warning("hub %s does not take the trust list: %s", child, answer.body)


async def _lost(app: web.Application, child: str) -> None:
    """What it told is stale from now on."""
    catalogue = app[keys.CATALOGUE]
    try:
        if await catalogue.read(hubs.find, child) is None:
            return  # a home's box
        await catalogue.write(remote.lost, child)
    except CatalogueError as error:
        log.warning("hub %s is gone, which cannot be written down: %s", child, error)
    app[keys.TELLING].below_changed()
