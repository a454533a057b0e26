"""What a command of `village-hub` is: its words, and what it runs."""

import argparse
from collections.abc import Awaitable, Callable, Container, Sequence
from dataclasses import dataclass
from typing import Any

from village_hub.commands import Lines, Office
from village_hub.config import Config


@dataclass(frozen=True, slots=True)
class Word:
    """One argument of a command."""

    name: str
    help: str = ""
    flag: bool = False  # --name, off unless given
    option: bool = False  # --name VALUE, required
    maybe: bool = False  # --name VALUE, may be left out

    def add_to(self, parser: argparse.ArgumentParser) -> None:
        more: dict[str, Any] = {"help": self.help}
        if self.flag:
            more["action"] = "store_true"
        elif self.option:
            more["required"] = True
        named = self.flag or self.option or self.maybe
        parser.add_argument(f"--{self.name}" if named else self.name, **more)


@dataclass(frozen=True, slots=True)
class Command:
    """`village-hub GROUP NAME WORDS...`"""

    group: str
    name: str
    help: str
    run: Callable[[Office, argparse.Namespace], Awaitable[Lines]]
    words: Sequence[Word] = ()


@dataclass(frozen=True, slots=True)
class Apart:
    """A command that needs no hub here: it may be about another's files."""

    group: str
    name: str
    help: str
    run: Callable[[Config, argparse.Namespace], Awaitable[Lines]]
    words: Sequence[Word] = ()


def tied(words: Sequence[str], valued: Container[str]) -> list[str]:
    """The words with `--key -x` as `--key=-x`: a value such as a key may begin with a dash.

    argparse takes such a value for an option (python/cpython#53580). Two dashes are never a value.
    """
    joined: list[str] = []
    for word in words:
        if joined and joined[-1] in valued and word.startswith("-") and word[:2] != "--":
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined
