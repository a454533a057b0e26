"""Family by invitation: a link and a code told by voice, and the owner's confirmation (PRM-5)."""

from typing import Any

from tests.hub.consent.home import Home, ask
from tests.hub.consent.test_giving import sees, son
from tests.hub.support import Hub, Viewer
from village_core.ids import new_secret
from village_hub.consent.inviting import TRIES, voice_digest
from village_hub.consent.service import INVITED

JOIN = "/api/v1/invitations/join"


async def invited(home: Home, name: str = "Ming") -> Any:
    wish = home.family("x")
    del wish["recipient"]
    path = f"/api/v1/households/{home.household}/invitations"
    return await ask(home.hub, "POST", path, home.owner, {"name": name, "wish": wish}, 201)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


async def join(hub: Hub, link: str, code: str, name: str = "Ming") -> Any:
    body, headers = {"link": link, "code": code, "name": name}, {"Origin": hub.origin}
    answer = await hub.ask("POST", JOIN, json=body, headers=headers)
    hub.client.session.cookie_jar.clear()
    return answer


async def open_drafts(home: Home) -> list[Any]:
    path = f"/api/v1/households/{home.household}/drafts"
    return [
        each
        for each in (await ask(home.hub, "GET", path, home.owner))["items"]
        if each["state"] == "open"
    ]


async def test_somebody_new_comes_and_sees_once_the_owner_has_confirmed(home: Home) -> None:
    hub = home.hub
    made = await invited(home)
    answer = await join(hub, made["link"], made["code"])
    assert answer.status == 201, await answer.text()
    secret = answer.cookies["village"].value
    ming = Viewer(
        (await answer.json())["person"], {"Cookie": f"village={secret}", "Origin": hub.origin}
    )
    assert (await sees(hub, ming, home.yard, purpose="family"))[0] == 404
    (draft,) = await open_drafts(home)
    assert any("Ming" in line for line in draft["sentences"]["en"])
    assert (await home.confirm(draft))["state"] == "given"
    assert await sees(hub, ming, home.yard, purpose="family") == (200, "")


async def test_somebody_known_here_accepts_signed_in(home: Home) -> None:
    """The owner reads both names: whom they meant and who came."""
    hub = home.hub
    made, zhao = await invited(home, "My daughter"), await son(hub, "Zhao")
    body = {"link": made["link"], "code": made["code"]}
    await ask(hub, "POST", "/api/v1/me/invitations", zhao, body)
    (draft,) = await open_drafts(home)
    assert any("Zhao (My daughter)" in line for line in draft["sentences"]["en"])
    again = await ask(hub, "POST", "/api/v1/me/invitations", zhao, body, 404)
    assert again["code"] == "bad_invitation"


async def test_link_and_code_are_both_needed_and_five_wrong_codes_end_it(home: Home) -> None:
    hub, made = home.hub, await invited(home)
    assert (await join(hub, new_secret(), made["code"])).status == 404
    for _ in range(TRIES):
        assert (await join(hub, made["link"], wrong(made["code"]))).status == 404
    assert (await join(hub, made["link"], made["code"])).status == 404
    assert await open_drafts(home) == []


async def test_guessing_is_slowed_by_source(home: Home) -> None:
    """IDN-11."""
    answers = [(await join(home.hub, new_secret(), "000000")).status for _ in range(INVITED + 1)]
    assert answers == [404] * INVITED + [429]


async def test_an_invitation_ends_after_72_hours_or_when_the_owner_says_so(home: Home) -> None:
    hub, one, two = home.hub, await invited(home), await invited(home)
    stranger = await son(hub)
    path = f"/api/v1/invitations/{one['id']}"
    await ask(hub, "DELETE", path, stranger, None, 404)
    await ask(hub, "DELETE", path, home.owner, None, 204)
    assert (await join(hub, one["link"], one["code"])).status == 404
    listed = f"/api/v1/households/{home.household}/invitations"
    shown = (await ask(hub, "GET", listed, home.owner))["invitations"]
    assert [each["id"] for each in shown] == [two["id"]]
    assert "link" not in shown[0]
    assert "code" not in shown[0]
    hub.clock.turn(72 * 3600 + 1)
    assert (await join(hub, two["link"], two["code"])).status == 404


def test_the_code_is_stored_bound_to_the_link() -> None:
    """Six digits alone could be tried one after another on a stolen database."""
    assert voice_digest("a", "123456") != voice_digest("b", "123456")
