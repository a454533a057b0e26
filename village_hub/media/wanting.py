"""Who wants a feed, told to the child that sends it: the push it runs stands on their permits."""

from village_core.jobs import Supervisor
from village_core.permits import PermitNote
from village_hub.media.feed import Feed
from village_hub.media.pull import Pulls
from village_hub.tiers.children import Method


class Wanting:
    def __init__(self, pulls: Pulls, supervisor: Supervisor) -> None:
        self._pulls = pulls
        self._supervisor = supervisor

    def want(self, feed: Feed, key: str, note: PermitNote, node: str | None) -> None:
        """From now on, until `feed.release(key)`; `node` None: it is sent without being asked."""
        joins = bool(feed.wanted)
        feed.want(key, note)
        if node is None:
            return
        self._pulls.ensure(feed, node)
        if joins or feed.flowing:
            self.say(node, "PUT", note)

    def say(self, node: str, method: Method, note: PermitNote) -> None:
        """PUT: one more permit, or the same for longer; DELETE: it is over."""
        body = note if method == "PUT" else None
        telling = self._pulls.tell(node, method, f"/permits/{note.id}", body)
        _ = self._supervisor.once(f"permit {note.id}", telling)
