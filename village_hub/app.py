"""The composition root: the only place that knows all parts, and joins them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial

from aiohttp import web

from village_core.clock import SYSTEM_CLOCK, Clock
from village_core.jobs import Job, Supervisor
from village_core.keys import KeyFileError
from village_hub import discovery, headers, keys, pages, problems
from village_hub.access import guard
from village_hub.access.credentials import Credentials
from village_hub.access.devices import Devices
from village_hub.access.guard import Guard
from village_hub.access.households import Households
from village_hub.access.origin import Sources
from village_hub.access.passkeys import Passkeys
from village_hub.access.renewal import Renewal
from village_hub.access.seconds import Seconds
from village_hub.access.shifts import Shifts
from village_hub.access.sign_in import SignIns
from village_hub.access.status_lists import StatusLists
from village_hub.access.throttle import Throttle
from village_hub.access.tickets import Tickets
from village_hub.access.token_keys import ROTATES_EVERY, TokenKeys
from village_hub.access.village_books import VillageBooks
from village_hub.access.webauthn_door import Site
from village_hub.api import bodies, crossing, media, once, route_modules
from village_hub.api.for_pages import PageCameras
from village_hub.audit.part import with_audit
from village_hub.cases.part import with_cases
from village_hub.catalogue import device_grants, nodes, people, seconds, signs
from village_hub.catalogue import once as answers
from village_hub.catalogue.store import Catalogue, CatalogueError
from village_hub.config import Config
from village_hub.consent import service as consent
from village_hub.consent import standing
from village_hub.media.service import LiveNeeds, OpenLive
from village_hub.media.turn import Turn
from village_hub.metrics import Metrics
from village_hub.node import load_node
from village_hub.notices import service as notices
from village_hub.tiers.called import FrontDoor
from village_hub.tiers.part import with_above, with_lines, with_tiers
from village_hub.tls import LOOKS_EVERY as CERTIFICATE_LOOKS
from village_hub.tls import Certificates, TlsError

DAY_MS = 24 * 3600 * 1000
HOUSEKEEPING_EVERY = 3600.0  # seconds
EXPECTED = (TlsError, KeyFileError, CatalogueError)  # of jobs
OBJECTIONS = (5, 3600.0)  # of one source, in so many seconds
RECEIPT_TRIES = (10, 300.0)


def make_app(config: Config, open_live: OpenLive, clock: Clock = SYSTEM_CLOCK) -> web.Application:
    """The hub, not started. Starting raises KeyFileError, TlsError, CatalogueError or OSError.

    Of its middlewares the outermost stands first."""
    metrics = Metrics()
    app = web.Application(
        middlewares=[
            metrics.count,
            problems.render,
            guard.identify,
            crossing.cross,
            once.only_once,
        ],
        client_max_size=bodies.LARGEST_BODY,
    )
    app[keys.CONFIG], app[keys.CLOCK], app[keys.METRICS] = config, clock, metrics
    app[keys.FRONT_DOOR] = FrontDoor()
    app[pages.CAMERAS] = PageCameras()
    pages.setup(app)
    parts = [with_node, with_catalogue, with_audit, with_access, with_tiers, with_live(open_live)]
    looking = [with_notices, with_watching, with_cases, with_consent, with_lines, with_above]
    app.cleanup_ctx.extend([*parts, *looking, with_announcement, with_metrics])
    app.on_shutdown.append(tell_peers)
    app.on_response_prepare.extend([media.cors, headers.complete])
    for module in route_modules():
        app.add_routes(module.routes)
    app.add_routes(pages.routes)
    return app


async def with_node(app: web.Application) -> AsyncIterator[None]:
    """Who this hub is, its certificate and keys; the supervisor of all background work."""
    config, clock = app[keys.CONFIG], app[keys.CLOCK]
    app[keys.NODE] = found = await asyncio.to_thread(load_node, config, clock)
    app[keys.CERTIFICATES] = certificates = Certificates(config, clock)
    if config.tls.on:
        await asyncio.to_thread(certificates.load)
    app[keys.TOKEN_KEYS] = TokenKeys(config.state / "token-keys", found.id, clock)
    await asyncio.to_thread(app[keys.TOKEN_KEYS].rotate)
    app[keys.SUPERVISOR] = supervisor = Supervisor(clock)
    app[guard.SOURCES] = Sources(config.proxy.trusted, tls=config.tls.on, site=config.url)
    yield
    await supervisor.stop()


async def with_catalogue(app: web.Application) -> AsyncIterator[None]:
    app[keys.CATALOGUE] = catalogue = await Catalogue.open(app[keys.CONFIG].database_url)
    yield
    await catalogue.close()


async def with_access(app: web.Application) -> AsyncIterator[None]:
    hub, catalogue, clock = app[keys.NODE].id, app[keys.CATALOGUE], app[keys.CLOCK]
    token_keys, limits = app[keys.TOKEN_KEYS], app[keys.CONFIG].limits
    app[keys.TICKETS] = tickets = Tickets(hub, token_keys, clock)
    app[guard.CREDENTIALS] = Credentials(hub, catalogue, token_keys, tickets, clock)
    app[guard.CALLS] = Throttle(limits.calls_per_minute, 60, clock)
    app[keys.GUARD] = Guard(hub, catalogue, app[keys.AUDIT], clock)
    app[keys.SIGN_INS] = sign_ins = SignIns(hub, catalogue, token_keys, app[guard.STRANGERS], clock)
    site = Site.of(app[keys.CONFIG].url, app[keys.CONFIG].name)
    app[keys.SECONDS] = Seconds(hub, catalogue, clock)
    app[keys.DEVICES] = Devices(hub, catalogue, clock)
    app[keys.SHIFTS] = Shifts(catalogue, clock)
    app[keys.HOUSEHOLDS] = Households(catalogue, clock)
    app[keys.VILLAGE_BOOKS] = VillageBooks(catalogue, clock)
    app[keys.PASSKEYS] = Passkeys(site, hub, catalogue, sign_ins, clock)
    app[keys.STATUS_LISTS] = StatusLists(
        app[keys.CONFIG].url,
        token_keys,
        clock,
        lambda first, end: catalogue.read(standing.statuses, hub, first, end),
    )
    app[keys.THROTTLES] = keys.Throttles(
        enrolment=Throttle(limits.enrolments_per_minute, 60, clock),
        vouch=Throttle(limits.vouches_per_minute, 60, clock),
        media=Throttle(limits.media_per_minute, 60, clock),
        objection=Throttle(*OBJECTIONS, clock),
        receipt=Throttle(*RECEIPT_TRIES, clock),
    )
    app[keys.TURN] = Turn(app[keys.CONFIG].turn, clock)
    yield


def with_live(open_live: OpenLive) -> Callable[[web.Application], AsyncIterator[None]]:
    """The part that opens this node's media with `open_live`."""

    async def live(app: web.Application) -> AsyncIterator[None]:
        found = app[keys.NODE]
        needs = LiveNeeds(
            settings=app[keys.CONFIG].media,
            hub=found.id,
            url=found.url,
            clock=app[keys.CLOCK],
            supervisor=app[keys.SUPERVISOR],
            children=app[keys.CHILDREN],
            tickets=app[keys.TICKETS],
            uploads=app[keys.UPLOADS],
            registry=app[keys.METRICS].registry,
            views=app[keys.VIEWS],
            above=lambda: app[keys.UPWARD].parent().line.http,
        )
        app[keys.LIVE] = await open_live(needs)
        yield

    return live


