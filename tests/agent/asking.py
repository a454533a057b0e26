"""What a hub says of consent to a home, for tests: drafts, passkeys, permits from outside."""

from typing import Any
from urllib.parse import urlsplit

from home_agent.agent import Agent
from tests.agent.home import Home, until
from tests.agent.hub_double import HUB
from tests.hub.authenticator import SecurityKey
from village_core.clock import SYSTEM_CLOCK
from village_core.grants import GrantTerms, digest
from village_core.ids import new_id
from village_core.keys import encode

HOUR = 3_600_000
DAY = 24 * HOUR

SON = {"issuer": HUB, "person": "son", "name": "李明", "contact": "138 0000 0000"}
DUTY = {"issuer": HUB, "unit": "xicun", "role": "committee", "name": "西村", "contact": "村委会"}
POLICE = {"unit": "station", "role": "station_officer", "name": "派出所", "contact": "110"}


def now() -> int:
    return SYSTEM_CLOCK.utc_ms()


def family(camera: str, **changes: Any) -> dict[str, Any]:
    """Terms that a household may agree to."""
    said = {
        "kind": "family",
        "recipient": SON,
        "cameras": [camera],
        "actions": ["live", "still"],
        "purpose": "family",
        "not_before": now() - 1000,
        "until": now() + 3649 * DAY,
        "why": "he lives in town",
        "stop": "the page at home, or call the committee",
    }
    return {**said, **changes}


def standing(camera: str, **changes: Any) -> dict[str, Any]:
    """The SOS grant."""
    sos = {"kind": "sos", "recipient": DUTY, "responders": [POLICE, SON], "purpose": "sos"}
    return family(camera, **sos, **changes)


def draft(terms: dict[str, Any], **changes: Any) -> dict[str, Any]:
    said = {"id": new_id(), "terms": terms, "asked_by": "person-1", "asked_ms": now()}
    return {**said, **changes}


def site(home: Home) -> tuple[str, str]:
    """rp id and origin."""
    parts = urlsplit(home.url)
    return parts.hostname or "", f"{parts.scheme}://{parts.netloc}"


def key_of(home: Home) -> SecurityKey:
    return SecurityKey(origin=site(home)[1])


def public(key: SecurityKey) -> dict[str, str]:
    return {"credential": encode(key.id), "public_key": encode(key.cose)}


def asserted(home: Home, key: SecurityKey, terms: dict[str, Any], rp: str = "") -> dict[str, str]:
    challenge = encode(digest(GrantTerms.model_validate(terms)))
    options = {"userVerification": "required", "challenge": challenge, "rpId": rp or site(home)[0]}
    made = key.get(options)
    response = made["response"]
    return {
        "credential": made["id"],
        "client_data": response["clientDataJSON"],
        "authenticator_data": response["authenticatorData"],
        "signature": response["signature"],
    }


def by_passkey(
    home: Home, key: SecurityKey, terms: dict[str, Any], **changes: Any
) -> dict[str, Any]:
    said = {"how": "passkey", "issuer": HUB, "person": "person-1", "name": "李强"}
    return {**said, "assertion": asserted(home, key, terms), **changes}


async def pinned_key(home: Home) -> SecurityKey:
    """A passkey of the owner's that was confirmed at home."""
    key = key_of(home)
    name = new_id()
    proposal = {"id": name, "person": "person-1", "name": "李强", "passkey": public(key)}
    assert (await home.hub.ask("POST", "/owners", proposal))["status"] == 202
    assert await home.agent.consent.confirm_owner(name)
    return key


async def given(home: Home, terms: dict[str, Any]) -> tuple[str, str]:
    """Agreed to at home: the grant's id and text."""
    said = draft(terms)
    assert (await home.hub.ask("POST", "/grants", said))["status"] == 202
    made = await home.agent.consent.give(said["id"])
    assert made is not None
    return made.id, made.text


def outside(home: Home, text: str = "", **changes: Any) -> dict[str, Any]:
    """The son's permit, from town."""
    said = {
        "subject": "son",
        "issuer": HUB,
        "name": "李明",
        "purpose": "family",
        "basis": "C",
        "outside": True,
        "grant": [text] if text else [],
    }
    return home.permit(**{**said, **changes})


def on_duty(home: Home, opening: str, **changes: Any) -> dict[str, Any]:
    said = {
        "subject": "officer",
        "unit": "xicun",
        "unit_name": "西村村委会",
        "roles": ["committee"],
        "basis": "S",
        "purpose": "sos",
        "opening": opening,
    }
    return outside(home, **{**said, **changes})


def opening(home: Home, **changes: Any) -> dict[str, Any]:
    said = {
        "id": new_id(),
        "kind": "sos",
        "cameras": [home.camera],
        "opened": now(),
        "ends": now() + 15 * 60_000,
    }
    return {**said, **changes}


def pushes(agent: Agent) -> int:
    return len(agent.pushes.running)


async def push(at_home: Home, *permits: dict[str, Any]) -> str:
    """The code of the answer, or "yes" when pictures arrive."""
    before = len(at_home.hub.arrivals)
    answer = await at_home.hub.ask("POST", "/pushes", at_home.push(*permits))
    if answer["status"] != 202:
        return str(answer["body"]["code"])
    await until(lambda: len(at_home.hub.arrivals) > before)
    await until(lambda: at_home.hub.arrivals[-1].packets > 10)
    return "yes"
