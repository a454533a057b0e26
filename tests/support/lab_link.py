"""One cable of the network lab and its faults: loss, bottleneck, blocked UDP, pulled plug."""

import json
import subprocess
import time
from dataclasses import dataclass, field
from typing import Final, Literal

Way = Literal["up", "down"]
UP: Final = "up"  # from the inner end of a link towards the internet
DOWN: Final = "down"


def sh(*command: str, script: str | None = None) -> str:
    """Run one tool with `script` on its stdin; what it said is in the error if it fails."""
    done = subprocess.run(command, input=script, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}\n{script or ''}")
    return done.stdout


@dataclass(slots=True)
class Link:
    """A cable. Faults act at its outer end, so that neither end can tell them from a bad line."""

    space: str  # the namespace of the outer end
    device: str
    inner: tuple[str, str]  # the other end: namespace and device
    _faults: dict[Way, list[str]] = field(default_factory=lambda: {"up": [], "down": []})

    def lose(self, *, percent: float, way: Way) -> None:
        """Drop each IP packet of one direction with this probability; 0 mends."""
        of_10000 = round(percent * 100)
        self._set(way, [f"numgen random mod 10000 < {of_10000}"] if of_10000 else [])

    def block_udp(self) -> None:
        """Only DNS may go by UDP, as in some offices and hotels."""
        self._set("up", ["udp dport != 53"])
        self._set("down", ["udp sport != 53"])

    def rate(self, bits_per_second: int, *, way: Way = DOWN, latency: str = "300ms") -> None:
        """A bottleneck with a queue that holds `latency` worth of packets.

        Only DOWN: a queue works at the end that sends, and the outer end is ours.
        """
        if way != DOWN:
            raise ValueError("give the rate to the link on the other side of the router")
        rate = f"{bits_per_second}bit"
        args = (
            f"tc qdisc replace dev {self.device} root tbf rate {rate} burst 16k latency {latency}"
        )
        sh("ip", "netns", "exec", self.space, *args.split())

    def down(self) -> None:
        """Pull the plug: both ends lose their carrier."""
        sh("ip", "-n", self.space, "link", "set", self.device, "down")

    def up(self) -> None:
        sh("ip", "-n", self.space, "link", "set", self.device, "up")
        self.wait_for_carrier()

    def wait_for_carrier(self) -> None:
        """The kernel notices a carrier up to a second late, and drops what is sent until then."""
        for space, device in (self.inner, (self.space, self.device)):
            deadline = time.monotonic() + 10
            while '"operstate":"UP"' not in sh("ip", "-n", space, "-j", "link", "show", device):
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{device} in {space} gets no carrier")
                time.sleep(0.02)

    def mend(self) -> None:
        self._set("up", [])
        self._set("down", [])

    def counts(self, way: Way) -> tuple[int, int]:
        """IP packets seen and dropped in one direction since the last change of faults."""
        seen, *dropped = counters(self.space, *self._table, chain=way)
        return seen, sum(dropped)

    @property
    def _table(self) -> tuple[str, str]:
        return "netdev", f"link_{self.device.replace('-', '_')}"

    def _set(self, way: Way, matches: list[str]) -> None:
        self._faults[way] = matches
        self.install()

    def install(self) -> None:
        """(Re)write this link's counters and faults, in one transaction."""
        table = " ".join(self._table)
        sh(
            *("ip", "netns", "exec", self.space, "nft", "-f", "-"),
            script=f"""
            table {table} {{ }}
            delete table {table}
            table {table} {{
              chain up {{
                type filter hook ingress device "{self.device}" priority 0
                meta protocol {{ ip, ip6 }} counter
                {self._drops("up")}
              }}
              chain down {{
                type filter hook egress device "{self.device}" priority 0
                meta protocol {{ ip, ip6 }} counter
                {self._drops("down")}
              }}
            }}""",
        )

    def _drops(self, way: Way) -> str:
        return "\n".join(
            f"meta protocol {{ ip, ip6 }} {match} counter drop" for match in self._faults[way]
        )


def counters(space: str, family: str, table: str, chain: str = "") -> list[int]:
    """Packets counted by each rule of a table, or of one chain of it."""
    text = sh(*("ip", "netns", "exec", space, "nft", "-j", "list", "table", family, table))
    rules = [one["rule"] for one in json.loads(text)["nftables"] if "rule" in one]
    return [
        sum(int(part["counter"]["packets"]) for part in rule["expr"] if "counter" in part)
        for rule in rules
        if chain in {"", rule["chain"]}
    ]
