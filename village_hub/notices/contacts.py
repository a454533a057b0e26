"""How somebody is reached: a phone number in one form (E.164), an order of channels, a language."""

import re
from dataclasses import dataclass, field

from village_hub.errors import Unprocessable
from village_hub.notices.kinds import Channel

PHONE_CHANNELS = (Channel.SMS, Channel.VOICE)
CHINESE_MOBILE = re.compile(r"1[3-9]\d{9}")
CHINESE_LANDLINE = re.compile(r"0\d{9,11}")  # area code and number
E164 = re.compile(r"\+[1-9]\d{6,14}")
WRITTEN_BETWEEN = re.compile(r"[\s\-.()（）－]")  # what people put between digits


@dataclass(frozen=True, slots=True)
class Contact:
    """One holder (a person or a unit) and their phone."""

    holder: str
    phone: str = field(repr=False)  # never in a log
    channels: tuple[Channel, ...] = ()  # in order of preference; none: as the matter asks for
    language: str = "zh"


def normal_phone(text: str) -> str:
    """The number in E.164, a bare Chinese one with +86 before. Raises Unprocessable, which does not
    repeat it."""
    bare = WRITTEN_BETWEEN.sub("", text)
    if bare.startswith("00"):
        bare = f"+{bare[2:]}"
    elif CHINESE_MOBILE.fullmatch(bare):
        bare = f"+86{bare}"
    elif CHINESE_LANDLINE.fullmatch(bare):
        bare = f"+86{bare[1:]}"
    wrong_mobile = bare.startswith("+861") and not CHINESE_MOBILE.fullmatch(bare[3:])
    if not E164.fullmatch(bare) or (wrong_mobile and not bare.startswith("+8610")):
        raise Unprocessable("this is not a phone number; give all its digits", code="bad_phone")
    return bare


def in_order(
    wanted: tuple[Channel, ...], must: frozenset[Channel], preferred: tuple[Channel, ...]
) -> tuple[Channel, ...]:
    """The channels of a duty: what must work first, then as the addressee prefers; a preference
    drops none."""
    rank = {channel: place for place, channel in enumerate(preferred)}
    rank |= dict.fromkeys(must, -1)
    phone = iter(
        sorted((one for one in wanted if one in PHONE_CHANNELS), key=lambda one: rank.get(one, 9))
    )
    return tuple(next(phone) if one in PHONE_CHANNELS else one for one in wanted)
