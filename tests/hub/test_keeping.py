"""What a hub forgets and renews by itself: codes, sessions, secrets, token keys."""

from pathlib import Path

import pytest
from sqlmodel import Session, select

from tests.hub.support import Hub, TurnedClock
from village_core.keys import KeyFileError
from village_core.tokens import Kind, TokenError
from village_hub import keys
from village_hub.access.token_keys import OVERLAP, SIGNS_FOR, TokenKeys
from village_hub.catalogue import nodes, people
from village_hub.catalogue.models import Enrolment, OneTimeCode, SignIn


@pytest.fixture
def token_keys(tmp_path: Path) -> tuple[TokenKeys, TurnedClock]:
    clock = TurnedClock()
    found = TokenKeys(tmp_path / "keys", "hub", clock)
    found.rotate()
    return found, clock


def test_token_keys_are_rotated_within_90_days_and_overlap(
    token_keys: tuple[TokenKeys, TurnedClock], tmp_path: Path
) -> None:
    """IDN-4."""
    found, clock = token_keys
    first = found.public
    token = found.issuer().mint(Kind.MEDIA, subject="p", audience="hub")
    clock.turn(SIGNS_FOR / 1000 + 1)
    found.rotate()
    assert len(found.public) == 2
    assert found.public[0] == first[0]
    late = found.issuer().mint(Kind.MEDIA, subject="p", audience="hub")
    assert found.verifier().verify(Kind.MEDIA, late).subject == "p"
    with pytest.raises(TokenError, match="expired"):
        found.verifier().verify(Kind.MEDIA, token)
    clock.turn(OVERLAP / 1000 + 1)
    found.rotate()
    assert [key.fingerprint for key in found.public] != [key.fingerprint for key in first]
    assert len(list((tmp_path / "keys").glob("*.pem"))) == 1  # the old one is gone for good
    assert SIGNS_FOR / 86_400_000 < 90


def test_a_restart_goes_on_with_the_same_key(
    token_keys: tuple[TokenKeys, TurnedClock], tmp_path: Path
) -> None:
    found, clock = token_keys
    again = TokenKeys(tmp_path / "keys", "hub", clock)
    again.rotate()
    assert again.public == found.public


def test_a_token_key_that_others_can_read_stops_the_start(
    token_keys: tuple[TokenKeys, TurnedClock], tmp_path: Path
) -> None:
    found, _ = token_keys
    next((tmp_path / "keys").iterdir()).chmod(0o644)
    with pytest.raises(KeyFileError):
        found.rotate()


def left(session: Session) -> tuple[int, int]:
    return len(session.exec(select(OneTimeCode)).all()), len(session.exec(select(SignIn)).all())


async def test_codes_and_sessions_that_ended_are_forgotten(hub: Hub) -> None:
    household, viewer = await hub.owner()
    await hub.code(viewer.person)
    catalogue = hub.app[keys.CATALOGUE]
    await catalogue.write(people.forget_ended, hub.clock.utc_ms())
    assert await catalogue.read(left) == (2, 1)
    hub.clock.turn(40 * 24 * 3600)
    await catalogue.write(people.forget_ended, hub.clock.utc_ms())
    assert await catalogue.read(left) == (0, 0)
    assert household


async def test_an_enrolment_that_ended_keeps_no_secret(hub: Hub) -> None:
    enrolments, catalogue = hub.app[keys.ENROLMENTS], hub.app[keys.CATALOGUE]
    qr = await enrolments.new_qr(await hub.household())

    def secret(session: Session) -> str | None:
        return session.get_one(Enrolment, qr.enrolment).secret

    await catalogue.write(nodes.forget_ended, hub.clock.utc_ms())
    assert await catalogue.read(secret) == qr.secret
    hub.clock.turn(8 * 24 * 3600)
    await catalogue.write(nodes.forget_ended, hub.clock.utc_ms())
    assert await catalogue.read(secret) is None


async def test_answers_do_not_say_which_versions_run(hub: Hub) -> None:
    for path in ("/healthz", "/nothing", "/"):
        response = await hub.ask("GET", path)
        assert response.headers["Server"] == "security-village"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
