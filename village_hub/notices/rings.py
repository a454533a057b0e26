"""SOS calls driven: begun inside the transaction that raises the SOS, looked at every second, kept
in the database, so that a restart in the middle goes on where it was.

    rings.begin(session, Sos(id, household, home="王家", at="14:02", callees=(...)), settings, now)
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from village_core.clock import Clock
from village_hub.catalogue import notices
from village_hub.catalogue import rings as queries
from village_hub.catalogue.notices import NoticeRow
from village_hub.catalogue.rings import RingRow
from village_hub.catalogue.store import Catalogue, Session
from village_hub.config import NoticesConfig
from village_hub.errors import NotFound
from village_hub.notices import delivery, port, ringing
from village_hub.notices.kinds import Channel, Kind, Outcome, Whom
from village_hub.notices.phone_keys import PhoneKeys
from village_hub.notices.port import About, Event, Notice, To
from village_hub.notices.ringing import LIVE, Act, Call, CallState, Command, Ring, Step

LOOKS_EVERY = 1.0  # seconds
SOS = "sos"  # what the calls are about: About(SOS, id)


@dataclass(frozen=True, slots=True)
class Callee:
    """A person (helper, family, duty person) or a unit (the station)."""

    holder: str  # id
    name: str  # what others are told who is coming
    unit: bool = False


@dataclass(frozen=True, slots=True)
class Sos:
    """An SOS as the callees hear of it; `callees` in the order in which they are rung."""

    id: str
    household: str
    home: str  # the household's name
    at: str  # the time of day, in words
    callees: Sequence[Callee]


def begin(session: Session, sos: Sos, settings: NoticesConfig, now: int) -> RingRow:
    """Ring the first; with nobody to ring, that is said at once."""
    order = [(one.holder, one.name, one.unit) for one in sos.callees]
    calls = ringing.grouped(order, settings.ring_at_once)
    step = ringing.start(calls, settings.ring_seconds, now)
    row = RingRow(sos.id, sos.household, step[0], {"home": sos.home, "at": sos.at})
    queries.add(session, row)
    return _carry_out(session, row, step, now)


def look(session: Session, now: int) -> None:
    """What the phones did since, and what time did."""
    for found in queries.ringing(session):
        row = found
        for call in found.ring.calls:
            if call.state in LIVE:
                row = _carry_out(session, row, _heard(session, row.ring, call, now), now)
        _carry_out(session, row, ringing.look(row.ring, now), now)


def accept(session: Session, sos: str, holder: str, now: int) -> None:
    """They are coming, said by key or on the page. Raises NotFound."""
    row = _called(session, sos, holder)
    _carry_out(session, row, ringing.accepted(row.ring, holder), now)


def decline(session: Session, sos: str, holder: str, now: int) -> None:
    """They cannot come. Raises NotFound."""
    row = _called(session, sos, holder)
    _carry_out(session, row, ringing.declined(row.ring, holder, now), now)


def end(session: Session, sos: str, now: int) -> None:
    """The SOS was closed."""
    if row := queries.find(session, sos):
        _carry_out(session, row, ringing.ended(row.ring), now)


class Rings:
    """The job, and what the keys 1 and 2 do during a call."""

    def __init__(self, catalogue: Catalogue, clock: Clock) -> None:
        self._catalogue = catalogue
        self._clock = clock

    def register(self, phone_keys: PhoneKeys) -> None:
        phone_keys.on(Kind.SOS_CALL, Outcome.ACCEPT_SOS_CALL, self._on_key)
        phone_keys.on(Kind.SOS_CALL, Outcome.NO, self._on_key)

    async def run(self) -> None:
        while True:
            await self._catalogue.write(look, self._clock.utc_ms())
            await self._clock.sleep(LOOKS_EVERY)

    async def _on_key(self, row: NoticeRow, outcome: Outcome) -> None:
        act = accept if outcome is Outcome.ACCEPT_SOS_CALL else decline
        await self._catalogue.write(act, row.about_id, row.holder, self._clock.utc_ms())


def _called(session: Session, sos: str, holder: str) -> RingRow:
    row = queries.find(session, sos)
    if row is None or all(call.holder != holder for call in row.ring.calls):
        raise NotFound("there is no such SOS call")
    return row


def _heard(session: Session, ring: Ring, call: Call, now: int) -> Step:
    """What became of the call, as its notice says."""
    notice = notices.find(session, call.notice)
    if notice is None:
        return ring, ()
    progress = notice.progress
    if Channel.VOICE in progress.reached:
        return ringing.answered(ring, call.holder, now)
    if progress.given_up:
        return ringing.unreachable(ring, call.holder, now)
    return ring, ()


def _carry_out(session: Session, row: RingRow, step: Step, now: int) -> RingRow:
    ring, commands = step
    if ring is row.ring and not commands:
        return row
    for command in commands:
        ring = _do(session, replace(row, ring=ring), command, now)
    kept = replace(row, ring=ring)
    queries.keep(session, kept)
    return kept


def _do(session: Session, row: RingRow, command: Command, now: int) -> Ring:
    match command.act:
        case Act.DIAL:
            return _dial(session, row, command.holder, now)
        case Act.HANG_UP:
            _hang_up(session, row, command.holder)
        case Act.SAY_COMING:
            _say_coming(session, row, command.holder, now)
        case Act.SAY_NOBODY:
            _say_nobody(session, row, now)
    return row.ring


def _dial(session: Session, row: RingRow, holder: str, now: int) -> Ring:
    call = _call(row, holder)
    event = Event(Kind.SOS_CALL, About(SOS, row.id), now, row.params)
    [notice] = port.tell(session, Notice(event, Whom.RESPONDER, _to(call)))
    session.flush()
    calls = tuple(
        replace(one, notice=notice) if one.holder == holder else one for one in row.ring.calls
    )
    return replace(row.ring, calls=calls)


def _hang_up(session: Session, row: RingRow, holder: str) -> None:
    """What already rings, rings out; but nobody is called anew."""
    if notice := notices.find(session, _call(row, holder).notice):
        notices.keep(session, notice.id, delivery.withdrawn(notice.progress))


def _say_coming(session: Session, row: RingRow, holder: str, now: int) -> None:
    params = {**row.params, "who": _call(row, holder).name}
    event = Event(Kind.SOS_ACCEPTED, About(SOS, row.id), now, params)
    units = [_to(call) for call in row.ring.calls if call.unit]
    owners = [To.owners(row.household)]
    port.announce(session, event, {Whom.OWNER: owners, Whom.RESPONDER: units})


def _say_nobody(session: Session, row: RingRow, now: int) -> None:
    """Aloud: to the household, and to all who may still help."""
    event = Event(Kind.SOS_NOBODY, About(SOS, row.id), now, row.params)
    owners = [To.owners(row.household)]
    others = [_to(call) for call in row.ring.calls if call.state is not CallState.DECLINED]
    port.announce(session, event, {Whom.OWNER: owners, Whom.RESPONDER: others})


def _call(row: RingRow, holder: str) -> Call:
    return next(call for call in row.ring.calls if call.holder == holder)


def _to(call: Call) -> To:
    return To.duty(call.holder) if call.unit else To.one(call.holder)
