"""Nobody can have video sent to somebody who did not ask for it (design.md, the media path)."""

import json
import subprocess
import sys

import pytest

from tests.network.conftest import ROOT, Town
from tests.support.lab import DOWN

pytestmark = pytest.mark.timeout(120)

STUN_ANSWER = 128  # bytes at most, with IP and UDP


@pytest.mark.slow
def test_a_forged_source_address_gets_no_video(town: Town) -> None:
    """A viewer forges checks from a stranger's address: that gets their answers, nothing more."""
    mallory = town.lab.internet.host("mallory", "203.0.113.66")
    victim = town.lab.internet.host("victim", "203.0.113.77")
    helper = [sys.executable, "-m", "tests.support.village"]
    said = mallory.run(*helper, town.village.url, town.village.sign_in_code("zhang"), "gate", "1")
    signed_in = json.loads(said)
    counter = victim.start(
        *(sys.executable, "tests/support/lab_udp.py", "count", "5000", "8"), stdout=subprocess.PIPE
    )
    assert counter.stdout
    assert counter.stdout.readline() == "ready\n"
    before = victim.link.counts(DOWN)[0]
    result = mallory.run(
        *(sys.executable, "tests/support/mallory.py"),
        f"{town.village.url}/whep/{signed_in['camera']}?quality=main",
        signed_in["tokens"][0],
        *(victim.address, "5000", "6"),
        timeout=60,
    )
    forged = json.loads(result)
    assert forged["watched"] >= 300
    assert forged["forged"] >= 100
    packets, size, _ = counter.communicate(timeout=30)[0].split()
    assert int(packets) > 0  # the checks do arrive and are answered
    assert int(packets) <= forged["forged"]
    assert int(size) <= forged["forged"] * STUN_ANSWER
    assert victim.link.counts(DOWN)[0] - before <= forged["forged"] + 20  # and neighbours' noise


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
