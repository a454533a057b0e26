"""TLS as both servers speak it, by handshakes in memory (DEV-5)."""

import ssl
from datetime import UTC, datetime

import pytest

from village_core.tls import server_context
from village_hub.tls import own_files


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    files = own_files(tmp_path_factory.mktemp("tls"), ["hub.test"], datetime.now(UTC))
    made = server_context()
    made.load_cert_chain(files.certificate, files.key)
    return made


def client(version: ssl.TLSVersion, ciphers: str) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    made.minimum_version = made.maximum_version = version
    made.set_ciphers(ciphers)
    return made


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext) -> str | None:
    """The version they agreed on. Raises SSLError."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = server.wrap_bio(up, down, server_side=True)
    theirs = client.wrap_bio(down, up)
    for _ in range(4):
        for side in (theirs, ours):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return ours.version()


@pytest.mark.parametrize(
    ("version", "ciphers"),
    [
        (ssl.TLSVersion.TLSv1_3, "DEFAULT"),
        (ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES128-GCM-SHA256"),
        (ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-CHACHA20-POLY1305"),
    ],
)
def test_what_phones_of_today_speak_is_spoken(
    server: ssl.SSLContext, version: ssl.TLSVersion, ciphers: str
) -> None:
    assert shake_hands(server, client(version, ciphers)) == version.name.replace("_", ".")


@pytest.mark.parametrize(
    "ciphers",
    ["ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0", "AES128-GCM-SHA256"],
)
def test_without_forward_secrecy_and_sealed_records_nothing_is_agreed(
    server: ssl.SSLContext, ciphers: str
) -> None:
    """CBC with a MAC, and RSA's key exchange."""
    with pytest.raises(ssl.SSLError):
        shake_hands(server, client(ssl.TLSVersion.TLSv1_2, ciphers))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_older_versions_are_not_spoken(server: ssl.SSLContext) -> None:
    with pytest.raises(ssl.SSLError):
        shake_hands(server, client(ssl.TLSVersion.TLSv1_1, "DEFAULT:@SECLEVEL=0"))
