"""Which class a camera may have, and when it is shared at all (CAM-9, CAM-10, PRM-19)."""

from dataclasses import replace

import pytest

from village_core.permits import CameraClass
from village_hub.access.classes import (
    CLASS_OF,
    SENTENCES,
    Fault,
    OnRecord,
    Place,
    Said,
    class_of,
    fault,
    withheld,
)
from village_hub.access.facts import Reason

YARD = Said(CameraClass.H_OUT, Place.YARD, "看住院子里的鸡")
LANE = Said(CameraClass.P9, Place.LANE, "村口夜间有车撞桥", duty="村委会负责村道治安")
GOOD = OnRecord(
    CameraClass.H_OUT,
    told=CameraClass.H_OUT,
    approved=True,
    mask_needed=False,
    masked=False,
    objection=False,
)


def test_a_yard_of_a_household_and_a_lane_of_a_unit_may_be() -> None:
    assert fault(YARD, of_unit=False) is None
    assert fault(LANE, of_unit=True) is None


@pytest.mark.parametrize("place", [place for place in Place if CLASS_OF[place] is CameraClass.P7])
def test_a_reserved_place_by_a_natural_person_is_refused_with_the_article(place: Place) -> None:
    """CAM-10: class P7 by a natural person."""
    said = Said(CameraClass.P7, place, "看桥上的车流", duty="看桥上的车流")
    assert fault(said, of_unit=False) is Fault.RESERVED
    assert "articles 7(3) and 9(1)" in SENTENCES[Fault.RESERVED]
    assert fault(said, of_unit=True) is None


def test_a_village_crossroads_by_a_villager_is_refused_under_any_class() -> None:
    """REG 9(1): calling it a yard does not help."""
    for camera_class in CameraClass:
        said = Said(camera_class, Place.CORNER, "看路口的车", duty="看路口的车")
        assert fault(said, of_unit=False) is Fault.RESERVED


@pytest.mark.parametrize("place", [place for place in Place if CLASS_OF[place] is None])
@pytest.mark.parametrize("of_unit", [True, False])
def test_where_no_camera_may_be_none_is(place: Place, of_unit: bool) -> None:
    """REG 8."""
    for camera_class in CameraClass:
        said = Said(camera_class, place, "看住院子里的鸡", duty="看住院子里的鸡")
        assert fault(said, of_unit=of_unit) is Fault.FORBIDDEN


def test_the_class_is_that_of_the_place() -> None:
    assert fault(replace(YARD, camera_class=CameraClass.H_IN), of_unit=False) is Fault.CLASS
    assert fault(replace(YARD, place=Place.ROOM), of_unit=False) is Fault.CLASS
    assert fault(replace(LANE, camera_class=CameraClass.P7), of_unit=True) is Fault.CLASS


@pytest.mark.parametrize("purpose", ["安全", "为了安全", "For safety", "security.", "  ", "看"])
def test_for_safety_is_no_purpose(purpose: str) -> None:
    """CAM-9: in words."""
    assert fault(replace(YARD, purpose=purpose), of_unit=False) is Fault.VAGUE


def test_a_public_camera_serves_a_duty() -> None:
    assert fault(replace(LANE, duty=" "), of_unit=True) is Fault.DUTY


@pytest.mark.parametrize(
    "polygon",
    [
        ((0.1, 0.1), (0.2, 0.2)),
        ((0.1, 0.1), (0.2, 0.2), (0.1, 0.1)),
        ((0.1, 0.1), (1.2, 0.2), (0.3, 0.1)),
        tuple((index / 100, 0.5) for index in range(33)),
    ],
    ids=["two", "same", "outside", "many"],
)
def test_a_mask_is_of_real_polygons(polygon: tuple[tuple[float, float], ...]) -> None:
    assert fault(replace(YARD, mask=(polygon,)), of_unit=False) is Fault.MASK
    good = ((0.0, 0.0), (1.0, 0.0), (0.5, 1.0))
    assert fault(replace(YARD, mask=(good,)), of_unit=False) is None


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (None, Reason.UNRECORDED),
        (replace(GOOD, approved=False), Reason.UNRECORDED),
        (replace(GOOD, told=CameraClass.H_IN), Reason.UNRECORDED),
        (replace(GOOD, objection=True), Reason.OBJECTION),
        (replace(GOOD, mask_needed=True), Reason.MASK),
        (replace(GOOD, mask_needed=True, masked=True), None),
        (replace(GOOD, told=None), None),
        (GOOD, None),
    ],
)
def test_what_has_to_be_there_before_it_is_shared(
    record: OnRecord | None, why: Reason | None
) -> None:
    """PRM-19: unmasked where a mask is needed is never shared."""
    assert withheld(record) is why


def test_while_record_and_agent_differ_the_most_protective_class_holds() -> None:
    """A hub that calls a living room a lane changes nothing."""
    lied = replace(GOOD, camera_class=CameraClass.P9, told=CameraClass.H_IN)
    assert class_of(lied, of_unit=False) is CameraClass.H_IN
    assert class_of(None, of_unit=False) is CameraClass.H_IN
    assert class_of(GOOD, of_unit=False) is CameraClass.H_OUT
    assert withheld(lied) is Reason.UNRECORDED
