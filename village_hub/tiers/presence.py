"""Whether a camera can be seen now, and why not: what its agent said, and whether it is there."""

from dataclasses import dataclass

from village_core.troubles import Trouble
from village_hub.catalogue.rows import CameraKind, CameraRow
from village_hub.media.service import LiveService
from village_hub.tiers.children import Children


@dataclass(frozen=True, slots=True)
class Presence:
    online: bool
    trouble: Trouble | None  # why not online, or what limits it


def presence(camera: CameraRow, children: Children, live: LiveService) -> Presence:
    """A camera without its agent, or a pushing one that does not push, is AGENT_OFFLINE."""
    if camera.kind is CameraKind.PUSH:
        pushing = live.publishing(camera.id)
        return Presence(pushing, None if pushing else Trouble.AGENT_OFFLINE)
    if not children.online(camera.node):
        return Presence(online=False, trouble=Trouble.AGENT_OFFLINE)
    return Presence(camera.online, camera.trouble)
