"""Whether a camera has something to show, before anybody is answered (MED-12)."""

from village_core.troubles import Trouble
from village_hub.catalogue.rows import CameraKind, CameraRow
from village_hub.errors import ChildOffline, Conflict, Unprocessable
from village_hub.tiers.children import Children

RETRY = 5  # seconds until a camera may be back
NEVER_SENT = (Trouble.H265_ONLY, Trouble.UNSUPPORTED_CODEC)


def must_be_there(camera: CameraRow, children: Children, *, flowing: bool) -> None:
    """409 while there is nothing to show; 422 for what can never be shown. `flowing`: its pictures
    arrive now, whoever sends them."""
    if camera.kind is CameraKind.PUSH:
        if not flowing:
            raise Conflict("this camera is not sending now", code="offline", retry_after=RETRY)
        return
    if not children.online(camera.node):
        raise ChildOffline("the home's box is not connected", retry_after=RETRY)
    if camera.trouble in NEVER_SENT and not (camera.main or camera.sub):
        raise Unprocessable("the camera sends no H.264 picture", code=camera.trouble)
    if not camera.online or not (camera.main or camera.sub):
        code = camera.trouble or Trouble.CONNECTING
        raise Conflict("the camera has no picture now", code=code, retry_after=RETRY)
