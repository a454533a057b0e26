"""A decision's no, as a sentence and an error that HTTP knows."""

from village_hub.access.facts import Reason
from village_hub.errors import Refused

REFUSED = {
    Reason.NO_BASIS: "you may not see this camera",
    Reason.PURPOSE: "this camera cannot be seen for this purpose",
    Reason.SIGNED_OUT: "the sign-in this rested on has ended",
    Reason.NO_MEDIA: "engineers, auditors and admins see no pictures",
    Reason.CLASS: "cameras of this class are not shared with you",
    Reason.ACTION: "the household has agreed to something else",
    Reason.EXPIRED: "what this rested on has ended",
    Reason.NOT_YET: "what this rests on has not begun yet",
    Reason.STOPPED: "the household has stopped sharing this camera with you",
    Reason.STALE: "whether the household still agrees cannot be known now",
    Reason.CHAIN: "this was handed on by somebody who may not",
    Reason.TIME: "not at this hour",
    Reason.PATIENT: "the person in the picture has not agreed",
    Reason.NEED_TWO: "a request needs two officers",
    Reason.SELF_APPROVAL: "nobody approves, or exports, their own request",
    Reason.NOT_APPROVED: "the request is not approved",
    Reason.NO_NOTICE: "the request has no notice number and scan",
    Reason.WINDOW: "the footage asked for is outside what was approved, or over 12 hours",
    Reason.CLIP_ONLY: "a request brings a stored clip, nothing live",
    Reason.NO_REASON: "say why",
    Reason.NO_SHIFT: "your shift is not open",
    Reason.SCOPE: "this camera is not of your unit's place",
    Reason.SOS_CLOSED: "the emergency is over",
    Reason.NOT_RESPONDER: "you are not called in this emergency",
    Reason.SECOND: "a second person has to confirm",
    Reason.COUNTS_ONLY: "your role reads sums, not single cameras",
    Reason.OBJECTION: "somebody objected to this picture: it is not shared until that is settled",
    Reason.MASK: "this camera has no mask yet and cannot be shared",
    Reason.AUDIT: "nothing can be shown now: it could not be written down",
    Reason.UNRECORDED: "this camera's class, purpose or sign is not on record: it cannot be shared",
}


def refused_for(reason: Reason) -> Refused:
    return Refused(REFUSED[reason], code=reason.value)
