"""A request as it stands in the database decides about a camera (PRM-8; code R)."""

import pytest

from tests.hub.cases.cast import CHEN, LI, ZHAO, named
from tests.hub.cases.requests import SCAN
from tests.hub.support import Hub
from village_core.permits import Action, CameraClass, Purpose, Quality
from village_hub import keys
from village_hub.access import basis
from village_hub.access.classes import Place
from village_hub.access.facts import Permit, Subject
from village_hub.access.questions import Question
from village_hub.access.rules import decide
from village_hub.cases import request
from village_hub.cases import request_acts as acts
from village_hub.cases.matter import DAY, HOUR, Person
from village_hub.cases.request import Found, Request
from village_hub.cases.request_terms import Footage, RequestTerms
from village_hub.catalogue import camera_records
from village_hub.catalogue.camera_records import RecordRow


def subject(person: Person) -> Subject:
    return Subject(
        person.issuer, person.id, person.unit, frozenset(person.roles), person.place, person.name
    )


class Story:
    """A request for one household's camera, taken as far as a test wants."""

    def __init__(self, hub: Hub, household: str, camera: str) -> None:
        self.hub, self.household, self.camera = hub, household, camera
        self.end = hub.clock.utc_ms() - HOUR
        self.begin = self.end - 12 * HOUR
        self.id = ""

    async def filed(self) -> None:
        desk, now = self.hub.app[keys.DESK], self.hub.clock.utc_ms()
        terms = RequestTerms(
            officers=(named(LI), named(CHEN)),
            approver=named(ZHAO),
            notice="2026-0007",
            case_type="theft",
            case_no="A2026-0042",
            legal_basis="CRP 62",
            place=LI.place,
            cameras=(Footage(camera=self.camera, begin=self.begin, end=self.end),),
            return_by=now + 20 * DAY,
        )
        self.id = (await desk.open(request.begin(terms, LI, now), LI)).matter.id
        found = Found(
            camera=self.camera,
            name="Gate",
            household=self.household,
            begin=self.begin,
            end=self.end,
        )
        await desk.act(self.id, acts.Attach(scan=SCAN), LI)
        await desk.act(self.id, acts.File(parts=(found,)), LI)

    async def answered(self, owner: str) -> None:
        desk = self.hub.app[keys.DESK]
        await self.filed()
        await desk.act(self.id, acts.Approve(), ZHAO)
        who = Person(issuer=self.hub.id, id=owner, owns=(self.household,))
        await desk.act(self.id, acts.Countersign(household=self.household), who)

    async def asks(
        self,
        by: Person,
        action: Action,
        begin: int = 0,
        end: int = 0,
        purpose: Purpose = Purpose.CASE,
    ) -> str:
        """The basis of the permit, or the reason."""
        now = self.hub.clock.utc_ms()
        question = Question(
            decision="d",
            subject=subject(by),
            camera=self.camera,
            quality=Quality.MAIN,
            now=now,
            footage=(begin or self.begin, end or self.end),
        )
        loaded = await self.hub.app[keys.CATALOGUE].read(basis.load, self.hub.id, question)
        assert loaded is not None
        found = decide(question.subject, loaded.camera, action, purpose, now, loaded.basis)
        return found.basis if isinstance(found, Permit) else found.reason.value


async def on_record(hub: Hub, camera: str) -> None:
    """A yard's camera, approved by its owner."""
    row = RecordRow(
        camera=camera,
        camera_class=CameraClass.H_OUT,
        place=Place.YARD,
        purpose="watch the hens and the tools",
        installer="the household",
        duty="",
        sign_placed=True,
        mask_needed=False,
        mask=(),
        proposed_by="fang",
        proposed=1,
        picture_sha256=None,
        approved_by=None,
        approved=None,
        objection=None,
        version=0,
    )
    write = hub.app[keys.CATALOGUE].write
    written = await write(camera_records.put, row)
    await write(camera_records.approve, camera, written.version, "0" * 64, "fang", 1)


@pytest.fixture
async def owner(hub: Hub) -> tuple[str, str]:
    household = await hub.household()
    return household, await hub.person(household)


@pytest.fixture
async def story(hub: Hub, owner: tuple[str, str]) -> Story:
    household, _ = owner
    camera, _ = await hub.push_camera(household)
    await on_record(hub, camera)
    return Story(hub, household, camera)


async def test_approved_and_answered_it_opens_the_clip_and_nothing_live(
    story: Story, owner: tuple[str, str]
) -> None:
    """Seed vector 8."""
    await story.answered(owner[1])
    assert await story.asks(LI, Action.CLIP) == "R"
    assert await story.asks(LI, Action.LIVE) == "clip_only"
    assert await story.asks(CHEN, Action.PLAYBACK) == "clip_only"
    assert await story.asks(ZHAO, Action.CLIP) == "no_basis"  # who approved does not use it
    assert await story.asks(LI, Action.CLIP, purpose=Purpose.OWN_VIEW) == "purpose"


async def test_outside_its_window_it_opens_nothing(story: Story, owner: tuple[str, str]) -> None:
    await story.answered(owner[1])
    assert await story.asks(LI, Action.CLIP, begin=story.begin - 1000) == "window"
    assert await story.asks(LI, Action.CLIP, end=story.end + 1000) == "window"


async def test_before_it_is_approved_and_answered_it_opens_nothing(story: Story) -> None:
    await story.filed()
    assert await story.asks(LI, Action.CLIP) == "not_approved"
    await story.hub.app[keys.DESK].act(story.id, acts.Approve(), ZHAO)
    assert await story.asks(LI, Action.CLIP) == "not_approved"


async def test_returned_or_past_its_date_it_opens_nothing_more(
    story: Story, owner: tuple[str, str]
) -> None:
    await story.answered(owner[1])
    story.hub.clock.turn(20 * DAY / 1000)
    assert await story.asks(LI, Action.CLIP) == "expired"  # also before the clock has acted
    await story.hub.app[keys.DESK].look()
    assert await story.asks(LI, Action.CLIP) == "no_basis"
    found = await story.hub.app[keys.DESK].find(Request, story.id)
    assert found.matter.state == "expired"
