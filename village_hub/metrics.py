"""Counts for operators (Prometheus), answered on an address of their own, loopback by default."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from village_core.jobs import Supervisor
from village_hub.config import MetricsConfig


class Metrics:
    """One registry an application, so that several can live in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "hub_requests", "HTTP answers", ["route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "hub_request_seconds", "Time to an answer", ["route"], registry=self.registry
        )

    def gauge(self, name: str, what: str, read: Callable[[], float]) -> None:
        """A number that is read when it is asked for."""
        Gauge(name, what, registry=self.registry).set_function(read)

    def watch_jobs(self, supervisor: Supervisor) -> None:
        self.gauge(
            "hub_jobs_waiting",
            "Background jobs that failed and wait to run again",
            lambda: sum(job.state == "waiting" for job in supervisor.states),
        )

    @web.middleware
    async def count(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Outermost: sees every answer."""
        began = time.perf_counter()
        response = await handler(request)
        route = request.match_info.route.name or "none"
        self.requests.labels(route, str(response.status)).inc()
        if route != "uplink":  # it lasts for days
            self.seconds.labels(route).observe(time.perf_counter() - began)
        return response

    @asynccontextmanager
    async def answered(self, settings: MetricsConfig) -> AsyncIterator[None]:
        """Answer GET /metrics while the context is open. Raises OSError."""
        app = web.Application()
        app.router.add_get("/metrics", self._answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            if settings.enabled:
                await web.TCPSite(runner, settings.host, settings.port).start()
            yield
        finally:
            await runner.cleanup()

    async def _answer(self, _request: web.Request) -> web.Response:
        body = generate_latest(self.registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})
