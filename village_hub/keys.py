"""The application's typed keys: what handlers may reach for. Set by `app.py` alone."""

from dataclasses import dataclass

from aiohttp import web

from village_core.clock import Clock
from village_core.jobs import Supervisor
from village_hub.access.devices import Devices
from village_hub.access.guard import Guard
from village_hub.access.households import Households
from village_hub.access.passkeys import Passkeys
from village_hub.access.renewal import Renewal
from village_hub.access.seconds import Seconds
from village_hub.access.shifts import Shifts
from village_hub.access.sign_in import SignIns
from village_hub.access.status_lists import StatusLists
from village_hub.access.throttle import Throttle
from village_hub.access.tickets import Tickets
from village_hub.access.token_keys import TokenKeys
from village_hub.access.village_books import VillageBooks
from village_hub.audit.checkpoints import Checkpoints
from village_hub.audit.log import AuditLog
from village_hub.audit.publishing import Summaries
from village_hub.audit.views import Views
from village_hub.cases.alarms import Alarms
from village_hub.cases.desk import Desk
from village_hub.cases.scans import Scans
from village_hub.catalogue.store import Catalogue
from village_hub.config import Config
from village_hub.consent.service import Consent
from village_hub.media.service import LiveService
from village_hub.media.turn import Turn
from village_hub.media.uploads import Uploads
from village_hub.metrics import Metrics
from village_hub.node import Node
from village_hub.notices.service import Notices
from village_hub.tiers.books import Books
from village_hub.tiers.borrowing import Borrowing
from village_hub.tiers.called import FrontDoor
from village_hub.tiers.calling import Calling
from village_hub.tiers.children import Children
from village_hub.tiers.enrolment import Enrolments
from village_hub.tiers.parent import Upward
from village_hub.tiers.telling import Telling
from village_hub.tiers.trust import Trust
from village_hub.tiers.units_above import AskingUnits
from village_hub.tls import Certificates


@dataclass(frozen=True, slots=True)
class Throttles:
    """How often strangers may try, by source, and sessions may be opened, by credential."""

    enrolment: Throttle
    vouch: Throttle
    media: Throttle
    objection: Throttle
    receipt: Throttle


CONFIG = web.AppKey("CONFIG", Config)
CLOCK = web.AppKey("CLOCK", Clock)
SUPERVISOR = web.AppKey("SUPERVISOR", Supervisor)
NODE = web.AppKey("NODE", Node)
CERTIFICATES = web.AppKey("CERTIFICATES", Certificates)
CATALOGUE = web.AppKey("CATALOGUE", Catalogue)
TOKEN_KEYS = web.AppKey("TOKEN_KEYS", TokenKeys)
STATUS_LISTS = web.AppKey("STATUS_LISTS", StatusLists)
TICKETS = web.AppKey("TICKETS", Tickets)
AUDIT = web.AppKey("AUDIT", AuditLog)
CHECKPOINTS = web.AppKey("CHECKPOINTS", Checkpoints)
SUMMARIES = web.AppKey("SUMMARIES", Summaries)
VIEWS = web.AppKey("VIEWS", Views)
GUARD = web.AppKey("GUARD", Guard)
SIGN_INS = web.AppKey("SIGN_INS", SignIns)
SECONDS = web.AppKey("SECONDS", Seconds)
DEVICES = web.AppKey("DEVICES", Devices)
SHIFTS = web.AppKey("SHIFTS", Shifts)
HOUSEHOLDS = web.AppKey("HOUSEHOLDS", Households)
VILLAGE_BOOKS = web.AppKey("VILLAGE_BOOKS", VillageBooks)
PASSKEYS = web.AppKey("PASSKEYS", Passkeys)
THROTTLES = web.AppKey("THROTTLES", Throttles)
CHILDREN = web.AppKey("CHILDREN", Children)
ENROLMENTS = web.AppKey("ENROLMENTS", Enrolments)
UPWARD = web.AppKey("UPWARD", Upward)
TRUST = web.AppKey("TRUST", Trust)
BORROWING = web.AppKey("BORROWING", Borrowing)
BOOKS = web.AppKey("BOOKS", Books)
UNITS_ABOVE = web.AppKey("UNITS_ABOVE", AskingUnits)
CALLING = web.AppKey("CALLING", Calling)
FRONT_DOOR = web.AppKey("FRONT_DOOR", FrontDoor)
TELLING = web.AppKey("TELLING", Telling)
UPLOADS = web.AppKey("UPLOADS", Uploads)
RENEWAL = web.AppKey("RENEWAL", Renewal)
DESK = web.AppKey("DESK", Desk)
ALARMS = web.AppKey("ALARMS", Alarms)
SCANS = web.AppKey("SCANS", Scans)
LIVE = web.AppKey("LIVE", LiveService)
TURN = web.AppKey("TURN", Turn)
NOTICES = web.AppKey("NOTICES", Notices)
METRICS = web.AppKey("METRICS", Metrics)
CONSENT = web.AppKey("CONSENT", Consent)
