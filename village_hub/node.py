"""Who this hub is: its id and node key, made at the first start and kept in the state folder."""

from dataclasses import dataclass
from pathlib import Path

from village_core.clock import Clock
from village_core.ids import new_id
from village_core.keys import KeyFileError, SigningKey, write_new
from village_hub.config import Config


@dataclass(frozen=True, slots=True)
class Node:
    id: str
    name: str
    url: str
    key: SigningKey


def load_node(config: Config, clock: Clock) -> Node:
    """Blocks on the disk. Raises KeyFileError."""
    key = SigningKey.load_or_make(config.state / "node.key")
    return Node(_id(config.state / "hub.id", clock), config.name, config.url, key)


def _id(path: Path, clock: Clock) -> str:
    try:
        if not path.exists():
            write_new(path, f"{new_id(clock)}\n".encode())
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileError(f"{path} cannot be used: {error}") from error
    if not text:
        raise KeyFileError(f"{path} is empty")
    return text
