"""What the streams of this node tell operators: numbers only, read when they are asked for."""

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Gauge

from village_hub.media.feed import Feed


def count(registry: CollectorRegistry, feeds: Iterable[Feed]) -> None:
    """Registers the gauges."""

    def gauge(name: str, what: str, read: Callable[[], float]) -> None:
        Gauge(name, what, registry=registry).set_function(read)

    def packets() -> float:
        return sum(feed.stream.counters.packets for feed in feeds)

    def lost() -> float:
        return sum(feed.stream.counters.lost for feed in feeds)

    gauge("hub_stream_packets", "Packets of the streams that are kept now", packets)
    gauge("hub_stream_lost", "Packets missing in the streams that are kept now", lost)
