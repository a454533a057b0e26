"""Digest and Basic, against the RFCs' own examples."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from home_agent.rtsp.digest import Authenticator, Challenge, Credentials, choose, read_challenges

MUFASA = Credentials("Mufasa", "Circle of Life")
RFC7616 = (
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={}, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
    'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_example_of_rfc_7616_comes_out(algorithm: str, response: str) -> None:
    """RFC 7616 section 3.9.1."""
    one = Authenticator(Credentials("Mufasa", "Circle of Life"))
    assert one.challenged([RFC7616.format(algorithm)])
    one._client_nonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    header = one.header("GET", "/dir/index.html")
    assert header
    assert f'response="{response}"' in header
    assert "nc=00000001" in header
    assert 'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"' in header


def test_without_qop_it_is_as_rfc_2069_had_it() -> None:
    """What GStreamer's server and many old cameras offer."""
    one = Authenticator(MUFASA)
    assert one.challenged(['Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e"'])
    header = one.header("GET", "/dir/index.html")
    assert header
    assert "nc=" not in header
    assert "cnonce" not in header


def test_each_request_counts_the_nonce_up() -> None:
    one = Authenticator(MUFASA)
    one.challenged([RFC7616.format("MD5")])
    headers = [one.header("GET", "/") or "" for _ in range(2)]
    assert "nc=00000001" in headers[0]
    assert "nc=00000002" in headers[1]


def challenges(*texts: str) -> list[Challenge]:
    return read_challenges(texts)


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (['Digest realm="a", nonce="1"', 'Digest realm="a", nonce="2", algorithm=SHA-256'], "2"),
        (['Digest realm="a", nonce="1", algorithm=SHA-256, Digest realm="b", nonce="2"'], "1"),
        (['Basic realm="a"', 'Digest realm="a", nonce="1"'], "1"),
        (['Digest realm="a", nonce="1", algorithm=SHA-512-256'], None),
        (['Digest realm="a", nonce="1", qop="auth-int"'], None),
        (['Basic realm="a"', "Negotiate"], None),
        ([""], None),
    ],
)
def test_the_best_is_chosen_and_basic_only_when_alone(
    offered: list[str], chosen: str | None
) -> None:
    """CAM-6."""
    best = choose(challenges(*offered))
    assert (best.parameters["nonce"] if best else None) == chosen


def test_basic_alone_is_answered() -> None:
    one = Authenticator(Credentials("a", "b:c"))
    assert one.challenged(['Basic realm="x"'])
    assert one.header("PLAY", "*") == "Basic YTpiOmM="


def test_a_second_challenge_that_is_not_stale_means_a_wrong_password() -> None:
    one = Authenticator(MUFASA)
    first = 'Digest realm="a", nonce="1"'
    assert one.challenged([first])
    assert not one.challenged([first])
    assert one.challenged([first + ", stale=TRUE"])


def test_credentials_do_not_show_themselves() -> None:
    assert "Circle" not in repr(MUFASA) + str(MUFASA)


@given(st.lists(st.text(max_size=80), max_size=3))
def test_no_challenge_raises(texts: list[str]) -> None:
    """DEV-11."""
    one = Authenticator(MUFASA)
    for text in [*texts, *(f"Digest {text}" for text in texts)]:
        one.challenged([text])
        header = one.header("PLAY", "rtsp://x/")
        assert header is None or header.startswith(("Digest", "Basic"))
