"""Searching on loopback: our own strict device, another's WS-Discovery, real mDNS."""

import asyncio

import pytest
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from home_agent.discovery import (
    FoundHub,
    discover_cameras,
    endpoint_reference_of,
    find_again,
    find_hubs,
)
from home_agent.discovery.probing import Interface, household_interfaces
from tests.cameras.wsd_device import NVT, TDS_DEVICE, wsd_device

LOOPBACK = [Interface("127.0.0.1", 1)]


@pytest.mark.parametrize("kind", [NVT, TDS_DEVICE], ids=["only a transmitter", "only a device"])
async def test_a_camera_that_has_one_of_the_types_is_found(kind: str) -> None:
    """CAM-1: types in one Probe are ANDed, so there are two."""
    async with wsd_device(types=frozenset({kind})) as device:
        (found,) = await discover_cameras(1, LOOPBACK)
    assert found.host == "127.0.0.1"
    assert found.onvif == device.xaddrs
    assert found.name == "Front Door LC-1"


async def test_a_camera_that_answers_both_probes_is_listed_once() -> None:
    """CAM-1: one entry per EndpointReference; a repeated datagram keeps its MessageID."""
    async with wsd_device() as device:
        found = await discover_cameras(1, LOOPBACK)
    assert [each.endpoint_reference for each in found] == [device.endpoint_reference]
    assert device.probed == [frozenset({NVT}), frozenset({TDS_DEVICE})]


@pytest.mark.parametrize("knows_resolve", [True, False])
async def test_a_known_camera_is_found_again_by_its_endpoint_reference(
    knows_resolve: bool,
) -> None:
    """CAM-2: the directed search that is allowed at any time."""
    async with wsd_device(knows_resolve=knows_resolve) as device:
        assert await find_again(device.endpoint_reference, 0.6, LOOPBACK) == "127.0.0.1"
        assert await endpoint_reference_of("127.0.0.1", 1) == device.endpoint_reference
        assert await find_again("urn:uuid:another", 0.4, LOOPBACK) is None


async def test_hints_are_given_by_the_makers_name() -> None:
    """CAM-7."""
    async with wsd_device(scopes="onvif://www.onvif.org/name/TP-Link%20Tapo%20C200"):
        (found,) = await discover_cameras(0.5, LOOPBACK)
    assert found.rtsp == ("rtsp://127.0.0.1:554/stream1", "rtsp://127.0.0.1:554/stream2")
    assert "camera account" in found.note


async def test_a_maker_whose_cameras_cannot_be_used_is_told_so() -> None:
    """CAM-7: and its cloud account is not asked for."""
    async with wsd_device(scopes="onvif://www.onvif.org/name/Xiaomi"):
        (found,) = await discover_cameras(0.5, LOOPBACK)
    assert "cannot be used" in found.note
    assert found.rtsp == ()


async def test_a_hub_is_found_by_mdns() -> None:
    """CAM-12."""
    info = AsyncServiceInfo(
        "_secvillage._tcp.local.",
        "0a1b2c._secvillage._tcp.local.",
        port=8443,
        parsed_addresses=["127.0.0.1"],
        server="0a1b2c.local.",
        properties={"v": "1", "id": "hub-1", "fp": "finger", "scheme": "https"},
    )
    publisher = AsyncZeroconf(interfaces=["127.0.0.1"])
    try:
        await (await publisher.async_register_service(info))
        async with asyncio.timeout(20):
            found: list[FoundHub] = []
            while not found:
                found = await find_hubs(2, LOOPBACK)
    finally:
        await publisher.async_unregister_all_services()
        await publisher.async_close()
    assert [(hub.url, hub.id, hub.fingerprint) for hub in found] == [
        ("https://127.0.0.1:8443", "hub-1", "finger")
    ]


async def test_where_there_is_no_network_nothing_is_found_and_nothing_fails() -> None:
    assert await discover_cameras(0.1, []) == []
    assert await find_hubs(0.1, []) == []
    assert await discover_cameras(0.2, [Interface("fe80::7", 1)]) == []


def test_only_private_networks_are_searched() -> None:
    """CAM-2: never an address that the Internet can see, never loopback."""
    for each in household_interfaces():
        assert not each.address.startswith("127.")
