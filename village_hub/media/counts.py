"""What the streams of this node tell operators: numbers only, read when they are asked for."""

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Gauge

from village_hub.media.feed import Feed, Publishing
from village_hub.media.watching import Watching


def count(
    registry: CollectorRegistry,
    feeds: Iterable[Feed],
    viewers: Mapping[str, Watching],
    publishers: Mapping[str, Publishing],
) -> None:
    """Registers the gauges."""

    def gauge(name: str, what: str, read: Callable[[], float]) -> None:
        Gauge(name, what, registry=registry).set_function(read)

    def packets() -> float:
        return sum(feed.stream.counters.packets for feed in feeds)

    def lost() -> float:
        return sum(feed.stream.counters.lost for feed in feeds)

    def unsent() -> float:
        senders = [each.session.sender for each in viewers.values()]
        return sum(sender.full + sender.failed for sender in senders if sender is not None)

    gauge("hub_viewers", "Viewing sessions", lambda: len(viewers))
    gauge("hub_publishers", "Publishing sessions", lambda: len(publishers))
    gauge("hub_streams", "Streams with packets now", lambda: sum(feed.flowing for feed in feeds))
    gauge("hub_unsent_bursts", "Bursts that the viewers' sockets did not take", unsent)
    gauge("hub_stream_packets", "Packets of the streams that are kept now", packets)
    gauge("hub_stream_lost", "Packets missing in the streams that are kept now", lost)
