"""A home's box that was erased leaves the village (DEV-10): its key is gone, and with it whatever
the household had agreed to. It agrees anew with another box."""

from village_core.clock import Clock
from village_hub.audit import making
from village_hub.audit.entry import EntryKind
from village_hub.catalogue import audit, grants, nodes
from village_hub.catalogue.rows import NodeRow
from village_hub.catalogue.store import Session

BOX_LEFT = "box_left"
NO_BOX = ""  # which signed nothing


def leave(session: Session, node: NodeRow, clock: Clock) -> None:
    """Its cameras become tombstones; its grants are stopped, in the status list too."""
    now = clock.utc_ms()
    if not nodes.revoke(session, node.id, now):
        return  # in the same moment from elsewhere
    ended = grants.stop_of_nodes_gone(session, node.household, NO_BOX, now)
    about = {"node": node.id, "grants": len(ended)}
    household = node.household  # its own act: it stands in the log that it reads
    entry = making.system(clock, BOX_LEFT, kind=EntryKind.ACT, household=household, about=about)
    audit.append(session, entry)
