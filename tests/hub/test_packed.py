"""Bodies that come packed, and names that turn the words around them."""

import gzip
import zlib
from pathlib import Path

import aiohttp
import pytest
from pydantic import TypeAdapter, ValidationError

from tests.hub.conftest import open_fake
from tests.hub.support import Hub, small_config
from village_hub.access.acts import Name
from village_hub.audit.cleaning import clean
from village_hub.config import ListenConfig
from village_hub.serving import started

JSON = "application/json"
CODE = b'{"code": "x"}'


@pytest.mark.parametrize(
    ("encoding", "body"), [("gzip", gzip.compress(CODE, mtime=0)), ("deflate", zlib.compress(CODE))]
)
async def test_a_packed_body_is_refused_whatever_is_in_it(
    hub: Hub, encoding: str, body: bytes
) -> None:
    """A thousand bytes can hold a million."""
    headers = {"Content-Encoding": encoding, "Content-Type": JSON}
    response = await hub.ask("POST", "/api/v1/sign-in", data=body, headers=headers)
    assert response.status == 415


async def test_nothing_is_unpacked_for_a_stranger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    """Of the hub as it runs: what does not unpack is refused like what does."""
    monkeypatch.setattr("village_hub.serving.open_live", open_fake)
    listen = ListenConfig(hosts=["127.0.0.1"], port=unused_tcp_port)
    runner = await started(small_config(tmp_path, listen=listen))
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{unused_tcp_port}") as client:
            headers = {"Content-Encoding": "gzip", "Content-Type": JSON}
            async with client.post("/api/v1/sign-in", data=b"no gzip", headers=headers) as answer:
                assert answer.status == 415
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("name", ["Li \u202egnaW", "\u2067Li", "Li\u200b", "\ufeffLi", "Li\x1b[2J"])
def test_a_name_that_reads_as_another_is_refused(name: str) -> None:
    """PRM-3: a household reads by name whom it lets see."""
    with pytest.raises(ValidationError):
        TypeAdapter(Name).validate_python(name)


@pytest.mark.parametrize("name", ["布拉提·买买提", "Zoë", "بۇلات", "👩\u200d👧"])
def test_names_of_all_scripts_are_taken(name: str) -> None:
    assert TypeAdapter(Name).validate_python(name) == name


def test_no_words_in_the_log_turn_those_around_them() -> None:
    """AUD-4: it is read as a sentence."""
    assert clean("looked \u202eneht", 100) == "looked  neht"
