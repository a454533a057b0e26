"""What a passkey signed (WebAuthn level 2, section 7.2): the only place that verifies one.

Pure but for the library. The person has to have been verified by the authenticator (UV), the
challenge is what was agreed to, and the page it happened on is the hub that the home knows.
"""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from webauthn import verify_authentication_response
from webauthn.helpers.exceptions import WebAuthnException

from village_core.grant_tokens import Assertion
from village_core.keys import decode

# What the library raises for input that is no assertion: it parses CBOR, COSE and JSON unguarded.
UNREADABLE = (WebAuthnException, ValueError, KeyError, TypeError, IndexError, AttributeError)


class NotAsserted(Exception):  # noqa: N818 - an answer, not a failure
    """The passkey did not sign this; the sentence is for logs."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where the passkey is used: what the browser told its authenticator."""

    host: str  # the relying party's id
    origin: str

    @classmethod
    def of(cls, url: str) -> "Site":
        parts = urlsplit(url)
        host = parts.hostname or ""
        shown = f"[{host}]" if ":" in host else host
        usual = {"https": 443, "http": 80}.get(parts.scheme)
        port = f":{parts.port}" if parts.port and parts.port != usual else ""
        return cls(host, f"{parts.scheme}://{shown}{port}")


@dataclass(frozen=True, slots=True)
class Passkey:
    """One that was confirmed to be somebody's."""

    credential: str  # base64url
    public_key: str = field(repr=False)  # COSE, base64url


def check_assertion(said: Assertion, challenge: bytes, passkey: Passkey, site: Site) -> None:
    """Raises NotAsserted unless this passkey signed `challenge` on this site, its holder known."""
    if said.credential != passkey.credential:
        raise NotAsserted("another passkey signed")
    credential = {
        "id": said.credential,
        "rawId": said.credential,
        "type": "public-key",
        "response": {
            "clientDataJSON": said.client_data,
            "authenticatorData": said.authenticator_data,
            "signature": said.signature,
        },
    }
    try:
        verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            credential_public_key=decode(passkey.public_key),
            credential_current_sign_count=0,  # a repeat is known by what it says, not by a counter
            require_user_verification=True,
        )
    except UNREADABLE as error:
        raise NotAsserted(str(error) or type(error).__name__) from error