async def with_notices(app: web.Application) -> AsyncIterator[None]:
    settings, catalogue = app[keys.CONFIG].notices, app[keys.CATALOGUE]
    supervisor, clock = app[keys.SUPERVISOR], app[keys.CLOCK]
    async with notices.opened(settings, catalogue, supervisor, clock) as app[keys.NOTICES]:
        yield


async def with_watching(app: web.Application) -> AsyncIterator[None]:
    """The background jobs: what ends, changes or runs out without anybody asking."""
    supervisor, clock = app[keys.SUPERVISOR], app[keys.CLOCK]
    live, guard_, lender = app[keys.LIVE], app[keys.GUARD], app[keys.BORROWING]
    renewal = Renewal(live, guard_, lender, app[keys.CATALOGUE], supervisor, clock)
    app[keys.RENEWAL] = renewal
    jobs: dict[str, Job] = {
        "renewal": renewal.run,
        "revocations": app[keys.CHILDREN].watch_revocations,
        "clock": app[keys.CHILDREN].watch_clock,
        "token keys": _every(ROTATES_EVERY, app[keys.TOKEN_KEYS].rotate, clock),
        "housekeeping": partial(_keep_house, app[keys.CATALOGUE], clock),
    }
    if app[keys.CONFIG].tls.on:
        jobs["certificate"] = _every(CERTIFICATE_LOOKS, app[keys.CERTIFICATES].load, clock)
    for name, job in jobs.items():
        supervisor.start(name, job, expected=EXPECTED)
    yield
    for name in jobs:
        await supervisor.end(name)


