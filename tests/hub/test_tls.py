"""Certificates: the hub's own CA, files that are renewed, and the node key's word for both."""

import hashlib
import os
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from tests.hub.conftest import open_fake
from tests.hub.support import TurnedClock, sealed_config, small_config, until
from village_core.enrolment import new_nonce
from village_core.vouching import read_vouch
from village_hub import keys
from village_hub.config import Config, ListenConfig, TlsConfig
from village_hub.serving import started
from village_hub.tls import Certificates, TlsError, own_files

NOW = datetime(2026, 11, 20, tzinfo=UTC)
NAMES = ["hub.test", "192.0.2.1", "::1"]


def leaf(folder: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / "hub.pem").read_bytes())


def test_the_own_ca_signs_for_the_names_that_were_asked(tmp_path: Path) -> None:
    own_files(tmp_path, NAMES, NOW)
    found = leaf(tmp_path).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert found.get_values_for_type(x509.DNSName) == ["hub.test"]
    assert [str(each) for each in found.get_values_for_type(x509.IPAddress)] == ["192.0.2.1", "::1"]
    ca = x509.load_pem_x509_certificate((tmp_path / "ca.pem").read_bytes())
    leaf(tmp_path).verify_directly_issued_by(ca)
    assert {path.stat().st_mode & 0o077 for path in tmp_path.iterdir()} == {0}


def test_a_leaf_stays_until_it_ends_soon_or_the_names_change(tmp_path: Path) -> None:
    own_files(tmp_path, NAMES, NOW)
    first = leaf(tmp_path)
    own_files(tmp_path, NAMES, NOW + timedelta(days=59))
    assert leaf(tmp_path) == first
    own_files(tmp_path, NAMES, NOW + timedelta(days=61))
    second = leaf(tmp_path)
    assert second != first
    own_files(tmp_path, [*NAMES, "hub2.test"], NOW + timedelta(days=61))
    assert leaf(tmp_path) != second
    ca = x509.load_pem_x509_certificate((tmp_path / "ca.pem").read_bytes())
    leaf(tmp_path).verify_directly_issued_by(ca)  # the CA that phones installed is still the same


def test_a_ca_that_was_cut_short_is_made_anew(tmp_path: Path) -> None:
    own_files(tmp_path, NAMES, NOW)
    (tmp_path / "ca.key").unlink()
    (tmp_path / "hub.key").unlink()
    own_files(tmp_path, NAMES, NOW)
    ca = x509.load_pem_x509_certificate((tmp_path / "ca.pem").read_bytes())
    leaf(tmp_path).verify_directly_issued_by(ca)


def own(tmp_path: Path, **more: Any) -> Config:
    return small_config(
        tmp_path, public_url="https://localhost:8443", tls=TlsConfig(own_ca=True), **more
    )


def test_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    files = TlsConfig(certificate_file=tmp_path / "c.pem", private_key_file=tmp_path / "k.pem")
    config = small_config(tmp_path, public_url="https://hub.test", tls=files)
    with pytest.raises(TlsError, match=r"c\.pem"):
        Certificates(config, TurnedClock()).load()
    own_files(tmp_path, NAMES, NOW)
    (tmp_path / "c.pem").write_bytes((tmp_path / "hub.pem").read_bytes())
    (tmp_path / "k.pem").write_bytes((tmp_path / "ca.key").read_bytes())  # of another certificate
    with pytest.raises(TlsError):
        Certificates(config, TurnedClock()).load()


def test_renewed_files_are_served_and_vouched_for(tmp_path: Path) -> None:
    own_files(tmp_path / "a", NAMES, NOW)
    own_files(tmp_path / "b", NAMES, NOW)
    live = tmp_path / "live"
    live.mkdir()
    files = TlsConfig(certificate_file=live / "hub.pem", private_key_file=live / "hub.key")
    certificates = Certificates(
        small_config(tmp_path, public_url="https://hub.test", tls=files), TurnedClock()
    )
    for source in ("a", "b"):
        for number, name in enumerate(("hub.pem", "hub.key")):
            (live / name).write_bytes((tmp_path / source / name).read_bytes())
            os.utime(live / name, ns=(number, 1_000_000_000 * ord(source)))
        certificates.load()
        der = leaf(tmp_path / source).public_bytes(serialization.Encoding.DER)
        assert certificates.digests == (hashlib.sha256(der).digest(),)
        certificates.load()  # nothing new: nothing happens


async def test_a_browser_with_the_ca_and_an_agent_with_the_pin_get_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    monkeypatch.setattr("village_hub.serving.open_live", open_fake)
    config = sealed_config(tmp_path, "localhost", unused_tcp_port)
    runner = await started(config)
    try:
        context = ssl.create_default_context(cafile=config.state / "tls" / "ca.pem")
        async with aiohttp.ClientSession() as browser:
            url = f"{config.url}/healthz"
            async with browser.get(url, ssl=context) as response:
                assert response.status == 200
            nonce = new_nonce()
            vouch = f"{config.url}/.well-known/secvillage?nonce={nonce}"
            async with browser.get(vouch, ssl=False) as response:
                vouched = read_vouch(
                    await response.text(), nonce, runner.app[keys.NODE].key.public.fingerprint
                )
            (digest,) = vouched.certificates
            async with browser.get(url, ssl=aiohttp.Fingerprint(digest)) as response:
                assert response.status == 200
            with pytest.raises(aiohttp.ServerFingerprintMismatch):
                await browser.get(url, ssl=aiohttp.Fingerprint(bytes(32)))
    finally:
        await runner.cleanup()


async def test_old_tls_is_not_spoken(tmp_path: Path) -> None:
    """DEV-5."""
    certificates = Certificates(own(tmp_path), TurnedClock())
    assert certificates.context.minimum_version >= ssl.TLSVersion.TLSv1_2


async def test_a_start_that_fails_leaves_nothing_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    monkeypatch.setattr("village_hub.serving.open_live", open_fake)
    listen = ListenConfig(hosts=["127.0.0.1"], port=unused_tcp_port)
    first = await started(small_config(tmp_path / "a", listen=listen))
    with pytest.raises(OSError, match="address already in use"):
        await started(small_config(tmp_path / "b", listen=listen))
    await first.cleanup()
    again = await started(small_config(tmp_path / "b", listen=listen))
    await until(lambda: True)
    await again.cleanup()
