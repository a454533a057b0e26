"""Every table there is: importing this module makes METADATA whole."""

from village_hub.catalogue import (
    audit_models,
    book_models,
    camera_models,
    case_models,
    consent_models,
    far_models,
    home_log_models,
    models,
    notice_models,
    once_models,
    remote_models,
    sign_models,
    staff_models,
)

METADATA = models.METADATA
AREAS = (
    *(models, staff_models, consent_models, case_models, notice_models, audit_models),
    *(once_models, camera_models, sign_models, home_log_models, remote_models, book_models),
    far_models,
)
