"""A small internet of network namespaces: public hosts, carrier NATs, faults on single links.

    with Lab() as lab:
        hub = lab.internet.host("hub", "203.0.113.10", name="hub.village.test")
        carrier = lab.internet.nat("carrier", "203.0.113.20", inside="100.64.1.0/24")
        home = carrier.inside.host("home", "100.64.1.2")
        carrier.link.lose(percent=5, way=UP)
        home.run("ping", "-c1", "hub.village.test")

Everything made is removed at the end, also after a failure; leftovers of killed runs go at the next
start. Kernels without netem will do: loss is nft's numgen, rate is tbf.
"""

import ipaddress
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.support.lab_link import DOWN, UP, Link, counters, sh

ROOT = Path(__file__).resolve().parent.parent.parent
PREFIX = "svlab-"
NETNS_ETC = Path("/etc/netns")
DNS = "203.0.113.53"

__all__ = ["DOWN", "UP", "Host", "Lab", "Link", "Nat", "Segment", "why_not"]


def why_not() -> str:
    """Why no lab can be made here; empty if one can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    for tool in ("ip", "nft", "tc"):
        if shutil.which(tool) is None:
            return f"{tool} is not installed"
    probe = subprocess.run(["ip", "netns", "add", f"{PREFIX}{os.getpid()}-probe"], check=False)
    if probe.returncode:
        return "the kernel lets us make no network namespace"
    sh("ip", "netns", "del", f"{PREFIX}{os.getpid()}-probe")
    return ""


@dataclass(slots=True)
class Host:
    """A machine: its own namespace, names resolved by the lab's DNS alone."""

    lab: "Lab"
    space: str
    address: str
    link: Link

    def command(self, *command: str) -> list[str]:
        return ["ip", "netns", "exec", self.space, *command]

    def run(self, *command: str, timeout: float = 30) -> str:
        """Run to the end; its output. A failure raises with what it said."""
        done = subprocess.run(
            self.command(*command), capture_output=True, text=True, timeout=timeout, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stdout}{done.stderr}")
        return done.stdout

    def start(self, *command: str, **options: Any) -> subprocess.Popen[str]:
        """Start a program that the lab ends when it ends, if it has not by itself."""
        process = subprocess.Popen(self.command(*command), text=True, **options)
        self.lab.on_end(lambda: _end(process))
        return process


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()


