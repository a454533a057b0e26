"""What decisions stand on is loaded for a whole list with as many queries as for one camera."""

from collections.abc import Sequence

from sqlalchemy import event

from tests.hub.support import Hub
from village_core.ids import new_id
from village_core.permits import Quality, Role
from village_hub import keys
from village_hub.access import basis
from village_hub.access.basis import Loaded
from village_hub.access.facts import Subject
from village_hub.access.questions import Question
from village_hub.catalogue.store import Session


def counted(
    session: Session, hub: str, questions: Sequence[Question]
) -> tuple[int, dict[str, Loaded | None]]:
    """How many statements it took, and what was found."""
    said: list[str] = []

    def hear(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        said.append(statement)

    event.listen(session.connection(), "before_cursor_execute", hear)
    found = basis.load_all(session, hub, questions)
    return len(said), found


def question(hub: Hub, subject: Subject, camera: str) -> Question:
    now = hub.clock.utc_ms()
    return Question(decision=new_id(), subject=subject, camera=camera, quality=Quality.SUB, now=now)


async def test_a_list_of_cameras_takes_no_more_queries_than_one(hub: Hub) -> None:
    homes = [await hub.household(f"Home {index}") for index in range(12)]
    cameras = [(await hub.push_camera(home))[0] for home in homes]
    owners = [await hub.person(home) for home in homes]
    catalogue = hub.app[keys.CATALOGUE]
    on_duty = await hub.staff(Role.STATION_OFFICER)
    officer = Subject(
        hub.id, on_duty.person, on_duty.unit, frozenset({Role.STATION_OFFICER}), "110101"
    )
    one = [question(hub, officer, cameras[0])]
    alone, _ = await catalogue.read(counted, hub.id, one)
    questions = [question(hub, officer, camera) for camera in cameras]
    count, found = await catalogue.read(counted, hub.id, questions)
    assert alone == count <= 8
    for each, owner in zip(questions, owners, strict=True):
        loaded = found[each.decision]
        assert loaded is not None
        assert loaded.camera.id == each.camera
        assert loaded.basis.owners == {(hub.id, owner)}


async def test_questions_of_several_people_are_answered_each_for_itself(hub: Hub) -> None:
    """As at a renewal; a camera that is gone is nothing."""
    home, other = await hub.household(), await hub.household("Li")
    camera, far = (await hub.push_camera(home))[0], (await hub.push_camera(other))[0]
    owner = await hub.person(home)
    fang, mei = Subject(hub.id, owner), Subject(hub.id, await hub.member(home))
    asked = [
        *(question(hub, fang, camera), question(hub, mei, camera)),
        *(question(hub, fang, far), question(hub, mei, "gone")),
    ]
    found = await hub.app[keys.CATALOGUE].read(basis.load_all, hub.id, asked)
    at_home = [found[each.decision] for each in asked[:2]]
    assert all(each is not None and each.basis.owners == {fang.key} for each in at_home)
    assert all(each is not None and each.basis.members == {mei.key} for each in at_home)
    elsewhere = found[asked[2].decision]
    assert elsewhere is not None
    assert elsewhere.basis.owners == frozenset()
    assert found[asked[3].decision] is None
