"""Key files and public keys (RFC 8032, RFC 8037, RFC 7638)."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from village_core.keys import (
    KeyFileError,
    KeyTextError,
    PublicKey,
    SigningKey,
    decode,
    encode,
    write_new,
)


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "state" / "node.key"
    made = SigningKey.load_or_make(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert SigningKey.load_or_make(path).public == made.public
    assert [each.name for each in path.parent.iterdir()] == ["node.key"]  # no draft left


def test_two_processes_that_start_together_get_the_same_key(tmp_path: Path) -> None:
    path = tmp_path / "node.key"
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: SigningKey.load_or_make(path).public.raw, range(32)))
    assert len(set(keys)) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "node.key"
    SigningKey.load_or_make(path)
    path.chmod(mode)
    with pytest.raises(KeyFileError, match="chmod 600"):
        SigningKey.load(path)


def test_what_is_no_ed25519_key_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "node.key"
    with pytest.raises(KeyFileError, match="cannot be read"):
        SigningKey.load(path)
    write_new(path, b"not a key")
    with pytest.raises(KeyFileError, match="not a private key"):
        SigningKey.load(path)
    other = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.unlink()
    write_new(path, other)
    with pytest.raises(KeyFileError, match="not an Ed25519"):
        SigningKey.load(path)


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(KeyFileError, match=r"node\.key cannot be"):
        SigningKey.load_or_make(tmp_path / "file" / "node.key")


def test_a_disk_that_is_full_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(KeyFileError, match="No space left"):
        SigningKey.load_or_make(tmp_path / "node.key")
    assert list(tmp_path.iterdir()) == []  # no draft stays


def test_a_file_is_never_overwritten(tmp_path: Path) -> None:
    write_new(tmp_path / "a", b"1")
    with pytest.raises(FileExistsError):
        write_new(tmp_path / "a", b"2")
    assert (tmp_path / "a").read_bytes() == b"1"
    assert os.listdir(tmp_path) == ["a"]


def test_a_signature_is_good_for_its_words_alone() -> None:
    key = SigningKey.make()
    signature = key.sign(b"words")
    assert key.public.verifies(signature, b"words")
    assert not key.public.verifies(signature, b"Words")
    assert not key.public.verifies(signature[:-1], b"words")
    assert not SigningKey.make().public.verifies(signature, b"words")


def test_the_fingerprint_is_the_thumbprint_of_rfc_8037() -> None:
    """RFC 8037 appendix A.3."""
    key = PublicKey.from_text("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
    assert key.fingerprint == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    assert key.jwk()["kid"] == key.fingerprint
    assert {"kty", "crv", "x", "use", "alg", "kid"} == set(key.jwk())


@pytest.mark.parametrize("text", ["", "a", "A" * 42, "A" * 44, "!" * 43, "A" * 42 + "B", "é" * 43])
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(KeyTextError):
        PublicKey.from_text(text)


@given(st.binary(max_size=80))
def test_base64url_has_one_form(data: bytes) -> None:
    assert decode(encode(data)) == data


@given(st.text(max_size=60))
def test_any_other_text_is_no_base64url(text: str) -> None:
    try:
        data = decode(text)
    except ValueError:
        return
    assert encode(data) == text


def test_a_key_does_not_show_itself() -> None:
    key = SigningKey.make()
    assert "PRIVATE" not in repr(key)