async def with_consent(app: web.Application) -> AsyncIterator[None]:
    """Behind `with_watching`: what a household stops is cut there."""
    supervisor = app[keys.SUPERVISOR]
    app[keys.CONSENT] = joined = consent.joined(
        consent.Needs(
            hub=app[keys.NODE].id,
            url=app[keys.CONFIG].url,
            state=app[keys.CONFIG].state,
            catalogue=app[keys.CATALOGUE],
            children=app[keys.CHILDREN],
            live=app[keys.LIVE],
            renewal=app[keys.RENEWAL],
            statuses=app[keys.STATUS_LISTS],
            supervisor=supervisor,
            clock=app[keys.CLOCK],
        )
    )
    joined.register(app[keys.NOTICES].phone_keys)
    supervisor.start("consent", joined.housekeeping.run, expected=(CatalogueError,))
    yield
    await supervisor.end("consent")


async def with_announcement(app: web.Application) -> AsyncIterator[None]:
    config, found, supervisor = app[keys.CONFIG], app[keys.NODE], app[keys.SUPERVISOR]
    async with discovery.announced(config, found, supervisor):
        yield


async def with_metrics(app: web.Application) -> AsyncIterator[None]:
    metrics, children = app[keys.METRICS], app[keys.CHILDREN]
    metrics.gauge("hub_agents_online", "Agents that are connected", lambda: len(children))
    metrics.gauge("hub_tasks", "Tasks of the event loop", lambda: len(asyncio.all_tasks()))
    metrics.watch_jobs(app[keys.SUPERVISOR])
    async with metrics.answered(app[keys.CONFIG].metrics):
        yield


async def tell_peers(app: web.Application) -> None:
    """Before connections are cut: viewers get a close_notify, agents a close frame."""
    await app[keys.LIVE].close()
    await app[keys.CHILDREN].close()


async def _keep_house(catalogue: Catalogue, clock: Clock) -> None:
    """Forget what has ended: secrets at once, sessions and codes after a day."""
    while True:
        now = clock.utc_ms()
        await catalogue.write(nodes.forget_ended, now)
        await catalogue.write(people.forget_ended, now - DAY_MS)
        await catalogue.write(device_grants.forget, now - DAY_MS)
        await catalogue.write(seconds.forget, now - DAY_MS)
        await catalogue.write(signs.forget_sources)
        await catalogue.write(answers.forget_old, now - once.KEPT)
        await clock.sleep(HOUSEKEEPING_EVERY)


def _every(seconds: float, work: Callable[[], None], clock: Clock) -> Job:
    """A job that does blocking work in a thread from time to time."""

    async def job() -> None:
        while True:
            await clock.sleep(seconds)
            await asyncio.to_thread(work)

    return job
