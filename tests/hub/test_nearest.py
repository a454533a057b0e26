"""A viewer who asks for a quality that the camera lacks is permitted the one it has."""

import pytest

from village_core.messages import EncodingNote
from village_core.permits import Quality
from village_hub.catalogue.rows import CameraKind, CameraRow

PICTURE = EncodingNote(profile_level_id="42e01f", width=640, height=360)


@pytest.mark.parametrize(
    ("main", "sub", "wanted", "given"),
    [
        (PICTURE, PICTURE, Quality.SUB, Quality.SUB),
        (PICTURE, None, Quality.SUB, Quality.MAIN),
        (None, PICTURE, Quality.MAIN, Quality.SUB),
        (None, None, Quality.SUB, Quality.SUB),
    ],
)
def test_the_nearest_quality_is_the_wanted_or_the_only_one(
    main: EncodingNote | None, sub: EncodingNote | None, wanted: Quality, given: Quality
) -> None:
    camera = CameraRow(
        id="camera",
        name="大门",
        kind=CameraKind.AGENT,
        household="home",
        node="agent",
        online=True,
        trouble=None,
        main=main,
        sub=sub,
        audio=None,
        masked=False,
        transcoded=False,
    )
    assert camera.nearest(wanted) is given
