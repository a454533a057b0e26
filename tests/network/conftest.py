"""The lab, and on it a town: a public hub, a home and a phone behind two carriers' NATs."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.cameras.clips import Clip
from tests.support.lab import Host, Lab, Nat, why_not
from tests.support.village import Home, Village, until

WHY_NOT = why_not()
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
NAME, PORT = "hub.village.test", 8443
FPS = 25
ROOT = Path(__file__).resolve().parents[2]

# Keeps the page's connections where a test can ask them for what they received.
WATCH = """
window.connections = [];
window.RTCPeerConnection = class extends window.RTCPeerConnection {
  constructor(...given) { super(...given); window.connections.push(this); }
};
"""
RECEIVED = """
async () => {
  let sum = {decoded: 0, packets: 0, lost: 0, nacks: 0, width: 0, relay: false, live: 0};
  for (const pc of window.connections) {
    const report = await pc.getStats();
    report.forEach((stats) => {
      if (stats.type === "inbound-rtp" && stats.kind === "video") {
        sum.decoded += stats.framesDecoded;
        sum.packets += stats.packetsReceived;
        sum.lost += stats.packetsLost;
        sum.nacks += stats.nackCount;
        sum.width = stats.frameWidth || sum.width;
      }
      if (stats.type === "candidate-pair" && stats.nominated && stats.state === "succeeded") {
        const local = report.get(stats.localCandidateId);
        sum.relay = local.candidateType === "relay" ? local.relayProtocol : false;
      }
    });
    if (pc.connectionState === "connected") sum.live += 1;
  }
  return sum;
}
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/network" not in item.path.as_posix():
            continue
        item.add_marker(pytest.mark.network)
        if WHY_NOT:
            item.add_marker(pytest.mark.skip(reason=WHY_NOT))


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab() as made:
        yield made


@dataclass(slots=True)
class Phone:
    """A Chromium on the phone's side, showing the real page."""

    page: Page

    def received(self) -> dict[str, Any]:
        """What all connections of the page received together; `width` of the latest picture."""
        found: dict[str, Any] = self.page.evaluate(RECEIVED)
        return found

    def state(self) -> str:
        return str(self.page.evaluate("() => window.villagePlayer ? villagePlayer.state : ''"))

    def watch(self, camera: str) -> None:
        """From the list to the live view of the camera of this name, until it plays."""
        self.page.locator("[data-camera]", has_text=camera).first.click()
        self.until_playing()

    def until_playing(self, within: float = 30) -> None:
        until(lambda: self.state() == "playing" and self.received()["decoded"] > 10, within)

    def until_more_than(self, decoded: int, within: float = 45) -> None:
        """15 s are to reach on a quiet machine; a busy one is given more."""
        until(lambda: self.received()["decoded"] > decoded, within)

    def decodes(self, seconds: float) -> float:
        """Pictures decoded in a second, over the next `seconds`."""
        self.page.wait_for_timeout(1000)
        before, at = self.received()["decoded"], self._now()
        self.page.wait_for_timeout(seconds * 1000)
        after = self.received()["decoded"]
        return float(after - before) / (self._now() - at)

    def _now(self) -> float:
        return float(self.page.evaluate("() => performance.now()")) / 1000


@dataclass(slots=True)
class Town:
    """`carrier` is the home's and port-restricted, `mobile` the phone's and symmetric."""

    lab: Lab
    village: Village
    hub: Host
    carrier: Nat
    home: Host
    mobile: Nat
    phone: Host
    agent: Home
    _stack: ExitStack = field(default_factory=ExitStack)

    def browse(self) -> Phone:
        """Sign in on the phone by the link; the list of cameras is shown."""
        if CHROMIUM is None:
            pytest.skip("no chromium on this machine: apt-get install chromium")
        page = self._stack.enter_context(_chromium(self.phone, self.lab.folder / "chromium"))
        page.goto(self.village.sign_in_link("zhang"))
        page.wait_for_url(self.village.url + "/")
        return Phone(page)


@contextmanager
def _chromium(host: Host, script: Path) -> Iterator[Page]:
    script.write_text(f'#!/bin/sh\nexec {" ".join(host.command(str(CHROMIUM)))} "$@"\n')
    script.chmod(0o755)
    arguments = [
        *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
        *("--disable-background-networking", "--disable-component-update"),
        "--ignore-certificate-errors",  # the hub has a CA of its own here
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=script, args=arguments)
        context = browser.new_context(
            viewport={"width": 390, "height": 844}, locale="zh-CN", ignore_https_errors=True
        )
        context.add_init_script(WATCH)
        try:
            page = context.new_page()
            page.set_default_timeout(20_000)
            yield page
        finally:
            browser.close()


BuildTown = Callable[..., Town]


@pytest.fixture
def build_town(lab: Lab, tmp_path: Path) -> Iterator[BuildTown]:
    """`build_town(**tables_of_hub_toml)`: everything runs, the camera is online."""
    with ExitStack() as stack:

        def build(*, home_trusts_the_hubs_ca: bool = False, **settings: Any) -> Town:
            hub = lab.internet.host("hub", "203.0.113.10", name=NAME)
            carrier = lab.internet.nat("carrier", "203.0.113.20", inside="100.64.1.0/24")
            router = carrier.inside.nat("router", "100.64.1.2", inside="192.168.8.0/24")
            home = router.inside.host("home", "192.168.8.60")
            mobile = lab.internet.nat(
                "mobile", "203.0.113.40", inside="100.64.2.0/24", symmetric=True
            )
            phone = mobile.inside.host("phone", "100.64.2.2")
            running: AbstractContextManager[Village] = Village.begin(
                tmp_path,
                f"https://{NAME}:{PORT}",
                {
                    "listen": {"hosts": [hub.address], "port": PORT},
                    "tls": {"own_ca": True},
                    "media": {"addresses": [hub.address]},
                    "discovery": {"enabled": False},
                    **settings,
                },
                place=hub.command(),
            )
            village = stack.enter_context(running)
            trust = f"SSL_CERT_FILE={tmp_path / 'hub/tls/ca.pem'}"
            place = home.command("env", trust) if home_trusts_the_hubs_ca else home.command()
            agent = village.home("zhang", {"gate": pictures()}, place=place)
            agent.start().wait_for("the uplink to .* is up")
            return Town(lab, village, hub, carrier, home, mobile, phone, agent, stack)

        yield build


@pytest.fixture
def town(build_town: BuildTown) -> Town:
    return build_town()


def pictures() -> dict[str, str]:
    """A camera's two encodings, as files."""
    return {
        "main": f"file:{Clip(rate=2000, gop=2 * FPS).make()}",
        "sub": f"file:{Clip(width=640, height=360, rate=400, gop=2 * FPS).make()}",
    }
