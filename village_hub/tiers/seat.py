"""Where this hub sits in the tree: its tier and place, and what may join it there. Pure."""

from dataclasses import dataclass

from village_hub.config import DIGITS, Config

BELOW = {"bureau": "township", "township": "village"}


class NotBelow(Exception):  # noqa: N818 - an answer, not a failure
    """The place is none that a hub below this one could have; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Seat:
    """`place`: administrative code."""

    tier: str
    place: str

    @classmethod
    def of(cls, config: Config) -> "Seat | None":
        """None: the settings name no place."""
        if not config.place:
            return None
        return cls(config.tier, config.place)

    def check_below(self, place: str) -> str:
        """The tier of a hub for `place`. Raises NotBelow."""
        below = BELOW.get(self.tier)
        if below is None:
            raise NotBelow("homes join a village's hub, and no other hub does")
        if len(place) != DIGITS[below] or not place.isascii() or not place.isdigit():
            digits = DIGITS[below]
            raise NotBelow(f"the hub of a {below} has a code of {digits} digits, not {place!r}")
        if not place.startswith(self.place):
            raise NotBelow(f"{place} does not lie in {self.place}, which this {self.tier} is for")
        return below
