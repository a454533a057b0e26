"""The private parts of aiortc, aioice and pylibsrtp that the transport stands on.

When one of these fails after an upgrade, the library has moved: read its source, mend
village_core/transport, and only then change the version in pyproject.toml.
"""

import inspect
from importlib import metadata
from typing import Any

import aioice.ice
import aioice.stun
import aioice.turn
import pylibsrtp
import pytest
from aioice import Connection
from aiortc import RTCCertificate
from aiortc.rtcdtlstransport import RTCDtlsParameters, RTCDtlsTransport
from OpenSSL import SSL
from pylibsrtp._binding import ffi, lib

from village_core.transport.dtls import PROFILES


@pytest.mark.parametrize(
    ("library", "version"), [("aiortc", "1.16."), ("aioice", "0.13."), ("pylibsrtp", "1.0.")]
)
def test_the_library_is_of_the_version_that_was_read(library: str, version: str) -> None:
    installed = metadata.version(library)
    assert installed.startswith(version), f"{library} is {installed}: read it anew, see above"


def _members(thing: object, *names: str) -> list[str]:
    return [name for name in names if not hasattr(thing, name)]


class Path:
    """What aiortc's DTLS transport is given for its ICE transport."""

    role = "controlled"

    async def _recv(self) -> bytes:
        raise ConnectionError

    async def _send(self, data: bytes) -> None: ...


async def test_aiortcs_dtls_transport_has_the_parts_we_use() -> None:
    transport: Any = RTCDtlsTransport(Path(), [RTCCertificate.generateCertificate()])  # type: ignore[arg-type]
    needed = ("_ssl", "_task", "_rx_srtp", "_tx_srtp", "_srtp_profiles", "_set_role", "_state")
    assert _members(transport, *needed, "on", "remove_all_listeners") == []
    assert transport.state == "new"
    assert list(inspect.signature(transport.start).parameters) == ["remoteParameters"]


async def test_aiortcs_dtls_transport_reads_and_writes_through_the_path_alone() -> None:
    source = inspect.getsource(RTCDtlsTransport)
    assert "self.transport._recv()" in source
    assert "self.transport._send(" in source
    transport: Any = RTCDtlsTransport(Path(), [RTCCertificate.generateCertificate()])  # type: ignore[arg-type]
    states: list[str] = []
    transport.on("statechange", lambda: states.append(transport.state))
    await transport.start(RTCDtlsParameters(fingerprints=[_fingerprint()]))
    assert states == ["connecting", "failed"]


def _fingerprint() -> Any:
    return RTCCertificate.generateCertificate().getFingerprints()[0]


def test_aiortcs_certificates_are_made_of_a_key_and_a_certificate() -> None:
    assert list(inspect.signature(RTCCertificate).parameters) == ["key", "cert"]
    assert _fingerprint().algorithm == "sha-256"


def test_the_srtp_profiles_are_there() -> None:
    names = [profile.openssl_profile for profile in PROFILES]
    assert names == [b"SRTP_AEAD_AES_128_GCM", b"SRTP_AES128_CM_SHA1_80", b"SRTP_AEAD_AES_256_GCM"]
    for profile in PROFILES:
        pylibsrtp.Policy(srtp_profile=profile.libsrtp_profile)  # libsrtp was built with it


def test_pylibsrtps_binding_has_the_calls_we_make() -> None:
    call = "srtp_err_status_t(*)(struct srtp_ctx_t_ *, void *, int *)"
    for name in ("srtp_protect", "srtp_unprotect", "srtp_protect_rtcp", "srtp_unprotect_rtcp"):
        assert call in str(ffi.typeof(getattr(lib, name))), f"lib.{name} has another signature"
    session = pylibsrtp.Session()
    assert "srtp_ctx_t_" in str(ffi.typeof(session._srtp[0])), "Session._srtp holds something else"


def test_openssls_binding_has_the_calls_we_make() -> None:
    needed = ("shutdown", "bio_read", "get_selected_srtp_profile")
    assert _members(SSL.Connection, *needed) == []


async def test_aioices_connection_has_the_parts_we_use() -> None:
    connection = Connection(ice_controlling=True)
    needed = (
        *("_nominated", "_protocols", "_local_candidates", "_local_candidates_start"),
        *("_local_candidates_end", "_remote_candidates", "_remote_candidates_end", "_closing"),
        *("_pair_remote_candidate", "sort_check_list", "get_component_candidates"),
        *("remote_is_lite", "remote_username", "remote_password"),
    )
    assert _members(connection, *needed) == []
    await connection.close()


def test_aioices_relays_are_made_as_we_make_them() -> None:
    assert list(inspect.signature(aioice.ice.relayed_candidate).parameters) == [
        "component",
        "hide_related_address",
        "protocol_factory",
        "turn_server",
        "turn_username",
        "turn_password",
        "turn_ssl",
        "turn_transport",
    ]
    assert list(inspect.signature(aioice.turn.TurnTransport.sendto).parameters) == [
        "self",
        "data",
        "addr",
    ]
    assert inspect.iscoroutinefunction(aioice.turn.TurnTransport.sendto) is False


def test_aioice_checks_what_is_signed_only() -> None:
    message = aioice.stun.Message(aioice.stun.Method.BINDING, aioice.stun.Class.REQUEST)
    message.attributes["USERNAME"] = "abcd:wxyz"
    message.add_message_integrity(b"right")
    parsed = aioice.stun.parse_message(bytes(message))
    assert parsed.check_message_integrity(b"right")
    assert not parsed.check_message_integrity(b"wrong")
    assert "FINGERPRINT" in parsed.attributes


def test_without_servers_aioice_asks_nobody() -> None:
    """Unlike aiortc's peer connection, which asks a foreign STUN server by default."""
    defaults = inspect.signature(Connection).parameters
    assert defaults["stun_server"].default is None
    assert defaults["turn_server"].default is None
