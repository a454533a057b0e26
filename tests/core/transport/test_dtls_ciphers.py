"""What DTLS agrees on: version 1.2 and sealed records, as browsers of today have them (V17.2.2)."""

from contextlib import suppress

import pytest
from aiortc import RTCCertificate
from OpenSSL import SSL

from village_core.transport.dtls import PROFILES, Certificate


def ends(ours: SSL.Context, ciphers: bytes) -> tuple[SSL.Connection, SSL.Connection]:
    theirs = RTCCertificate.generateCertificate()._create_ssl_context(list(PROFILES))
    theirs.set_cipher_list(ciphers)
    server, client = SSL.Connection(ours), SSL.Connection(theirs)
    server.set_accept_state()
    client.set_connect_state()
    return server, client


def shake_hands(server: SSL.Connection, client: SSL.Connection) -> None:
    """Raises SSL.Error when they do not agree."""
    for _ in range(6):
        for one, other in ((client, server), (server, client)):
            with suppress(SSL.WantReadError):
                one.do_handshake()
            with suppress(SSL.WantReadError):
                while record := one.bio_read(1500):
                    other.bio_write(record)


@pytest.mark.parametrize(
    "cipher", ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"]
)
def test_dtls_agrees_with_a_browser_of_today(cipher: str) -> None:
    ours = Certificate.make().rtc._create_ssl_context(list(PROFILES))
    server, client = ends(ours, cipher.encode())
    shake_hands(server, client)
    assert server.get_cipher_name() == cipher
    assert server.get_protocol_version_name() == "DTLSv1.2"
    assert server.get_selected_srtp_profile() == b"SRTP_AEAD_AES_128_GCM"


@pytest.mark.parametrize("cipher", [b"ECDHE-ECDSA-AES128-SHA", b"ECDHE-ECDSA-AES256-SHA"])
def test_dtls_agrees_on_sealed_records_alone(cipher: bytes) -> None:
    """aiortc by itself would take these, which DTLS 1.0 has, too."""
    ours = Certificate.make().rtc._create_ssl_context(list(PROFILES))
    server, client = ends(ours, cipher)
    with pytest.raises(SSL.Error):
        shake_hands(server, client)
