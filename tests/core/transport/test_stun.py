"""Reading connectivity checks: only what is well-formed gets as far as a password."""

from aioice import stun
from hypothesis import given
from hypothesis import strategies as st

from tests.support.peers import build_check
from village_core.transport.stun import Credentials, answer, our_fragment, read_check, role_conflict

OURS = Credentials("abcd", "p" * 24, "wxyz")
CHECK = build_check("abcd:wxyz", "p" * 24)


def test_an_authentic_check_is_recognised() -> None:
    check = read_check(CHECK)
    assert check is not None
    assert (check.ufrag, check.peer) == ("abcd", "wxyz")
    assert check.authentic(OURS)
    assert not check.conflicting


def test_a_check_with_another_password_or_peer_is_not_authentic() -> None:
    check = read_check(CHECK)
    assert check is not None
    assert not check.authentic(Credentials("abcd", "q" * 24, "wxyz"))
    assert not check.authentic(Credentials("abcd", "p" * 24, "else"))


def test_the_answer_is_signed_and_says_where_the_check_came_from() -> None:
    check = read_check(CHECK)
    assert check is not None
    for address in (("198.51.100.7", 4711), ("2001:db8::7", 4711)):
        response = stun.parse_message(answer(check, OURS, address))
        assert response.attributes["XOR-MAPPED-ADDRESS"] == address
        assert response.transaction_id == check.message.transaction_id
        assert response.check_message_integrity(b"p" * 24)
        assert "FINGERPRINT" in response.attributes


def test_a_role_conflict_is_signed_too() -> None:
    check = read_check(build_check("abcd:wxyz", "p" * 24, controlled=True))
    assert check is not None
    assert check.conflicting
    response = stun.parse_message(role_conflict(check, OURS))
    assert response.error_code == 487
    assert response.check_message_integrity(b"p" * 24)


@given(st.integers(0, (len(CHECK) - 8) * 8 - 1))  # FINGERPRINT comes last, and is not signed
def test_a_check_with_one_bit_changed_is_never_authentic(bit: int) -> None:
    data = bytearray(CHECK)
    data[bit // 8] ^= 1 << bit % 8
    check = read_check(bytes(data))
    assert check is None or not check.authentic(OURS)


@given(st.binary(max_size=400))
def test_noise_is_no_check(data: bytes) -> None:
    assert read_check(data) is None


@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=40)), max_size=12))
def test_any_attributes_in_any_order_are_read_without_harm(
    attributes: list[tuple[int, bytes]],
) -> None:
    body = b"".join(
        kind.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value + bytes(-len(value) % 4)
        for kind, value in [(6, b"abcd:wxyz"), *attributes]
    )
    data = b"\0\1" + len(body).to_bytes(2, "big") + b"\x21\x12\xa4\x42" + bytes(12) + body
    assert our_fragment(data) == "abcd"
    check = read_check(data)
    assert check is None or not check.authentic(OURS)


@given(st.binary(max_size=60), st.integers(0, 0xFFFF))
def test_a_username_of_any_bytes_and_length_is_read_without_harm(name: bytes, length: int) -> None:
    data = b"\0\1\0\0\x21\x12\xa4\x42" + bytes(12) + b"\0\6" + length.to_bytes(2, "big") + name
    our_fragment(data)
    read_check(data)
