"""SOS calls driven: begun inside the transaction that raises the SOS, looked at every second, kept
in the database, so that a restart in the middle goes on where it was.

    rings.begin(session, Sos(id, household, home="王家", at="14:02", callees=(...)), settings, now)
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pydantic import BaseModel, ConfigDict

from village_core.clock import Clock
from village_core.messages import Id
from village_hub.catalogue import far, letters, notices
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
from village_hub.notices.ringing import LIVE, Act, Call, Callee, CallState, Command, Ring, Step

LOOKS_EVERY = 1.0  # seconds
SOS = "sos"  # what the calls are about: About(SOS, id)
ANSWER = "sos_answer"  # the kind of letter, to the hub that keeps the SOS


@dataclass(frozen=True, slots=True)
class Sos:
    """An SOS as the callees hear of it; `callees` in the order in which they are rung."""

    id: str
    household: str
    home: str  # the household's name
    at: str  # the time of day, in words
    callees: Sequence[Callee]


class Answer(BaseModel):
    """Somebody who was rung is coming, or cannot. `hub`: where they sign in; "" is here."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sos: Id
    holder: Id
    coming: bool
    hub: str = ""

    @property
    def who(self) -> tuple[str, str]:
        return self.holder, self.hub


def begin(session: Session, sos: Sos, settings: NoticesConfig, now: int) -> RingRow:
    """Ring the first; with nobody to ring, that is said at once."""
    calls = ringing.grouped(sos.callees, settings.ring_at_once)
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


def answer(session: Session, said: Answer, now: int) -> None:
    """Said by key or on the page. Raises NotFound."""
    row = queries.find(session, said.sos)
    if row is None or all((each.holder, each.hub) != said.who for each in row.ring.calls):
        raise NotFound("there is no such SOS call")
    if said.coming:
        step = ringing.accepted(row.ring, said.holder)
    else:
        step = ringing.declined(row.ring, said.holder, now)
    _carry_out(session, row, step, now)


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
        coming = outcome is Outcome.ACCEPT_SOS_CALL
        said = Answer(sos=row.about_id, holder=row.holder, coming=coming)
        await self._catalogue.write(_by_key, said, self._clock.utc_ms())


def _by_key(session: Session, said: Answer, now: int) -> None:
    kept = far.find(session, said.sos)
    if kept is None:
        answer(session, said, now)
    else:
        letters.write(session, kept.owner, ANSWER, said.model_dump(exclude={"hub"}), now)


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
    notices_made = port.tell(session, Notice(event, Whom.RESPONDER, _to(call)))
    session.flush()
    notice = notices_made[0] if notices_made else ""
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
    if call.hub:
        who = {"unit" if call.unit else "person": call.holder}
        return To.abroad(call.hub, **who)
    return To.duty(call.holder) if call.unit else To.one(call.holder)
