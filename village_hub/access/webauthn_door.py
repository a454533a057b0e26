"""The only place that knows the `webauthn` library: options for browsers, checks of their answers.

What it leaves open is asked for here: the person was verified (UV) and not only present, the key is
one that its authenticator finds by itself, and the user handle is the person's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from webauthn import (
    base64url_to_bytes,
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    bytes_to_base64url,
    options_to_json_dict,
    parse_authentication_credential_json,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from village_hub.catalogue.staff_rows import PasskeyRow

TIMEOUT = 300_000  # ms that the browser gives the person
KNOWN_TRANSPORTS = {each.value for each in AuthenticatorTransport}
# What a malformed answer makes the library raise besides its own: it comes from strangers.
MALFORMED = (WebAuthnException, ValueError, KeyError, TypeError, AttributeError, IndexError)

Json = dict[str, Any]


class NotVerifiedError(Exception):
    """The answer does not prove a key; the sentence is for the log."""


@dataclass(frozen=True, slots=True)
class Site:
    """What browsers know the hub as: passkeys hold for this and nothing else."""

    rp: str  # a DNS name
    origin: str
    name: str

    @classmethod
    def of(cls, url: str, name: str) -> "Site":
        parts = urlsplit(url)
        return cls(parts.hostname or "", f"{parts.scheme}://{parts.netloc}".lower(), name)


@dataclass(frozen=True, slots=True)
class NewKey:
    id: str
    public_key: str
    sign_count: int
    transports: tuple[str, ...]


def creation_options(
    site: Site, person: tuple[str, str], challenge: bytes, known: Sequence[PasskeyRow]
) -> Json:
    """For navigator.credentials.create; `person`: id and name."""
    options = generate_registration_options(
        rp_id=site.rp,
        rp_name=site.name,
        user_id=person[0].encode(),
        user_name=person[1],
        challenge=challenge,
        timeout=TIMEOUT,
        attestation=AttestationConveyancePreference.NONE,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[_descriptor(row) for row in known],
    )
    return options_to_json_dict(options)


def request_options(site: Site, challenge: bytes) -> Json:
    """For navigator.credentials.get: whichever key of this site the device has."""
    options = generate_authentication_options(
        rp_id=site.rp,
        challenge=challenge,
        timeout=TIMEOUT,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json_dict(options)


def check_new(site: Site, challenge: bytes, answer: Json) -> NewKey:
    """Raises NotVerifiedError."""
    try:
        found = verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=site.rp,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except MALFORMED as error:
        raise NotVerifiedError(f"{type(error).__name__}: {error}") from error
    return NewKey(
        id=bytes_to_base64url(found.credential_id),
        public_key=bytes_to_base64url(found.credential_public_key),
        sign_count=found.sign_count,
        transports=_transports(answer),
    )


def key_named_in(answer: Json) -> str:
    """The id of the credential that the answer claims to be from. Raises NotVerifiedError."""
    try:
        return bytes_to_base64url(parse_authentication_credential_json(answer).raw_id)
    except MALFORMED as error:
        raise NotVerifiedError(f"{type(error).__name__}: {error}") from error


def check_use(site: Site, challenge: bytes, key: PasskeyRow, answer: Json) -> int:
    """The key's new counter. Raises NotVerifiedError."""
    try:
        parsed = parse_authentication_credential_json(answer)
        if parsed.response.user_handle != key.person.encode():
            raise NotVerifiedError("the user handle is not the person's")
        found = verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=site.rp,
            expected_origin=site.origin,
            credential_public_key=base64url_to_bytes(key.public_key),
            credential_current_sign_count=key.sign_count,
            require_user_verification=True,
        )
    except MALFORMED as error:
        raise NotVerifiedError(f"{type(error).__name__}: {error}") from error
    return found.new_sign_count


def _descriptor(row: PasskeyRow) -> PublicKeyCredentialDescriptor:
    return PublicKeyCredentialDescriptor(
        id=base64url_to_bytes(row.id),
        transports=[AuthenticatorTransport(each) for each in row.transports],
    )


def _transports(answer: Json) -> tuple[str, ...]:
    """What the browser says of how the key is reached; only known words are kept."""
    response = answer.get("response")
    said = response.get("transports") if isinstance(response, dict) else None
    if not isinstance(said, list):
        return ()
    return tuple(each for each in said if isinstance(each, str) and each in KNOWN_TRANSPORTS)
