"""Reading on what a home wrote down itself (AUD-2), into the log that its household reads.

In one transaction: a batch is taken in whole or not at all, and told twice it is taken in once.
"""

from collections import defaultdict
from collections.abc import Sequence

from village_core.clock import Clock
from village_core.messages import LogLine
from village_hub.audit import home_chain, home_lines
from village_hub.audit.entry import Entry
from village_hub.audit.home_lines import Home
from village_hub.catalogue import audit, cameras, home_log
from village_hub.catalogue.rows import NodeRow
from village_hub.catalogue.store import Session

DAY = 24 * 3600 * 1000  # ms
MOST_A_DAY = 20_000  # lines of one home: far more than looks can be
KEPT = 120 * DAY  # that a line was told; a home keeps none for longer than 90 days


def take_in(session: Session, node: NodeRow, lines: Sequence[LogLine], clock: Clock) -> bool:
    """False, and nothing is taken in: too many of this home in a day."""
    now = clock.utc_ms()
    kept = home_log.kept(session, node.id, {line.number for line in lines})
    followed = home_chain.follow(lines, kept)
    told = home_log.received_since(session, node.id, now - DAY)
    if told + len(followed.new) > MOST_A_DAY:
        return False
    home_log.add(session, node.id, followed.new, now)
    home_log.forget(session, node.id, now - KEPT)
    home = _home(session, node)
    for found in followed.faults:
        audit.append(session, home_lines.entry_of_fault(found, home, clock))
    _merge(session, home, followed.new, clock)
    return True


def _merge(session: Session, home: Home, lines: Sequence[LogLine], clock: Clock) -> None:
    known: defaultdict[str, list[Entry]] = defaultdict(list)
    known |= home_log.by_permit(session, home_lines.permits_of(lines))
    for line in lines:
        for entry in home_lines.entries_of(line, home, known, clock):
            audit.append(session, entry)
            if entry.permit:
                known[entry.permit].append(entry)


def _home(session: Session, node: NodeRow) -> Home:
    there = cameras.of_households(session, (node.household,))
    return Home(node.id, node.household, {camera.id: camera.name for camera in there})
