"""Who must be told of what, by when: the data against the requirements, rule by rule."""

import re

import pytest

from village_hub.notices.due import (
    AT_ONCE,
    DAY,
    HOUR,
    KEY_OF,
    KEYS,
    LONGEST_DELAY,
    LONGEST_RENEWED,
    MINUTE,
    RULES,
    Duty,
    outcomes,
)
from village_hub.notices.kinds import Channel, Kind, Outcome, Whom

K, W = Kind, Whom

# What requirements.md says: the rule, the event, who is told of it, by when at the latest.
MUST_BE_TOLD = [
    ("PRM-4", K.GRANT_STOPPED, W.OWNER, HOUR),
    ("PRM-4", K.GRANT_STOPPED, W.RECIPIENT, HOUR),
    ("PRM-5", K.FAMILY_YEARLY, W.OWNER, DAY),  # "reminder once a year"
    ("PRM-5", K.INVITATION_USED, W.OWNER, AT_ONCE),
    ("PRM-5", K.GRANT_ENDS_SOON, W.OWNER, DAY),  # carer: "then asked again"
    ("PRM-5", K.GRANT_EXPIRED, W.OWNER, DAY),
    ("PRM-5", K.GRANT_GIVEN, W.RECIPIENT, HOUR),
    ("PRM-6", K.SOS_RAISED, W.OWNER, AT_ONCE),  # "auto-notice to owner + next of kin"
    ("PRM-6", K.SOS_RAISED, W.KIN, AT_ONCE),
    ("PRM-6", K.SOS_RAISED, W.RESPONDER, AT_ONCE),
    ("PRM-6", K.SOS_REASON_DUE, W.RESPONDER, HOUR),  # "reason closed within 24 h"
    ("PRM-6", K.SOS_REVIEW_LATE, W.AUDITOR, AT_ONCE),
    ("PRM-6", K.SOS_REVIEWED, W.OWNER, DAY),
    ("MED-18", K.SOS_VIEWED, W.OWNER, AT_ONCE),
    ("PRM-7", K.EMERGENCY_OPENED, W.OWNER, AT_ONCE),  # "owner told at once"
    ("PRM-7", K.EMERGENCY_OPENED, W.SECOND, 30 * MINUTE),  # confirms within 30 min
    ("PRM-7", K.EMERGENCY_OPENED, W.UNIT_HEAD, DAY),  # approves within 24 h
    ("PRM-7", K.EMERGENCY_LAPSED, W.ASKER, AT_ONCE),
    ("PRM-7", K.EMERGENCY_BREACH, W.AUDITOR, AT_ONCE),  # "else flagged as breach"
    ("PRM-8", K.REQUEST_TO_APPROVE, W.UNIT_HEAD, HOUR),
    ("PRM-8", K.REQUEST_APPROVED, W.OWNER, HOUR),  # countersigns or notes refusal
    ("PRM-8", K.OWNER_UNREACHED, W.CUSTODIAN, HOUR),
    ("PRM-8", K.REQUEST_ANSWERED, W.ASKER, HOUR),
    ("PRM-8", K.CLIP_TAKEN, W.OWNER, HOUR),
    ("PRM-8", K.CLIP_OVERDUE, W.ASKER, HOUR),  # return-by time
    ("PRM-9", K.ASK_TO_REVIEW, W.SECOND, HOUR),
    ("PRM-9", K.ASK_MADE, W.OWNER, HOUR),
    ("PRM-10", K.DELAY_GRANTED, W.AUDITOR, AT_ONCE),  # "auditor sees every delay at once"
    ("PRM-10", K.DELAY_RENEWED, W.AUDITOR, AT_ONCE),
    ("PRM-11", K.SECOND_NEEDED, W.SECOND, 30 * MINUTE),
    ("PRM-12", K.CONCERNED_ASKED, W.CUSTODIAN, HOUR),
    ("PRM-13", K.FILMED_ASKED, W.FILMED, HOUR),
    ("PRM-13", K.FILMED_STOPPED, W.OWNER, HOUR),
    ("PRM-18", K.PRESERVE_PLACED, W.OWNER, HOUR),  # "households are told"
    ("PRM-18", K.PRESERVE_PLACED, W.SECOND, DAY),  # confirms within 24 h
    ("PRM-18", K.PRESERVE_LAPSED, W.ASKER, HOUR),
    ("PRM-19", K.OBJECTION_FILED, W.OWNER, HOUR),
    ("PRM-19", K.OBJECTION_FILED, W.MEDIATOR, HOUR),
    ("PRM-19", K.OBJECTION_FILED, W.AUDITOR, AT_ONCE),
    ("PRM-19", K.OBJECTION_LATE, W.AUDITOR, AT_ONCE),
    ("PRM-19", K.VIEW_TO_APPROVE, W.OWNER, HOUR),
    ("PRM-21", K.WINDOW_GRANT, W.OWNER, DAY),  # before it starts, 24 h later
    ("PRM-21", K.WINDOW_GRANT, W.AUDITOR, DAY),  # "sampled by the auditor"
    ("PRM-21", K.BOX_CHANGED, W.OWNER, AT_ONCE),
    ("PRM-22", K.DISPUTE_JOINED, W.PARTY, HOUR),
    ("PRM-22", K.DISPUTE_LOOKED, W.PARTY, HOUR),  # "both are told what was looked at"
    ("PRM-22", K.DISPUTE_CLOSED, W.PARTY, HOUR),
    ("PRM-23", K.SOS_CALL, W.RESPONDER, AT_ONCE),
    ("PRM-23", K.SOS_NOBODY, W.OWNER, AT_ONCE),
    ("AUD-4", K.LOG_DISPUTED, W.AUDITOR, 3 * DAY),
    ("AUD-4", K.LOG_DISPUTE_LATE, W.AUDITOR, AT_ONCE),
    ("AUD-4", K.LOG_DISPUTE_ANSWERED, W.ASKER, HOUR),
    ("AUD-10", K.DATA_BREACH, W.OWNER, DAY),
    ("AUD-10", K.DATA_BREACH, W.CUSTODIAN, DAY),
    ("IDN-10", K.STALE_VIEW, W.AUDITOR, AT_ONCE),
    ("RET-4", K.STORAGE_LOW, W.ADMIN, HOUR),
]
DUTIES = [(kind, duty) for kind, rule in RULES.items() for duty in rule.duties]


