"""Consent at a running hub, joined: what handlers and other parts reach for."""

from dataclasses import dataclass
from pathlib import Path

from village_core.assertion import Site
from village_core.clock import Clock
from village_core.jobs import Supervisor
from village_hub.access.renewal import Renewal
from village_hub.access.status_lists import StatusLists
from village_hub.access.throttle import Throttle
from village_hub.catalogue.store import Catalogue
from village_hub.consent.asking import Asking
from village_hub.consent.giving import Giving
from village_hub.consent.housekeeping import Housekeeping
from village_hub.consent.inviting import Inviting
from village_hub.consent.post import Post
from village_hub.consent.stopping import Stopping
from village_hub.consent.watching import Watching
from village_hub.consent.window import Scans, Window
from village_hub.media.service import LiveService
from village_hub.notices.kinds import Kind, Outcome
from village_hub.notices.phone_keys import PhoneKeys
from village_hub.tiers.children import Children

STOPPED_BY_KEY = (
    *(Kind.GRANT_GIVEN, Kind.GRANT_ENDS_SOON, Kind.FAMILY_YEARLY),
    *(Kind.INVITATION_USED, Kind.WINDOW_GRANT),
)
INVITED, INVITED_EVERY = 10, 300.0  # tries from one source in so many seconds


@dataclass(frozen=True, slots=True)
class Needs:
    hub: str
    url: str  # where people's browsers use their passkeys
    state: Path
    catalogue: Catalogue
    children: Children
    live: LiveService
    renewal: Renewal
    statuses: StatusLists
    supervisor: Supervisor
    clock: Clock


@dataclass(frozen=True, slots=True)
class Consent:
    site: Site
    post: Post
    giving: Giving
    stopping: Stopping
    inviting: Inviting
    asking: Asking
    window: Window
    scans: Scans
    watching: Watching
    housekeeping: Housekeeping
    throttle: Throttle  # of invitations

    def register(self, keys: PhoneKeys) -> None:
        """What a key on a phone brings about: a stop, or a no; never a yes (PRM-23)."""
        for kind in STOPPED_BY_KEY:
            keys.on(kind, Outcome.STOP, self.stopping.by_key)
        keys.on(Kind.GRANT_ASKED, Outcome.NO, self.asking.by_key)


def joined(needs: Needs) -> Consent:
    hub, catalogue, clock = needs.hub, needs.catalogue, needs.clock
    site = Site.of(needs.url)

    def ended() -> None:
        """What rests on it is looked at in this moment (MED-17), and whoever asks is told."""
        needs.renewal.look_soon()
        needs.statuses.changed()

    post = Post(
        hub,
        catalogue,
        needs.children,
        needs.supervisor,
        ended=ended,
        places=needs.statuses.place,
        clock=clock,
    )
    return Consent(
        site=site,
        post=post,
        giving=Giving(hub, site, catalogue, post, clock),
        stopping=Stopping(hub, catalogue, post, clock),
        inviting=Inviting(hub, catalogue, clock),
        asking=Asking(hub, catalogue, clock),
        window=Window(hub, site, catalogue, post, clock),
        scans=Scans(needs.state / "scans"),
        watching=Watching(hub, catalogue, needs.live, clock),
        housekeeping=Housekeeping(hub, catalogue, clock),
        throttle=Throttle(INVITED, INVITED_EVERY, clock),
    )
