"""What carries a notice out of the house: the letter, and how handing it over can end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from village_hub.catalogue.notices import NoticeRow
from village_hub.notices import sentences
from village_hub.notices.contacts import Contact
from village_hub.notices.due import KEY_OF
from village_hub.notices.kinds import Channel, Outcome


class Result(StrEnum):
    ACCEPTED = "accepted"  # on its way; a receipt will say
    ARRIVED = "arrived"
    BOUNCED = "bounced"  # not now
    IMPOSSIBLE = "impossible"  # this addressee has no such channel, or this hub has none


@dataclass(frozen=True, slots=True)
class Letter:
    """One attempt. `reference` is the same when a crash makes us send it again, so that a carrier
    can drop the second; it comes back in receipts."""

    reference: str
    channel: Channel
    notice: NoticeRow
    text: str
    language: str
    phone: str = field(default="", repr=False)
    keys: Mapping[str, Outcome] = field(default_factory=dict)


class Carrier(Protocol):
    async def carry(self, letter: Letter) -> Result: ...


def write(
    row: NoticeRow, channel: Channel, contact: Contact | None, offered: tuple[Outcome, ...]
) -> Letter:
    """The letter for this attempt; a phone channel without a number has no `phone`."""
    language = contact.language if contact else "zh"
    if channel is Channel.VOICE:
        text = sentences.spoken(language, row.kind, row.whom, row.params, offered)
    elif channel is Channel.SMS:
        text = sentences.short(language, row.kind, row.whom, row.params)
    else:
        text = sentences.full(language, row.kind, row.whom, row.params)
    return Letter(
        reference=row.reference(channel),
        channel=channel,
        notice=row,
        text=text,
        language=language,
        phone=contact.phone if contact else "",
        keys={KEY_OF[one]: one for one in offered} if channel is Channel.VOICE else {},
    )
