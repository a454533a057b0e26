"""Sessions on duty stand on a living appointment every time (IDN-5, IDN-16, MED-17)."""

from typing import Any

import pytest

from tests.hub.support import Hub, Viewer
from village_core.permits import Action, Purpose, Quality, Role
from village_hub import keys
from village_hub.access import basis
from village_hub.access.facts import Permit, Reason, ShiftFacts, Subject
from village_hub.access.questions import Question
from village_hub.catalogue import appointments, people, shifts, units

pytestmark = pytest.mark.both_databases

DAY = 24 * 3600


async def me(hub: Hub, viewer: Viewer) -> int:
    return (await hub.ask("GET", "/api/v1/me", headers=viewer.headers)).status


async def write(hub: Hub, query: Any, *args: Any) -> Any:
    return await hub.app[keys.CATALOGUE].write(query, *args)


async def test_a_duty_session_is_over_after_12_hours_however_much_used(hub: Hub) -> None:
    """IDN-5."""
    officer = await hub.staff(Role.STATION_OFFICER)
    for _ in range(11):
        hub.clock.turn(3600)
        assert await me(hub, officer) == 200
    hub.clock.turn(3601)
    assert await me(hub, officer) == 401


async def end_appointment(hub: Hub, viewer: Viewer) -> None:
    await write(hub, appointments.end, viewer.appointment, "x", hub.clock.utc_ms())


async def remove_unit(hub: Hub, viewer: Viewer) -> None:
    await write(hub, units.remove, viewer.unit, hub.clock.utc_ms())


async def remove_person(hub: Hub, viewer: Viewer) -> None:
    await write(hub, people.remove_person, viewer.person, hub.clock.utc_ms())


@pytest.mark.parametrize("ending", [end_appointment, remove_unit, remove_person])
async def test_what_a_duty_session_stands_on_ends_it_and_what_it_watches(
    hub: Hub, ending: Any
) -> None:
    """MED-17: the permit of a view is not renewed; the session that watches is cut."""
    officer = await hub.staff(Role.COMMITTEE)
    token = await hub.ask("POST", "/api/v1/me/access-token", headers=officer.headers)
    bearer = {"Authorization": f"Bearer {(await token.json())['token']}"}
    permit = Permit(
        *("p", Subject(hub.id, officer.person), hub.id, "gate", Quality.SUB, Action.LIVE),
        *(Purpose.PUBLIC_SECURITY, "D", 1),
        outside=True,
        sign_in=officer.sign_in,
    )
    guard = hub.app[keys.GUARD]
    assert await guard.renew([permit]) == {"p": Reason.NO_BASIS}  # no such camera
    await ending(hub, officer)
    assert await me(hub, officer) == 401
    assert (await hub.ask("GET", "/api/v1/me", headers=bearer)).status == 401
    assert await guard.renew([permit]) == {"p": Reason.SIGNED_OUT}


async def test_a_term_runs_out_by_itself(hub: Hub) -> None:
    unit, person = await hub.unit("committee"), await hub.named("Chen")
    hub_appointment = await hub.appointed(person, Role.COMMITTEE, unit, days=1)
    hub.clock.turn(DAY - 60)
    viewer = await hub.on_duty(hub_appointment)
    assert await me(hub, viewer) == 200
    hub.clock.turn(61)
    assert await me(hub, viewer) == 401


async def test_the_claims_of_a_duty_session_are_one_appointments(hub: Hub) -> None:
    """One unit, its role, its place; at home the same person is nobody special."""
    person = await hub.person(await hub.household(), "Chen")
    unit = await hub.unit("committee", "110101001001")
    viewer = await hub.on_duty(await hub.appointed(person, Role.COMMITTEE, unit))
    found = await hub.app[keys.CATALOGUE].read(appointments.of_person, person, hub.clock.utc_ms())
    assert [(row.role, row.unit, row.place) for row in found] == [
        (Role.COMMITTEE, unit, "110101001001")
    ]
    said = await (await hub.ask("GET", "/api/v1/me", headers=viewer.headers)).json()
    assert said["duty"] == {
        "appointment": viewer.appointment,
        "unit": unit,
        "unit_name": "The committee",
        "roles": ["committee"],
        "place": "110101001001",
    }
    at_home = await hub.sign_in(person)
    said = await (await hub.ask("GET", "/api/v1/me", headers=at_home.headers)).json()
    assert said["duty"] is None


