"""WS-Discovery messages, without a network."""

from xml.etree import ElementTree as Xml

import pytest
from hypothesis import given
from hypothesis import strategies as st

from home_agent.discovery import FoundCamera, camera_table, merged
from home_agent.discovery.wsd import ADDRESSING, DISCOVERY, SOAP, TO, probes, read_matches, resolve


def test_each_type_has_its_own_probe_with_a_fresh_message_id() -> None:
    """CAM-1."""
    texts = [Xml.fromstring(question.data) for question in [*probes(), *probes()]]
    types = [each.findtext(f".//{{{DISCOVERY}}}Types") for each in texts]
    assert types == ["dn:NetworkVideoTransmitter", "tds:Device"] * 2
    ids = [each.findtext(f".//{{{ADDRESSING}}}MessageID") for each in texts]
    assert len(set(ids)) == 4
    assert {each.findtext(f".//{{{ADDRESSING}}}To") for each in texts} == {TO}
    assert TO == "urn:schemas-xmlsoap-org:ws:2005:04:discovery"
    assert {each.findtext(f".//{{{ADDRESSING}}}Action") for each in texts} == {
        "http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe"
    }


def test_a_name_in_a_resolve_cannot_break_out_of_its_element() -> None:
    data = resolve("urn:uuid:1</a:Address><evil/>").data
    assert Xml.fromstring(data).find(".//evil") is None


def answer(body: str, head: str = "") -> bytes:
    return (
        f'{head}<s:Envelope xmlns:s="{SOAP}" xmlns:a="{ADDRESSING}" xmlns:d="{DISCOVERY}">'
        f"<s:Header><a:RelatesTo>urn:uuid:7</a:RelatesTo></s:Header><s:Body><d:ProbeMatches>{body}"
        "</d:ProbeMatches></s:Body></s:Envelope>"
    ).encode()


MATCH = (
    "<d:ProbeMatch><a:EndpointReference><a:Address>urn:uuid:9</a:Address></a:EndpointReference>"
    "<d:Scopes>onvif://www.onvif.org/name/Gate onvif://www.onvif.org/hardware/X%201</d:Scopes>"
    "<d:XAddrs>http://10.0.0.9/onvif/device_service</d:XAddrs></d:ProbeMatch>"
)


def test_a_match_is_read() -> None:
    (match,) = read_matches(answer(MATCH))
    assert (match.relates_to, match.endpoint_reference) == ("urn:uuid:7", "urn:uuid:9")
    assert (match.scope("name"), match.scope("hardware")) == ("Gate", "X%201")
    assert match.xaddrs == ("http://10.0.0.9/onvif/device_service",)


@pytest.mark.parametrize(
    "data",
    [
        answer(MATCH, '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'),
        answer("<d:ProbeMatch>&e;</d:ProbeMatch>"),
        answer("<d:ProbeMatch/>"),
        answer(MATCH)[:-5],
        b"\xff\xfe\x00",
        b"",
        b"x" * 70_000,
    ],
)
def test_a_datagram_that_is_no_match_gives_none(data: bytes) -> None:
    """DEV-11: no document types, so no entities, inside or out."""
    assert read_matches(data) == []


@given(st.binary(max_size=300) | st.builds(answer, st.text(max_size=200)))
def test_no_datagram_raises(data: bytes) -> None:
    """DEV-11."""
    read_matches(data)


@given(st.integers(0, len(answer(MATCH)) - 1), st.integers(0, 255))
def test_no_damaged_match_raises(place: int, byte: int) -> None:
    data = bytearray(answer(MATCH))
    data[place] = byte
    read_matches(bytes(data))


def test_findings_of_one_device_become_one_line_in_the_order_of_addresses() -> None:
    cameras = merged(
        [
            FoundCamera("10.0.0.10", "", rtsp=("rtsp://10.0.0.10:554/a",), how="mDNS"),
            FoundCamera("10.0.0.9", "Gate", onvif="http://10.0.0.9/x", how="ONVIF"),
            FoundCamera("10.0.0.9", "gate-cam", rtsp=("rtsp://10.0.0.9:554/b",), how="mDNS"),
        ]
    )
    assert [each.host for each in cameras] == ["10.0.0.9", "10.0.0.10"]
    assert (cameras[0].how, cameras[0].name) == ("ONVIF, mDNS", "Gate")
    lines = camera_table(cameras)
    assert lines[1].split() == ["10.0.0.9", "ONVIF,", "mDNS", "Gate"]
    assert "No camera answered" in camera_table([])[0]
