"""What a process costs, by /proc, and the machine that the numbers are from."""

import os
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and all its threads since its start."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident(pid: int) -> float:
    """Resident memory in MB (10**6 bytes)."""
    return _status(pid, "VmRSS") * 1024 / 1e6


def threads(pid: int) -> int:
    return _status(pid, "Threads")


def sockets(pid: int) -> int:
    """How many it has open."""
    return sum(_is_socket(path) for path in Path(f"/proc/{pid}/fd").iterdir())


def _is_socket(path: Path) -> bool:
    try:
        return str(path.readlink()).startswith("socket:")
    except FileNotFoundError:  # closed since it was listed
        return False


def _status(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise KeyError(name)


@dataclass(slots=True)
class Meter:
    """CPU of one process between two moments. `Meter(pid)`, later `.seconds()`."""

    pid: int
    cpu: float = 0.0
    at: float = 0.0

    def __post_init__(self) -> None:
        self.cpu, self.at = cpu_seconds(self.pid), time.monotonic()

    def seconds(self) -> float:
        return cpu_seconds(self.pid) - self.cpu

    def elapsed(self) -> float:
        return time.monotonic() - self.at

    def share(self) -> float:
        """Of one core, 0..1 and above."""
        return self.seconds() / self.elapsed()


def machine() -> str:
    """One line: processor, cores, kernel, and the versions that matter."""
    info = Path("/proc/cpuinfo").read_text()
    model = next((x.split(":")[1].strip() for x in info.splitlines() if "model name" in x), "?")
    aes = "AES-NI" if " aes " in info else "no AES-NI"
    versions = [f"{name} {metadata.version(name)}" for name in ("aiohttp", "aiortc", "pylibsrtp")]
    return (
        f"{os.cpu_count()} x {model}, {aes}, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, {', '.join(versions)}"
    )


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table, its columns aligned so that it reads well on a terminal, too."""
    texts = [list(map(str, heads)), *(list(map(str, row)) for row in rows)]
    widths = [max(len(row[at]) for row in texts) for at in range(len(heads))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in texts
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` (0..1) of `values` do not exceed, nearest rank."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * int(share * 1000) // 1000) - 1)]
