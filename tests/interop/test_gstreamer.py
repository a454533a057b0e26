"""GStreamer's webrtcbin doing a WHEP offer, in a process of the system's Python."""

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.interop.conftest import HubUrl
from tests.interop.tiny_hub import HEIGHT, RATE, WIDTH, TinyHub

PYTHON = "/usr/bin/python3"  # the one that has GStreamer's bindings
SCRIPT = Path(__file__).with_name("webrtcbin_watch.py")
PROBE = """
import gi
gi.require_version("GstWebRTC", "1.0")
from gi.repository import Gst
Gst.init(None)
raise SystemExit(not all(map(Gst.ElementFactory.find, ("webrtcbin", "nicesink", "avdec_h264"))))
"""


@pytest.fixture(scope="module")
def gstreamer() -> None:
    if subprocess.run([PYTHON, "-c", PROBE], check=False, capture_output=True).returncode:
        pytest.skip("no webrtcbin: apt-get install gstreamer1.0-nice gstreamer1.0-plugins-bad")


async def _watch(hub_url: HubUrl, seconds: int) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        *(PYTHON, SCRIPT, hub_url.whep, hub_url.watch_token, str(seconds)),
        stdout=subprocess.PIPE,
    )
    try:
        out, _ = await asyncio.wait_for(process.communicate(), seconds + 30)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    result: dict[str, Any] = json.loads(out)
    return result


async def test_webrtcbin_watches(gstreamer: None, hub_url: HubUrl, tiny_hub: TinyHub) -> None:
    result = await _watch(hub_url, 6)
    assert result["size"] == [WIDTH, HEIGHT]
    assert result["frames"] > 3 * RATE
    assert tiny_hub.watching[0].rtcp  # it reports, and that keeps it alive


@pytest.mark.slow
@pytest.mark.timeout(150)
async def test_webrtcbin_watches_for_longer_than_a_minute(
    gstreamer: None, hub_url: HubUrl, tiny_hub: TinyHub
) -> None:
    """It sends no consent checks: only its reports show that it lives (MED-14)."""
    result = await _watch(hub_url, 75)
    assert result["frames"] > 70 * RATE
    assert tiny_hub.watching[0].closed in (None, "the peer left")
