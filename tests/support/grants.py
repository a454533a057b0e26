"""A household that gives grants, for the tests of them: real keys, made-up people."""

from datetime import UTC, datetime
from typing import Any

from village_core.grant_tokens import AtHome, House, sign_grant
from village_core.grants import GrantKind, GrantTerms, Hours, Recipient
from village_core.keys import SigningKey
from village_core.permits import Action, CameraClass, Purpose, Role
from village_core.tokens import Issuer

HOUSEHOLD, HUB = "household-7", "hub-1"
KEY = SigningKey.make()
HOUSE = House(HOUSEHOLD, KEY.public, HUB)

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
NOW = int(datetime(2026, 11, 23, 2, 0, tzinfo=UTC).timestamp() * 1000)  # Monday, 10:00 in UTC+8

YARD, GATE, ROOM, LANE = "yard", "gate", "room", "lane"
CLASSES = {
    YARD: CameraClass.H_OUT,
    GATE: CameraClass.H_OUT,
    ROOM: CameraClass.H_IN,
    LANE: CameraClass.P9,
}

SON = Recipient(issuer=HUB, person="son", name="Li Ming", contact="138 0000 0000")
DUTY = Recipient(
    issuer=HUB, unit="xicun", role=Role.COMMITTEE, name="Xicun duty", contact="village hall"
)
NURSE = Recipient(unit="clinic", role=Role.CARER, name="Clinic", contact="clinic, Tuesdays")
POLICE = Recipient(unit="station", role=Role.STATION_OFFICER, name="Station", contact="110")
ALL_DAYS = frozenset(range(7))
MORNINGS = (Hours(days=frozenset({0, 2, 4}), begin=8 * 60, end=11 * 60),)


class SetClock:
    def __init__(self, ms: int = NOW) -> None:
        self.ms = ms

    def utc_ms(self) -> int:
        return self.ms

    def monotonic(self) -> float:
        return self.ms / 1000

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing here sleeps")


OF_KIND: dict[GrantKind, dict[str, Any]] = {
    GrantKind.FAMILY: {
        "recipient": SON,
        "actions": {Action.LIVE, Action.STILL, Action.PLAYBACK},
        "purpose": Purpose.FAMILY,
        "until": NOW + 3650 * DAY,
    },
    GrantKind.AWAY_WATCH: {
        "recipient": DUTY,
        "actions": {Action.LIVE},
        "purpose": Purpose.GUARD_HOME,
        "hours": MORNINGS,
        "until": NOW + 30 * DAY,
    },
    GrantKind.CARER: {
        "recipient": NURSE,
        "actions": {Action.LIVE, Action.CARE},
        "purpose": Purpose.CARE,
        "hours": MORNINGS,
        "until": NOW + 30 * DAY,
    },
    GrantKind.LIVE: {
        "recipient": POLICE,
        "actions": {Action.LIVE},
        "purpose": Purpose.CASE,
        "until": NOW + DAY,
    },
    GrantKind.CLIP: {
        "recipient": POLICE,
        "actions": {Action.CLIP},
        "purpose": Purpose.CASE,
        "footage": (NOW - 13 * HOUR, NOW - HOUR),
        "until": NOW + 30 * DAY,
    },
    GrantKind.SOS: {
        "recipient": DUTY,
        "responders": (POLICE, SON),
        "actions": {Action.LIVE, Action.CLIP},
        "purpose": Purpose.SOS,
        "until": NOW + 3650 * DAY,
    },
}


def terms(kind: GrantKind = GrantKind.FAMILY, **changes: Any) -> GrantTerms:
    """Terms that a household may agree to; `changes` make them what they are tested for."""
    said = {
        "kind": kind,
        "cameras": {YARD},
        "not_before": NOW,
        "why": "as they asked",
        "stop": "the list in the app, or call the committee",
        **OF_KIND[kind],
        **changes,
    }
    return GrantTerms(**said)


def issuer(key: SigningKey = KEY, name: str = HOUSEHOLD, ms: int = NOW) -> Issuer:
    return Issuer(name, key, SetClock(ms))


def signed(what: GrantTerms | None = None, **more: Any) -> str:
    return sign_grant(issuer(), HUB, what or terms(), AtHome(person="owner"), **more)
