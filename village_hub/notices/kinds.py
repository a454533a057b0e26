"""The words of notices: what happened, who is told in which part, by which way, how far it got."""

from enum import StrEnum


class Channel(StrEnum):
    PAGE = "page"  # always there: the notice can be read from its release on
    SMS = "sms"
    VOICE = "voice"
    WEBHOOK = "webhook"  # a unit's own system
    SLIP = "slip"  # printed and handed over by a clerk


class State(StrEnum):
    """Grows only: QUEUED, then perhaps FAILED, DELIVERED, SEEN."""

    QUEUED = "queued"
    FAILED = "failed"  # not delivered when it was due; it is tried on, and can still be read
    DELIVERED = "delivered"
    SEEN = "seen"


class Whom(StrEnum):
    """The part in which somebody is told; who stands in it, the teller knows."""

    OWNER = "owner"  # of the household
    KIN = "kin"  # next of kin
    FILMED = "filmed"  # the person in the picture (PRM-13)
    RECIPIENT = "recipient"  # of a grant
    RESPONDER = "responder"  # may act on an SOS: helper, duty person, station
    ASKER = "asker"  # who opened, asked or requested
    SECOND = "second"  # the second named person
    UNIT_HEAD = "unit_head"
    CUSTODIAN = "custodian"  # of the node or of a public place's cameras
    MEDIATOR = "mediator"
    PARTY = "party"  # one of both in a dispute
    APPOINTED = "appointed"  # whose appointment it is
    AUDITOR = "auditor"
    ADMIN = "admin"


class Kind(StrEnum):
    """What happened. `due.RULES` says who must be told of it."""

    SOS_RAISED = "sos_raised"
    SOS_CALL = "sos_call"
    SOS_ACCEPTED = "sos_accepted"
    SOS_NOBODY = "sos_nobody"
    SOS_VIEWED = "sos_viewed"
    SOS_REASON_DUE = "sos_reason_due"
    SOS_REVIEW_LATE = "sos_review_late"
    SOS_REVIEWED = "sos_reviewed"
    EMERGENCY_OPENED = "emergency_opened"
    EMERGENCY_LAPSED = "emergency_lapsed"
    EMERGENCY_BREACH = "emergency_breach"
    REQUEST_TO_APPROVE = "request_to_approve"
    REQUEST_APPROVED = "request_approved"
    REQUEST_REFUSED = "request_refused"
    REQUEST_ANSWERED = "request_answered"
    OWNER_UNREACHED = "owner_unreached"
    CLIP_TAKEN = "clip_taken"
    CLIP_OVERDUE = "clip_overdue"
    ASK_TO_REVIEW = "ask_to_review"
    ASK_MADE = "ask_made"
    DELAY_GRANTED = "delay_granted"
    DELAY_RENEWED = "delay_renewed"
    CONCERNED_ASKED = "concerned_asked"
    CONCERNED_ANSWERED = "concerned_answered"
    FILMED_ASKED = "filmed_asked"
    FILMED_STOPPED = "filmed_stopped"
    SECOND_NEEDED = "second_needed"
    PRESERVE_PLACED = "preserve_placed"
    PRESERVE_LAPSED = "preserve_lapsed"
    OBJECTION_FILED = "objection_filed"
    OBJECTION_LATE = "objection_late"
    VIEW_TO_APPROVE = "view_to_approve"
    GRANT_GIVEN = "grant_given"
    GRANT_STOPPED = "grant_stopped"
    GRANT_EXPIRED = "grant_expired"
    GRANT_ENDS_SOON = "grant_ends_soon"
    FAMILY_YEARLY = "family_yearly"
    INVITATION_USED = "invitation_used"
    GRANT_ASKED = "grant_asked"
    WINDOW_GRANT = "window_grant"
    BOX_CHANGED = "box_changed"
    HELP_ASKED = "help_asked"
    HELP_TAKEN = "help_taken"
    HELP_ANSWERED = "help_answered"
    HELP_CLOSED = "help_closed"
    HELP_EXPIRED = "help_expired"
    DISPUTE_FILED = "dispute_filed"
    DISPUTE_JOINED = "dispute_joined"
    DISPUTE_LOOKED = "dispute_looked"
    DISPUTE_CLOSED = "dispute_closed"
    OWNER_ADDED = "owner_added"
    CODE_USED = "code_used"
    APPOINTMENT_ENDED = "appointment_ended"
    LOG_DISPUTED = "log_disputed"
    LOG_DISPUTE_LATE = "log_dispute_late"
    LOG_DISPUTE_ANSWERED = "log_dispute_answered"
    STALE_VIEW = "stale_view"
    DATA_BREACH = "data_breach"
    CAMERA_OFFLINE = "camera_offline"
    STORAGE_LOW = "storage_low"


class Outcome(StrEnum):
    """All that a phone key can bring about. There is no yes among them (PRM-23, IDN-11)."""

    STOP = "stop"  # a grant, or an opening
    NO = "no"  # to an ask; to a call for help: cannot come
    ACCEPT_SOS_CALL = "accept_sos_call"  # "I am coming": widens nobody's consent
