"""SOAP over HTTP to one device: signing in, time-outs, and replies parsed without trust.

HTTP Digest first (RFC 7616), then WS-UsernameToken with Nonce and Created (ONVIF Core 5.9.4).
"""

import base64
import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import urlsplit

import requests
import urllib3
from lxml import etree  # type: ignore[import-untyped]
from requests.adapters import HTTPAdapter
from zeep.transports import Transport

from home_agent.rtsp.digest import Authenticator, Credentials
from home_agent.rtsp.failure import SourceFailure
from village_core.clock import SYSTEM_CLOCK
from village_core.troubles import Trouble

TIMEOUT = (5.0, 10.0)  # seconds to connect, to read
LARGEST_REPLY = 4 * 1024 * 1024  # bytes
SOAP = "http://www.w3.org/2003/05/soap-envelope"
_OASIS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
WSSE = f"{_OASIS}wssecurity-secext-1.0.xsd"
WSU = f"{_OASIS}wssecurity-utility-1.0.xsd"
DIGEST_TYPE = f"{_OASIS}username-token-profile-1.0#PasswordDigest"
BASE64_TYPE = f"{_OASIS}soap-message-security-1.0#Base64Binary"

SignIn = Literal["nothing", "digest", "token"]


@dataclass(slots=True)
class Reply:
    """What zeep reads of a response."""

    status_code: int
    content: bytes
    headers: dict[str, str]
    encoding: str | None = "utf-8"


class PinnedAdapter(HTTPAdapter):
    """Accepts one certificate, whoever signed it."""

    def __init__(self, fingerprint: str) -> None:
        self._fingerprint = fingerprint
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        kwargs["assert_fingerprint"] = self._fingerprint
        super().init_poolmanager(*args, **kwargs)


class DeviceTransport(Transport):
    """Carries envelopes to one device, signed as it wants them. Raises SourceFailure."""

    def __init__(self, credentials: Credentials | None, pin: str | None) -> None:
        self._http = requests.Session()
        self._http.trust_env = False  # no proxy and no .netrc between us and a camera
        if pin is not None:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
            self._http.mount("https://", PinnedAdapter(pin))
            self._http.verify = False  # the authorities'; the pin is checked instead
        super().__init__(session=self._http, cache=None)  # type: ignore[no-untyped-call]
        self._credentials = credentials
        self._authenticator = Authenticator(credentials)
        self.patience = TIMEOUT  # longer where the device is asked to wait
        self.signed_in_by: SignIn = "nothing"
        self.skew_ms = 0  # of the device's clock, for Created

    def post_xml(self, address: str, envelope: Any, headers: dict[str, str]) -> Reply:
        """Posts; when the device wants a signature, posts again with one."""
        reply = self._post(address, envelope, headers)
        if self.signed_in_by == "nothing" and _unauthorised(reply):
            reply = self._sign_in(address, envelope, headers, reply)
        elif reply.status_code == 401 and self._challenged(reply):  # the nonce was stale
            reply = self._post(address, envelope, headers)
        if _unauthorised(reply):
            raise self._refused()
        return reply

    def _sign_in(self, address: str, envelope: Any, headers: dict[str, str], reply: Reply) -> Reply:
        if self._credentials is None:
            raise self._refused()
        if self._challenged(reply):
            self.signed_in_by = "digest"
            reply = self._post(address, envelope, headers)
            if not _unauthorised(reply):
                return reply
        self.signed_in_by = "token"
        return self._post(address, envelope, headers)

    def _challenged(self, reply: Reply) -> bool:
        return self._authenticator.challenged([reply.headers.get("www-authenticate", "")])

    def _post(self, address: str, envelope: Any, headers: dict[str, str]) -> Reply:
        if self.signed_in_by == "token" and self._credentials:
            envelope = with_token(envelope, self._credentials, self.skew_ms)
        body = etree.tostring(envelope, xml_declaration=True, encoding="utf-8")
        headers = dict(headers)
        if self.signed_in_by == "digest":
            parts = urlsplit(address)
            uri = parts.path + (f"?{parts.query}" if parts.query else "")
            headers["Authorization"] = self._authenticator.header("POST", uri) or ""
        return self._send(address, body, headers)

    def _send(self, address: str, body: bytes, headers: dict[str, str]) -> Reply:
        try:
            with self._http.post(
                address,
                data=body,
                headers=headers,
                timeout=self.patience,
                stream=True,
                allow_redirects=False,
            ) as response:
                content = response.raw.read(LARGEST_REPLY + 1, decode_content=True)
                shown = {name.lower(): value for name, value in response.headers.items()}
                status = response.status_code
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise unreachable(address, error) from error
        if len(content) > LARGEST_REPLY:
            raise SourceFailure(Trouble.PROTOCOL, "The camera's ONVIF reply is too large.")
        return Reply(status, content, shown)

    def _refused(self) -> SourceFailure:
        if self._credentials is None:
            sentence = "The camera asks for a user and password, and none is set."
        else:
            sentence = "The camera refuses the user or password for ONVIF."
            if abs(self.skew_ms) > 5000:
                sentence += " Its clock is wrong, too: that alone can be the reason."
        return SourceFailure(Trouble.WRONG_PASSWORD, sentence)


