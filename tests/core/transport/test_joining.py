"""Between the transport and its neighbours: own addresses, and the media layer's parameters."""

import ipaddress
from types import SimpleNamespace

import pytest

from tests.core.transport.offers import CHROMIUM, PUBLISHER
from village_core.media.packet import Kind
from village_core.transport import sdp
from village_core.transport.addresses import local_addresses
from village_core.transport.joining import receiving_of, sending_of


def _adapters(*addresses: str | tuple[str, int, int]) -> list[SimpleNamespace]:
    return [SimpleNamespace(ips=[SimpleNamespace(ip=each)]) for each in addresses]


def test_own_addresses_are_usable_in_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    found = _adapters("127.0.0.1", ("::1", 0, 0), "192.0.2.7", ("fe80::1", 0, 2), ("fd00::2", 0, 0))
    monkeypatch.setattr("ifaddr.get_adapters", lambda: found)
    assert local_addresses() == ["192.0.2.7", "fd00::2"]


def test_a_machine_without_a_network_uses_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ifaddr.get_adapters", lambda: _adapters("127.0.0.1"))
    assert local_addresses() == ["127.0.0.1"]


def test_this_machines_addresses_are_addresses() -> None:
    assert all(ipaddress.ip_address(each) for each in local_addresses())


def test_a_leg_writes_what_was_negotiated() -> None:
    (choice,) = sdp.choose_to_send(sdp.read_offer(CHROMIUM), "42e01f", None)
    sending = sending_of(choice)
    assert (sending.ssrc, sending.payload_type, sending.clock_rate) == (choice.ssrc, 108, 90_000)
    assert (sending.rtx_ssrc, sending.rtx_payload_type) == (choice.repair_ssrc, 109)


def test_a_publisher_is_read_as_was_negotiated() -> None:
    (choice,) = sdp.choose_to_receive(sdp.read_offer(PUBLISHER))
    receiving = receiving_of(choice)
    assert (receiving.payload_type, receiving.rtx_payload_type) == (108, 109)
    assert (receiving.kind, receiving.clock_rate) == (Kind.VIDEO, 90_000)
