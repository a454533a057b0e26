"""Nobody but the home can make or widen a grant: not a database administrator, not another
household, not an expired key (PRM-21, IDN-7)."""

from typing import Any

import pytest
from sqlmodel import Session, select

from tests.hub.consent.home import DAY, Home, ask, new_home
from tests.hub.consent.test_giving import sees, son
from tests.hub.support import Hub, Viewer
from village_core.grants import GrantTerms
from village_core.ids import new_id
from village_core.keys import SigningKey
from village_core.permits import Action, Purpose, Quality
from village_hub import keys
from village_hub.access import basis
from village_hub.access.facts import Subject
from village_hub.access.questions import Question
from village_hub.access.rules import decide
from village_hub.catalogue import grants
from village_hub.catalogue.consent_models import GrantRecord

LOOKED_UP = {
    "household_id": None,  # filled in by the test
    "node_id": None,
    "draft_id": "another",
    "kind": "away_watch",
    "recipient_person": None,
    "recipient_unit": "a unit",
    "not_before": 0,
    "until": 2**45,
    "route": "window",
    "given_by": "me",
    "given": 1,
    "status_index": 4711,
    "stopped": 1,
    "stopped_by": "me",
    "why": "because",
    "told_home": True,
    "reminded": 1,
    "ended_told": True,
    "copies_deleted": 1,
    "version": 99,
}


async def decided(hub: Hub, viewer: Viewer, camera: str, action: Action = Action.LIVE) -> object:
    """What the decision says, beside ids and times."""
    question = Question(
        decision="d",
        subject=Subject(hub.id, viewer.person),
        camera=camera,
        quality=Quality.SUB,
        now=hub.clock.utc_ms(),
    )
    loaded = await hub.app[keys.CATALOGUE].read(basis.load, hub.id, question)
    assert loaded is not None
    now = hub.clock.utc_ms()
    return decide(question.subject, loaded.camera, action, Purpose.FAMILY, now, loaded.basis)


async def edit(hub: Hub, grant: str, column: str, value: Any) -> None:
    def write(session: Session) -> None:
        row = session.exec(select(GrantRecord).where(GrantRecord.id == grant)).one()
        setattr(row, column, value)

    await hub.app[keys.CATALOGUE].write(write)


def test_every_column_but_what_is_signed_and_the_status_is_edited_below() -> None:
    columns = set(GrantRecord.model_fields) - {"id", "text", "status"}
    assert columns == set(LOOKED_UP)


async def test_editing_any_column_widens_nothing(home: Home) -> None:
    """The recipient sees what was signed, nobody else sees anything, nothing lasts longer."""
    hub, ming, zhao = home.hub, await son(home.hub), await son(home.hub, "Zhao")
    end = hub.clock.utc_ms() + DAY
    grant = await home.give(home.family(ming.person, until=end, actions=["live"]))
    other = await new_home(hub)
    before = await decided(hub, ming, home.yard)
    swapped = {
        "household_id": other.household,
        "node_id": other.agent.id,
        "recipient_person": zhao.person,
    }
    original = await hub.app[keys.CATALOGUE].read(_row, grant)
    for column, value in {**LOOKED_UP, **swapped}.items():
        await edit(hub, grant, column, value)
        if column not in ("household_id", "node_id"):  # those take it away
            assert await decided(hub, ming, home.yard) == before, column
        for who, camera in ((zhao, home.yard), (zhao, other.yard), (ming, other.yard)):
            assert (await sees(hub, who, camera, purpose="family"))[0] == 404, column
        assert (await sees(hub, ming, home.room, purpose="family"))[0] == 404, column
        refused = await decided(hub, ming, home.yard, Action.PLAYBACK)
        assert type(refused).__name__ == "Refusal", column
        await edit(hub, grant, column, original[column])
    await edit(hub, grant, "until", 2**45)
    hub.clock.turn(DAY / 1000)
    assert type(await decided(hub, ming, home.yard)).__name__ == "Refusal"


def _row(session: Session, grant: str) -> dict[str, Any]:
    return session.get_one(GrantRecord, grant).model_dump()


async def test_a_text_that_another_key_signed_gives_nothing(home: Home) -> None:
    """An administrator's own key, the node key, another household's, a row with another id."""
    hub, zhao = home.hub, await son(home.hub, "Zhao")
    ming = await son(hub)
    grant = await home.give(home.family(ming.person))
    terms = GrantTerms.model_validate((await home.draft(home.family(zhao.person)))["terms"])
    other = await new_home(hub)
    forged = []
    for key in (SigningKey.make(), home.agent.node_key, other.agent.household_key):
        real, home.agent.household_key = home.agent.household_key, key
        forged.append(home.box.sign(terms))
        home.agent.household_key = real
    forged.append(other.box.sign(terms))
    genuine = home.box.sign(terms)  # signed, but under a row that is another grant's
    for text in (*forged, genuine):
        await edit(hub, grant, "text", text)
        assert (await sees(hub, zhao, home.yard, purpose="family"))[0] == 404
        assert (await sees(hub, ming, home.yard, purpose="family"))[0] == 404
    for text in forged:
        await home.box.gave(text, new_id())
    rows = await hub.app[keys.CATALOGUE].read(grants.of_household, home.household)
    assert len(rows) == 1


async def test_a_forged_recipient_inside_the_text_breaks_its_signature(home: Home) -> None:
    hub, ming = home.hub, await son(home.hub)
    grant = await home.give(home.family(ming.person))
    row = await hub.app[keys.CATALOGUE].read(grants.find, grant)
    assert row is not None
    for place in (40, len(row.text) // 2, len(row.text) - 5):
        letter = "A" if row.text[place] != "A" else "B"
        await edit(hub, grant, "text", row.text[:place] + letter + row.text[place + 1 :])
        assert (await sees(hub, ming, home.yard, purpose="family"))[0] == 404
    await edit(hub, grant, "text", row.text)
    assert (await sees(hub, ming, home.yard, purpose="family"))[0] == 200


async def test_one_home_cannot_speak_for_another(home: Home) -> None:
    """Its token names it: lists, stops and drafts of others do not concern it."""
    hub, ming = home.hub, await son(home.hub)
    grant = await home.give(home.family(ming.person))
    (text,) = home.box.given.values()
    other = await new_home(hub)
    await other.box.gave(text, grant)
    await other.box.stops(grant)
    assert (await ask(hub, "GET", f"/api/v1/grants/{grant}", ming))["status"] == "valid"
    answer = await hub.ask("PUT", "/api/v1/node/grants", json={}, headers=home.owner.headers)
    assert answer.status == 401


@pytest.mark.parametrize("unfit", [{"until": 2 * DAY}, {"cameras": ["not-there"]}])
async def test_what_the_kinds_limits_forbid_is_not_taken_in_though_signed(
    home: Home, unfit: dict[str, Any]
) -> None:
    """PRM-5."""
    ming = await son(home.hub)
    draft = await home.draft(home.family(ming.person))
    if "until" in unfit:
        unfit = {"until": unfit["until"] + home.hub.clock.utc_ms()}
    terms = GrantTerms.model_validate(
        {**draft["terms"], **unfit, "kind": "live", "purpose": "lost"}
    )
    assert (await home.box.gave(home.box.sign(terms), new_id()))[0] == 200
    rows = await home.hub.app[keys.CATALOGUE].read(grants.of_household, home.household)
    assert rows == []