def with_token(envelope: Any, credentials: Credentials, skew_ms: int) -> Any:
    """A copy of the envelope with a WS-UsernameToken, its time as the device's clock has it."""
    signed = etree.fromstring(etree.tostring(envelope))
    header = signed.find(f"{{{SOAP}}}Header")
    if header is None:
        header = etree.Element(f"{{{SOAP}}}Header")
        signed.insert(0, header)
    nonce = secrets.token_bytes(16)
    moment = datetime.fromtimestamp((SYSTEM_CLOCK.utc_ms() + skew_ms) / 1000, UTC)
    created = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"
    # SHA-1 is what the token profile prescribes; the nonce and the time keep it fresh.
    digest = hashlib.sha1(
        nonce + created.encode() + credentials.password.encode(), usedforsecurity=False
    ).digest()
    security = etree.SubElement(header, f"{{{WSSE}}}Security", nsmap={"wsse": WSSE, "wsu": WSU})
    security.set(f"{{{SOAP}}}mustUnderstand", "1")
    token = etree.SubElement(security, f"{{{WSSE}}}UsernameToken")
    etree.SubElement(token, f"{{{WSSE}}}Username").text = credentials.user
    password = etree.SubElement(token, f"{{{WSSE}}}Password", Type=DIGEST_TYPE)
    password.text = base64.b64encode(digest).decode()
    shown = etree.SubElement(token, f"{{{WSSE}}}Nonce", EncodingType=BASE64_TYPE)
    shown.text = base64.b64encode(nonce).decode()
    etree.SubElement(token, f"{{{WSU}}}Created").text = created
    return signed


def _unauthorised(reply: Reply) -> bool:
    """401; or the SOAP fault ter:NotAuthorized, under whichever status."""
    if reply.status_code == 401:
        return True
    return reply.status_code in (200, 400, 403, 500) and b"NotAuthorized" in reply.content


def unreachable(address: str, error: Exception) -> SourceFailure:
    """Why a device could not be asked, in words."""
    parts = urlsplit(address)
    where = f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
    said = str(error)
    if isinstance(error, requests.exceptions.SSLError):
        return SourceFailure(
            Trouble.PROTOCOL, f"The certificate of {where} is not the one that is expected."
        )
    if "refused" in said:
        return SourceFailure(Trouble.REFUSED, f"Something answers, but {where} is closed.")
    if isinstance(error, requests.exceptions.ReadTimeout):
        return SourceFailure(Trouble.STALLED, f"{where} took the question and did not answer.")
    if isinstance(error, requests.exceptions.ConnectionError | requests.exceptions.Timeout):
        return SourceFailure(Trouble.NO_ROUTE, f"Nothing answers ONVIF at {where}.")
    return SourceFailure(Trouble.PROTOCOL, f"{where} does not speak HTTP as it should.")