async def test_members_and_the_delegated_are_in_the_basis(hub: Hub) -> None:
    """PRM, code O: owner, or member with the owner's delegation."""
    household = await hub.household()
    owner = await hub.person(household)
    son, aunt = await hub.member(household, "Son"), await hub.member(household, delegated=True)
    camera, _ = await hub.push_camera(household)
    question = Question(
        decision="d",
        subject=Subject(hub.id, son),
        camera=camera,
        quality=Quality.SUB,
        now=hub.clock.utc_ms(),
    )
    loaded = await hub.app[keys.CATALOGUE].read(basis.load, hub.id, question)
    assert loaded is not None
    assert loaded.basis.owners == {(hub.id, owner), (hub.id, aunt)}
    assert loaded.basis.members == {(hub.id, son)}


async def test_an_open_shift_of_ones_own_unit_is_in_the_basis_until_it_ends(hub: Hub) -> None:
    officer = await hub.staff(Role.COMMITTEE)
    camera, _ = await hub.push_camera(await hub.household())
    shift = await hub.shift(officer, hours=1)

    async def seen(unit: str, issuer: str = hub.id) -> ShiftFacts | None:
        question = Question(
            decision="d",
            subject=Subject(issuer, officer.person, unit),
            camera=camera,
            quality=Quality.SUB,
            now=hub.clock.utc_ms(),
        )
        loaded = await hub.app[keys.CATALOGUE].read(basis.load, hub.id, question)
        assert loaded is not None
        return loaded.basis.shift

    ends = hub.clock.utc_ms() + 3600_000
    assert await seen(officer.unit) == ShiftFacts(shift, officer.unit, ends)
    assert await seen("another") is None
    assert await seen(officer.unit, "another hub") is None
    hub.clock.turn(3601)
    assert await seen(officer.unit) is None


async def test_one_shift_is_open_at_a_time_and_the_next_follows_one_that_ran_out(hub: Hub) -> None:
    officer = await hub.staff(Role.COMMITTEE)
    first = await hub.shift(officer, hours=1)
    with pytest.raises(AssertionError):
        await hub.shift(officer)
    hub.clock.turn(3601)
    second = await hub.shift(officer)
    assert second != first
    rows = await hub.app[keys.CATALOGUE].read(shifts.page, "", 10, person=officer.person)
    assert [row.ended is not None for row in rows] == [True, False]


async def test_an_appointment_nobody_confirmed_opens_nothing(hub: Hub) -> None:
    """IDN-16, PRM-11."""
    person, unit = await hub.named("Chen"), await hub.unit("committee")
    row = await hub.appointed(person, Role.COMMITTEE, unit)
    viewer = await hub.on_duty(row)
    assert await me(hub, viewer) == 200

    def forget(session: Any) -> None:
        found = session.get(type(row), viewer.appointment)
        found.confirmed = None

    await write(hub, forget)
    assert await me(hub, viewer) == 401


async def test_somebody_elses_appointment_opens_nothing(hub: Hub) -> None:
    officer = await hub.staff(Role.COMMITTEE)
    row = await hub.appointed(await hub.named("Wu"), Role.COMMITTEE, officer.unit)
    thief = await hub.on_duty(row)

    def swap(session: Any) -> None:
        session.get(type(row), thief.appointment).person_id = officer.person

    await write(hub, swap)
    assert await me(hub, thief) == 401
