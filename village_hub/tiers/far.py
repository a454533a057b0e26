"""A camera of a node below, as this hub's media sees it: its child sends it, like a home's box."""

from village_core.exchange import LookGiven
from village_hub.catalogue.rows import CameraKind, CameraRow


def far_camera(camera: str, name: str, child: str, given: LookGiven) -> CameraRow:
    return CameraRow(
        id=camera,
        name=name,
        kind=CameraKind.AGENT,
        household="",
        node=child,
        online=True,
        trouble=None,
        main=given.main,
        sub=given.sub,
        audio=given.audio,
        masked=False,
        transcoded=False,
    )
