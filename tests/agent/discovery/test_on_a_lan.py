"""Discovery across a bridge, between hosts: another library's WS-Discovery, mDNS, our command."""

import subprocess
import sys
import time

import pytest

from tests.support.lab import ROOT, Host, Lab, why_not

REASON = why_not()
pytestmark = [pytest.mark.network, pytest.mark.skipif(bool(REASON), reason=REASON)]

WSDISCOVERY = """
import sys
from wsdiscovery import QName, Scope
from wsdiscovery.publishing import ThreadedWSPublishing

publisher = ThreadedWSPublishing()
publisher.start()
publisher.publishService(
    types=[QName("http://www.onvif.org/ver10/network/wsdl", "NetworkVideoTransmitter")],
    scopes=[Scope("onvif://www.onvif.org/name/Gate"), Scope("onvif://www.onvif.org/hardware/LC-1")],
    xAddrs=["http://192.168.7.9:8080/onvif/device_service"],
)
print("ready", flush=True)
sys.stdin.read()
publisher.stop()
"""
MDNS = """
import asyncio, sys
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

async def main():
    publisher = AsyncZeroconf(interfaces=["192.168.7.8"])
    await (await publisher.async_register_service(AsyncServiceInfo(
        "_rtsp._tcp.local.", "Shed._rtsp._tcp.local.", port=8554, server="shed.local.",
        parsed_addresses=["192.168.7.8"], properties={"path": "/main"},
    )))
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await publisher.async_close()

asyncio.run(main())
"""
IPV6_ONLY = """
import asyncio, sys
from tests.cameras.wsd_device import wsd_device

async def main():
    scopes = "onvif://www.onvif.org/name/Attic"
    xaddrs = "http://192.168.7.7/onvif/device_service"
    async with wsd_device("::%eth0", scopes=scopes, xaddrs=xaddrs):
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
"""


def publish(host: Host, script: str) -> None:
    process = host.start(
        *(sys.executable, "-c", script), stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    )
    assert process.stdout
    assert process.stdout.readline().strip() == "ready"


def settle(host: Host) -> None:
    """Until its IPv6 address is no longer being checked for a double."""
    deadline = time.monotonic() + 10
    while host.run("ip", "-6", "addr", "show", "tentative").strip():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_cameras_of_other_makers_are_found_on_the_household_lan_and_nowhere_else() -> None:
    """CAM-1, CAM-2: nothing of the search leaves by the router."""
    with Lab() as lab:
        home = lab.internet.nat("home", "203.0.113.20", inside="192.168.7.0/24")
        publish(home.inside.host("gate", "192.168.7.9"), WSDISCOVERY)
        publish(home.inside.host("shed", "192.168.7.8"), MDNS)
        attic = home.inside.host("attic", "192.168.7.7")
        settle(attic)
        publish(attic, IPV6_ONLY)
        outside = lab.internet.host("outside", "203.0.113.30")
        publish(outside, WSDISCOVERY)
        box = home.inside.host("box", "192.168.7.2")
        settle(box)
        shown = box.run(sys.executable, "-m", "home_agent", "discover", "--seconds", "4")
    assert "192.168.7.9" in shown
    assert "Gate LC-1" in shown
    assert "rtsp://192.168.7.8:8554/main" in shown
    assert "192.168.7.7" in shown
    assert "Attic" in shown
    assert "203.0.113.30" not in shown
