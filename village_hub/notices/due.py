"""Who must be told of what, by when and by which way at least: data, and the tests walk it.

One `Duty` a part that must be told. `within` counts from the event (or from the release, where a
delay was granted). `channels` are what it is sent by besides the page, in the order that holds
unless the addressee chose another; those in `must` have to work even when the page was read.
`delayable` is true only where PRM-10 allows a delay: notices to a household about a case.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from village_hub.notices.delivery import ROUNDS
from village_hub.notices.kinds import Channel, Kind, Outcome, Whom

SECOND = 1000  # ms
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
AT_ONCE = MINUTE  # what a gateway needs to hand over a message

CALL = (Channel.VOICE, Channel.SMS)  # cannot wait
TEXT = (Channel.SMS, Channel.VOICE)
BRIEF = (Channel.SMS,)
SYSTEM = (Channel.WEBHOOK, Channel.SMS)  # a unit: its own system, else its phone
ALARM = (Channel.WEBHOOK, Channel.VOICE, Channel.SMS)
QUIET = ()  # the page is enough

LONGEST_DELAY = 7 * DAY  # PRM-10, by one rank up
LONGEST_RENEWED = 30 * DAY  # PRM-10, by the county's legal affairs


@dataclass(frozen=True, slots=True)
class Duty:
    """One part that must be told."""

    whom: Whom
    within: int  # ms
    channels: tuple[Channel, ...] = QUIET
    must: frozenset[Channel] = frozenset()
    delayable: bool = False
    rounds: int = ROUNDS


@dataclass(frozen=True, slots=True)
class Rule:
    """An event, the requirement that says who is told, and the duties."""

    requirement: str
    duties: tuple[Duty, ...]

    def duty(self, whom: Whom) -> Duty:
        """Raises KeyError when nobody in that part is told of it."""
        for duty in self.duties:
            if duty.whom is whom:
                return duty
        raise KeyError(whom)


def _rule(requirement: str, *duties: Duty) -> Rule:
    return Rule(requirement, duties)


_OWNER_SOON = Duty(Whom.OWNER, 15 * MINUTE, TEXT)
_OWNER_NOW = Duty(Whom.OWNER, AT_ONCE, TEXT)
_OWNER_CALLED = Duty(Whom.OWNER, AT_ONCE, CALL)
_OWNER_DELAYABLE = Duty(Whom.OWNER, 15 * MINUTE, TEXT, delayable=True)
_AUDITOR_NOW = Duty(Whom.AUDITOR, AT_ONCE, BRIEF)
_AUDITOR_DAY = Duty(Whom.AUDITOR, DAY)
_SECOND_SOON = Duty(Whom.SECOND, 5 * MINUTE, CALL)
_ASKER_SOON = Duty(Whom.ASKER, HOUR, BRIEF)
_RECIPIENT = Duty(Whom.RECIPIENT, 15 * MINUTE, BRIEF)
_BY_CALL_AND_SLIP = frozenset({Channel.VOICE, Channel.SLIP})

RULES: Mapping[Kind, Rule] = MappingProxyType(
    {
        # SOS
        Kind.SOS_RAISED: _rule(
            "PRM-6",
            _OWNER_CALLED,
            Duty(Whom.KIN, AT_ONCE, TEXT),
            Duty(Whom.RESPONDER, AT_ONCE, SYSTEM),  # not by call: SOS_CALL rings them in order
        ),
        Kind.SOS_CALL: _rule(
            "PRM-23",
            Duty(
                Whom.RESPONDER, 30 * SECOND, (Channel.VOICE,), frozenset({Channel.VOICE}), rounds=1
            ),
        ),
        Kind.SOS_ACCEPTED: _rule(
            "PRM-23", _OWNER_CALLED, Duty(Whom.RESPONDER, AT_ONCE, (Channel.WEBHOOK,))
        ),
        Kind.SOS_NOBODY: _rule("PRM-23", _OWNER_CALLED, Duty(Whom.RESPONDER, AT_ONCE, ALARM)),
        Kind.SOS_VIEWED: _rule("MED-18", _OWNER_NOW),
        Kind.SOS_REASON_DUE: _rule("PRM-6", Duty(Whom.RESPONDER, HOUR, SYSTEM)),
        Kind.SOS_REVIEW_LATE: _rule("PRM-6", _AUDITOR_NOW, _OWNER_SOON),
        Kind.SOS_REVIEWED: _rule("PRM-6", Duty(Whom.OWNER, DAY, BRIEF)),
        # documented emergency
        Kind.EMERGENCY_OPENED: _rule(
            "PRM-7", _OWNER_CALLED, _SECOND_SOON, Duty(Whom.UNIT_HEAD, HOUR, TEXT)
        ),
        Kind.EMERGENCY_LAPSED: _rule(
            "PRM-7", Duty(Whom.ASKER, AT_ONCE, BRIEF), Duty(Whom.UNIT_HEAD, HOUR, BRIEF)
        ),
        Kind.EMERGENCY_BREACH: _rule(
            "PRM-7", _AUDITOR_NOW, _OWNER_SOON, Duty(Whom.UNIT_HEAD, HOUR, TEXT)
        ),
        # requests
        Kind.REQUEST_TO_APPROVE: _rule("PRM-8", Duty(Whom.UNIT_HEAD, HOUR, TEXT)),
        Kind.REQUEST_APPROVED: _rule(
            "PRM-8", _OWNER_DELAYABLE, Duty(Whom.CUSTODIAN, HOUR, BRIEF), _ASKER_SOON
        ),
        Kind.REQUEST_REFUSED: _rule("PRM-8", _ASKER_SOON),
        Kind.REQUEST_ANSWERED: _rule("PRM-8", _ASKER_SOON),
        Kind.OWNER_UNREACHED: _rule("PRM-8", Duty(Whom.CUSTODIAN, HOUR, TEXT)),
        Kind.CLIP_TAKEN: _rule("PRM-8", _OWNER_DELAYABLE),
        Kind.CLIP_OVERDUE: _rule("PRM-8", _ASKER_SOON, _AUDITOR_DAY),
        Kind.DELAY_GRANTED: _rule("PRM-10", _AUDITOR_NOW),
        Kind.DELAY_RENEWED: _rule("PRM-10", _AUDITOR_NOW),
        Kind.SECOND_NEEDED: _rule("PRM-11", _SECOND_SOON),
        # asks
        Kind.ASK_TO_REVIEW: _rule("PRM-9", Duty(Whom.SECOND, HOUR, TEXT)),
        Kind.ASK_MADE: _rule("PRM-9", Duty(Whom.OWNER, HOUR, TEXT)),
        Kind.HELP_ASKED: _rule("PRM-9", Duty(Whom.CUSTODIAN, HOUR, BRIEF)),
        Kind.HELP_TAKEN: _rule("PRM-9", _ASKER_SOON),
        Kind.HELP_ANSWERED: _rule("PRM-9", _ASKER_SOON),
        Kind.HELP_CLOSED: _rule("PRM-9", _ASKER_SOON),
        Kind.HELP_EXPIRED: _rule("PRM-9", _ASKER_SOON, Duty(Whom.CUSTODIAN, DAY, BRIEF)),
        Kind.CONCERNED_ASKED: _rule("PRM-12", Duty(Whom.CUSTODIAN, HOUR, BRIEF)),
        Kind.CONCERNED_ANSWERED: _rule("PRM-12", _ASKER_SOON),
        Kind.FILMED_ASKED: _rule("PRM-13", Duty(Whom.FILMED, HOUR, TEXT)),
        Kind.FILMED_STOPPED: _rule("PRM-13", _OWNER_SOON, _RECIPIENT),
        # preserve, objection, dispute
        Kind.PRESERVE_PLACED: _rule("PRM-18", _OWNER_DELAYABLE, Duty(Whom.SECOND, HOUR, TEXT)),
        Kind.PRESERVE_LAPSED: _rule("PRM-18", _ASKER_SOON, Duty(Whom.OWNER, DAY, delayable=True)),
        Kind.OBJECTION_FILED: _rule(
            "PRM-19", _OWNER_SOON, Duty(Whom.MEDIATOR, HOUR, TEXT), _AUDITOR_NOW
        ),
        Kind.OBJECTION_LATE: _rule("PRM-19", Duty(Whom.MEDIATOR, HOUR, TEXT), _AUDITOR_NOW),
        Kind.VIEW_TO_APPROVE: _rule("PRM-19", Duty(Whom.OWNER, HOUR, TEXT)),
        Kind.DISPUTE_FILED: _rule("PRM-22", Duty(Whom.CUSTODIAN, HOUR, BRIEF)),
        Kind.DISPUTE_JOINED: _rule("PRM-22", Duty(Whom.PARTY, HOUR, TEXT)),
        Kind.DISPUTE_LOOKED: _rule("PRM-22", Duty(Whom.PARTY, HOUR, TEXT)),
        Kind.DISPUTE_CLOSED: _rule("PRM-22", Duty(Whom.PARTY, HOUR, TEXT)),
        # grants
        Kind.GRANT_GIVEN: _rule("PRM-5", _OWNER_NOW, _RECIPIENT),
        Kind.GRANT_STOPPED: _rule("PRM-4", _OWNER_SOON, _RECIPIENT),
        Kind.GRANT_EXPIRED: _rule("PRM-5", Duty(Whom.OWNER, DAY), Duty(Whom.RECIPIENT, DAY)),
        Kind.GRANT_ENDS_SOON: _rule("PRM-5", Duty(Whom.OWNER, DAY, TEXT), _RECIPIENT),
        Kind.FAMILY_YEARLY: _rule("PRM-5", Duty(Whom.OWNER, DAY, TEXT)),
        Kind.INVITATION_USED: _rule("PRM-5", _OWNER_NOW),
        Kind.GRANT_ASKED: _rule("PRM-20", Duty(Whom.OWNER, HOUR, TEXT)),
        Kind.WINDOW_GRANT: _rule(
            "PRM-21", Duty(Whom.OWNER, 12 * HOUR, CALL, must=_BY_CALL_AND_SLIP), _AUDITOR_DAY
        ),
        Kind.BOX_CHANGED: _rule("PRM-21", _OWNER_CALLED, _SECOND_SOON),
        # people
        Kind.OWNER_ADDED: _rule("IDN-16", _OWNER_SOON),
        Kind.CODE_USED: _rule("IDN-16", _OWNER_SOON),
        Kind.APPOINTMENT_ENDED: _rule("PRM-11", Duty(Whom.APPOINTED, HOUR, TEXT), _AUDITOR_NOW),
        # oversight
        Kind.LOG_DISPUTED: _rule("AUD-4", Duty(Whom.AUDITOR, HOUR, BRIEF)),
        Kind.LOG_DISPUTE_LATE: _rule("AUD-4", _AUDITOR_NOW),
        Kind.LOG_DISPUTE_ANSWERED: _rule("AUD-4", _ASKER_SOON),
        Kind.STALE_VIEW: _rule("IDN-10", _AUDITOR_NOW, _OWNER_SOON),
        Kind.DATA_BREACH: _rule(
            "AUD-10", Duty(Whom.OWNER, DAY, TEXT), Duty(Whom.CUSTODIAN, DAY, ALARM), _AUDITOR_NOW
        ),
        # the boxes
        Kind.CAMERA_OFFLINE: _rule("DEV-12", Duty(Whom.OWNER, HOUR, BRIEF)),
        Kind.STORAGE_LOW: _rule("RET-4", Duty(Whom.ADMIN, HOUR, SYSTEM)),
    }
)

# What a phone key may bring about, by kind; one key each, so that a wrong one does nothing. 1 is
# what people press to say yes: it means nothing but "I am coming".
KEYS: Mapping[Kind, tuple[Outcome, ...]] = MappingProxyType(
    {
        Kind.SOS_CALL: (Outcome.ACCEPT_SOS_CALL, Outcome.NO),
        Kind.SOS_VIEWED: (Outcome.STOP,),
        Kind.ASK_MADE: (Outcome.NO,),
        Kind.GRANT_ASKED: (Outcome.NO,),
        Kind.FILMED_ASKED: (Outcome.NO,),
        Kind.VIEW_TO_APPROVE: (Outcome.NO,),
        Kind.GRANT_GIVEN: (Outcome.STOP,),
        Kind.GRANT_ENDS_SOON: (Outcome.STOP,),
        Kind.FAMILY_YEARLY: (Outcome.STOP,),
        Kind.INVITATION_USED: (Outcome.STOP,),
        Kind.WINDOW_GRANT: (Outcome.STOP,),
    }
)
KEY_OF: Mapping[Outcome, str] = MappingProxyType(
    {Outcome.ACCEPT_SOS_CALL: "1", Outcome.NO: "2", Outcome.STOP: "9"}
)
_MAY_PRESS = frozenset({Whom.OWNER, Whom.FILMED, Whom.RESPONDER})


def outcomes(kind: Kind, whom: Whom) -> tuple[Outcome, ...]:
    """What this addressee may bring about by key."""
    return KEYS.get(kind, ()) if whom in _MAY_PRESS else ()