@dataclass(slots=True)
class Segment:
    """One broadcast domain: a bridge, with the address of its router on it if it has one."""

    lab: "Lab"
    space: str
    bridge: str
    network: ipaddress.IPv4Network

    @property
    def router(self) -> str:
        return str(self.network[1])

    def host(self, label: str, address: str, *, name: str = "") -> Host:
        """A machine at `address`, known to the lab's DNS as `name`."""
        space = self.lab.space(label)
        link = self._cable(space, "eth0", label, address)
        if name:
            self.lab.names[name] = address
            self.lab.write_names()
        return Host(self.lab, space, address, link)

    def nat(self, label: str, address: str, *, inside: str, symmetric: bool = False) -> "Nat":
        """A router that hides `inside` behind `address`, closed to what nobody inside asked for.

        Address- and port-restricted; `symmetric` gives each destination another port, too.
        """
        space = self.lab.space(label)
        link = self._cable(space, "wan0", label, address)
        segment = self.lab.segment(space, "lan0", inside)
        sh("ip", "netns", "exec", space, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        mode = " fully-random" if symmetric else ""
        sh(
            *("ip", "netns", "exec", space, "nft", "-f", "-"),
            script=f"""
            table ip nat {{
              chain post {{
                type nat hook postrouting priority 100
                oifname "wan0" masquerade{mode}
              }}
            }}
            table ip filter {{
              chain forward {{
                type filter hook forward priority 0; policy drop
                ct state established,related accept
                iifname "lan0" oifname "wan0" accept
              }}
            }}""",
        )
        return Nat(self.lab, space, address, link, segment, upstream=self)

    def _cable(self, space: str, device: str, label: str, address: str) -> Link:
        """Lay a cable from `device` in `space` to this segment; address and default route on it.

        gso_max_segs 1: a frame written in one call travels as single packets, so that loss and
        counters act on packets (a veth otherwise carries the whole frame as one).
        """
        port = f"p-{label}"
        peer = ["type", "veth", "peer", "name", port, "netns", self.space]
        sh("ip", "link", "add", device, "netns", space, *peer)
        sh("ip", "-n", self.space, "link", "set", port, "master", self.bridge, "up")
        for end, where in ((device, space), (port, self.space)):
            sh("ip", "-n", where, "link", "set", end, "gso_max_segs", "1")
        prefix = f"{address}/{self.network.prefixlen}"
        sh("ip", "-n", space, "addr", "add", prefix, "dev", device)
        sh("ip", "-n", space, "link", "set", device, "up")
        sh("ip", "-n", space, "route", "add", "default", "via", self.router)
        link = Link(self.space, port, (space, device))
        link.install()
        link.wait_for_carrier()
        return link


@dataclass(slots=True)
class Nat:
    lab: "Lab"
    space: str
    address: str
    link: Link  # towards the internet
    inside: Segment
    upstream: Segment

    def renumber(self, address: str) -> None:
        """The carrier gives another address; mappings through the old one are gone."""
        length = self.upstream.network.prefixlen
        sh("ip", "-n", self.space, "addr", "flush", "dev", "wan0")
        sh("ip", "-n", self.space, "addr", "add", f"{address}/{length}", "dev", "wan0")
        sh("ip", "-n", self.space, "route", "add", "default", "via", self.upstream.router)
        self.address = address


class Lab:
    """The lab itself: `internet` is 203.0.113.0/24, with a DNS server that remembers questions."""

    internet: Segment

    def __init__(self) -> None:
        self._tag = f"{PREFIX}{os.getpid()}-"
        self._stack = ExitStack()
        self.names: dict[str, str] = {}
        self.folder = Path()

    def __enter__(self) -> Self:
        _remove_leftovers()
        with ExitStack() as stack:
            self._stack = stack
            self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=PREFIX)))
            self.internet = self.segment(self.space("internet"), "br0", "203.0.113.0/24")
            self._count_strays()
            self._serve_names()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def on_end(self, action: Any) -> None:
        self._stack.callback(action)

    def space(self, label: str) -> str:
        """A new namespace with loopback up and its own /etc/hosts and /etc/resolv.conf."""
        name = self._tag + label
        etc = NETNS_ETC / name
        self._stack.callback(_remove_space, name)
        etc.mkdir(parents=True)
        (etc / "hosts").write_text("127.0.0.1 localhost\n")
        (etc / "resolv.conf").write_text(f"nameserver {DNS}\noptions timeout:1 attempts:1\n")
        sh("ip", "netns", "add", name)
        sh("ip", "-n", name, "link", "set", "lo", "up")
        return name

    def segment(self, space: str, bridge: str, network: str) -> Segment:
        made = Segment(self, space, bridge, ipaddress.IPv4Network(network))
        sh("ip", "-n", space, "link", "add", bridge, "type", "bridge")
        address = f"{made.router}/{made.network.prefixlen}"
        sh("ip", "-n", space, "addr", "add", address, "dev", bridge)
        sh("ip", "-n", space, "link", "set", bridge, "up")
        # Where it is 1, a router's forward policy would drop what its bridge carries, too.
        filtered = ["sysctl", "-qw", "net.bridge.bridge-nf-call-iptables=0"]
        subprocess.run(["ip", "netns", "exec", space, *filtered], capture_output=True, check=False)
        return made

    def write_names(self) -> None:
        fresh = self.folder / "names.new"
        fresh.write_text(json.dumps(self.names))
        fresh.replace(self.folder / "names.json")

    def names_asked(self) -> list[str]:
        """Every name that anybody in the lab asked the DNS for, in order."""
        return (self.folder / "asked").read_text().split()

    def strays(self) -> int:
        """Packets that somebody sent to an address outside the lab."""
        return sum(counters(self.internet.space, "ip", "strays"))

    def _count_strays(self) -> None:
        space = self.internet.space
        sh("ip", "netns", "exec", space, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        sh("ip", "-n", space, "route", "add", "blackhole", "default", "metric", "4000")
        sh(
            *("ip", "netns", "exec", space, "nft", "-f", "-"),
            script="""
            table ip strays {
              chain pre {
                type filter hook prerouting priority 0
                ip daddr != { 203.0.113.0/24, 224.0.0.0/4, 255.255.255.255 } counter drop
              }
            }""",
        )

    def _serve_names(self) -> None:
        self.write_names()
        (self.folder / "asked").touch()
        sh("ip", "-n", self.internet.space, "addr", "add", f"{DNS}/24", "dev", "br0")
        server = Path(__file__).with_name("lab_dns.py")
        place = ["ip", "netns", "exec", self.internet.space]
        process = subprocess.Popen(
            [*place, sys.executable, str(server), DNS, str(self.folder)],
            stdout=subprocess.PIPE,
            text=True,
        )
        self.on_end(lambda: _end(process))
        assert process.stdout
        assert process.stdout.readline() == "ready\n"


def _remove_space(name: str) -> None:
    """End what still runs in a namespace of ours and remove it with its files."""
    for pid in subprocess.run(
        ["ip", "netns", "pids", name], capture_output=True, text=True, check=False
    ).stdout.split():
        with suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)
    subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
    shutil.rmtree(NETNS_ETC / name, ignore_errors=True)


def _remove_leftovers() -> None:
    """Namespaces of runs whose process is gone."""
    for name in _listed():
        owner = name.removeprefix(PREFIX).split("-", 1)[0]
        if owner.isdigit() and not Path("/proc", owner).exists():
            _remove_space(name)


def _listed() -> Sequence[str]:
    spaces = sh("ip", "netns", "list").splitlines()
    found = {line.split()[0] for line in spaces if line.startswith(PREFIX)}
    if NETNS_ETC.is_dir():
        found |= {path.name for path in NETNS_ETC.iterdir() if path.name.startswith(PREFIX)}
    return sorted(found)
