"""Networks that let only TCP out: both sides go through coturn's TLS (docs/guide/turn.md)."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.network.conftest import FPS, NAME, ROOT, BuildTown
from tests.support.lab import Host
from tests.support.village import until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(180),
    pytest.mark.skipif(shutil.which("turnserver") is None, reason="coturn is not installed"),
]
SECRET = "a secret of the test alone"


def coturn(hub: Host, folder: Path, certificates: Path) -> None:
    """As docs/guide/turnserver.conf has it, with the lab's name, secret and address."""
    text = (ROOT / "docs/guide/turnserver.conf").read_text()
    for theirs, ours in {
        "/etc/letsencrypt/live/xicun.example.net/fullchain.pem": certificates / "hub.pem",
        "/etc/letsencrypt/live/xicun.example.net/privkey.pem": certificates / "hub.key",
        "the same text as in the hub's secret_file": SECRET,
        "allowed-peer-ip=203.0.113.10": f"allowed-peer-ip={hub.address}",
        "xicun.example.net": NAME,
    }.items():
        assert theirs in text
        text = text.replace(theirs, str(ours))
    config = folder / "turnserver.conf"
    config.write_text(text + f"\nlistening-ip={hub.address}\nrelay-ip={hub.address}\n")
    with (folder / "coturn.log").open("w") as log:
        hub.start(
            *("turnserver", "-c", str(config), "--log-file=stdout", "--simple-log", "--pidfile="),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    until(lambda: ":5349" in hub.run("ss", "-Hltn"))


def test_it_plays_where_neither_home_nor_phone_may_use_udp(
    build_town: BuildTown, tmp_path: Path
) -> None:
    """MED-11: TURN over TLS, credentials of an hour, the hub's media address as the only peer."""
    secret = tmp_path / "turn.secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    turn = {"urls": [f"turns:{NAME}:5349?transport=tcp"], "secret_file": str(secret)}
    town = build_town(home_trusts_the_hubs_ca=True, turn=turn)
    coturn(town.hub, tmp_path, tmp_path / "hub" / "tls")
    for line in (town.mobile.link, town.carrier.link):
        line.block_udp()
    phone = town.browse()
    phone.watch("gate")
    assert phone.decodes(8) > FPS * 0.95, phone.received()
    assert phone.received()["relay"] == "tls"
    assert town.agent.agent
    town.agent.agent.wait_for(f"relay ready at turns:{NAME}", within=1)
    assert town.lab.strays() == 0