@pytest.mark.parametrize(("rule", "kind", "whom", "within"), MUST_BE_TOLD)
def test_whoever_a_requirement_names_is_told_in_time(
    rule: str, kind: Kind, whom: Whom, within: int
) -> None:
    """PRM-4 to PRM-23, MED-18, AUD-4, AUD-10, IDN-10, RET-4."""
    assert RULES[kind].duty(whom).within <= within
    assert RULES[kind].requirement == rule


def test_every_event_has_a_rule_and_every_rule_a_requirement() -> None:
    assert set(RULES) == set(Kind)
    for kind, rule in RULES.items():
        assert re.fullmatch(r"[A-Z]{3}-\d+", rule.requirement), kind
        parts = [duty.whom for duty in rule.duties]
        assert parts, kind
        assert len(parts) == len(set(parts)), kind


def test_only_notices_to_a_household_about_a_case_can_be_delayed() -> None:
    """PRM-10; an SOS and an emergency are told at once (PRM-6, PRM-7)."""
    assert {(kind, duty.whom) for kind, duty in DUTIES if duty.delayable} == {
        (K.REQUEST_APPROVED, W.OWNER),
        (K.CLIP_TAKEN, W.OWNER),
        (K.PRESERVE_PLACED, W.OWNER),
        (K.PRESERVE_LAPSED, W.OWNER),
    }
    assert (LONGEST_DELAY, LONGEST_RENEWED) == (7 * DAY, 30 * DAY)


@pytest.mark.parametrize(("kind", "duty"), DUTIES)
def test_what_cannot_wait_is_not_left_to_the_page(kind: Kind, duty: Duty) -> None:
    if duty.within <= 15 * MINUTE:
        assert duty.channels, f"{kind} to {duty.whom}"
    assert duty.must <= {*duty.channels, Channel.SLIP}
    assert Channel.PAGE not in duty.channels


def test_who_is_rung_in_order_is_not_called_all_at_once_besides() -> None:
    """PRM-23: the SOS itself goes to those who are rung by text only."""
    assert Channel.VOICE not in RULES[K.SOS_RAISED].duty(W.RESPONDER).channels
    assert RULES[K.SOS_CALL].duty(W.RESPONDER).must == {Channel.VOICE}


def test_consent_at_the_window_is_announced_by_call_and_printed_slip() -> None:
    """PRM-21."""
    assert RULES[K.WINDOW_GRANT].duty(W.OWNER).must == {Channel.VOICE, Channel.SLIP}


def test_no_key_says_yes() -> None:
    """PRM-23, IDN-11: nothing that a phone or a text message brings widens consent."""
    assert set(Outcome) == {Outcome.STOP, Outcome.NO, Outcome.ACCEPT_SOS_CALL}
    accepting = [kind for kind, found in KEYS.items() if Outcome.ACCEPT_SOS_CALL in found]
    assert accepting == [K.SOS_CALL]
    assert set(KEY_OF) == set(Outcome)
    assert len(set(KEY_OF.values())) == len(Outcome)


def test_whoever_is_told_of_a_grant_of_theirs_can_stop_it_by_key() -> None:
    """PRM-4: one can stop by phone."""
    for kind in (K.GRANT_GIVEN, K.GRANT_ENDS_SOON, K.FAMILY_YEARLY, K.WINDOW_GRANT):
        assert Outcome.STOP in outcomes(kind, W.OWNER)
        assert outcomes(kind, W.RECIPIENT) == ()
    assert outcomes(K.ASK_MADE, W.OWNER) == (Outcome.NO,)
