"""STUN and TURN servers in configuration and in `Link` headers (MED-11, MED-15)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from village_core.transport.ice_servers import IceServer, read_links


@pytest.mark.parametrize(
    ("url", "address", "transport"),
    [
        ("turn:turn.example", ("turn.example", 3478), "udp"),
        ("turn:192.0.2.1:3479?transport=tcp", ("192.0.2.1", 3479), "tcp"),
        ("turns:turn.example", ("turn.example", 5349), "tcp"),
        ("turns:[2001:db8::1]:443?transport=tcp", ("2001:db8::1", 443), "tcp"),
    ],
)
def test_a_url_names_host_port_and_transport(
    url: str, address: tuple[str, int], transport: str
) -> None:
    server = IceServer(url, "u", "c")
    assert (server.address, server.transport) == (address, transport)
    assert server.secure == url.startswith("turns")


@pytest.mark.parametrize(
    "url", ["", "http://turn.example", "turn:", "turn:host:99999999", "turn:a?transport=sctp"]
)
def test_what_is_no_such_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="no stun:, turn: or turns: URL"):
        IceServer(url, "u", "c")


def test_turn_needs_credentials_and_never_shows_them() -> None:
    with pytest.raises(ValueError, match="needs a username and a credential"):
        IceServer("turn:turn.example", "u")
    assert "secret" not in repr(IceServer("turn:turn.example", "u", "secret"))
    assert IceServer("stun:stun.example").username is None


def test_the_links_of_rfc_9725_are_read() -> None:
    servers = read_links(
        [
            '<stun:stun.example.net>; rel="ice-server", '
            '<turn:turn.example.net?transport=udp>; rel="ice-server"; username="user"; '
            'credential="myPassword"; credential-type="password"',
            '<turns:turn.example.net?transport=tcp>; rel=ice-server; username="a,\\"b"; '
            "credential=c",
        ]
    )
    assert servers == [
        IceServer("stun:stun.example.net"),
        IceServer("turn:turn.example.net?transport=udp", "user", "myPassword"),
        IceServer("turns:turn.example.net?transport=tcp", 'a,"b', "c"),
    ]


@pytest.mark.parametrize(
    "link",
    [
        "",
        "<https://example>; rel=next",
        '<turn:x.example>; rel="ice-server"',
        '<turn:x.example>; rel="ice-server"; username=u; credential=c; credential-type=oauth',
        '<nonsense>; rel="ice-server"',
    ],
)
def test_other_links_are_ignored(link: str) -> None:
    """MED-15"""
    assert read_links([link]) == []


@given(st.lists(st.text(max_size=200), max_size=5))
def test_any_header_is_read_without_harm(values: list[str]) -> None:
    assert read_links(values) == []


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=40))
def test_what_we_write_is_what_is_read(secret: str) -> None:
    server = IceServer("turn:turn.example", secret, secret)
    assert read_links([server.link()]) == [server]
