"""The way to a parent: whom a child believes there (home agent to hub, hub to the hub above).

Nothing secret is sent before the parent's node key has vouched for its certificate
(village_core/vouching.py); a certificate that changed is met by asking again, at every dial.
"""

import asyncio
import hashlib
import ssl
from typing import TypeVar

import aiohttp
from pydantic import BaseModel, ValidationError

from village_core.enrolment import new_nonce
from village_core.tokens import TokenError
from village_core.vouching import PATH, Vouched, read_vouch

T = TypeVar("T", bound=BaseModel)

LARGEST_BODY = 64 * 1024
TIMEOUT = aiohttp.ClientTimeout(total=10.0, connect=4.0)


class ParentError(Exception):
    """The hub cannot be used; the sentence says why. `code` is the hub's own, when it gave one."""

    def __init__(self, detail: str, *, status: int | None = None, code: str = "") -> None:
        super().__init__(detail)
        self.status = status
        self.code = code


PARENT_ERRORS = (ParentError, aiohttp.ClientError, OSError, TimeoutError)


class Pins(aiohttp.Fingerprint):
    """The certificates that the hub's key vouches for, instead of the web's rules."""

    def __init__(self) -> None:
        super().__init__(bytes(32))
        self.digests: frozenset[bytes] = frozenset()

    def check(self, transport: asyncio.Transport) -> None:
        tls: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
        if tls is None:
            return  # plain HTTP, which config allows on loopback only
        digest = hashlib.sha256(tls.getpeercert(binary_form=True) or b"").digest()
        if digest not in self.digests:
            host, port, *_ = transport.get_extra_info("peername")
            raise aiohttp.ServerFingerprintMismatch(bytes(32), digest, host, port)


class Line:
    """HTTP to one hub address, bound to the certificates its node key vouches for."""

    def __init__(self, url: str, fingerprint: str | None) -> None:
        self.url = url.rstrip("/")
        self._fingerprint = fingerprint
        self._pins = Pins()
        self._pinned: aiohttp.ClientSession | None = None
        self._by_name: aiohttp.ClientSession | None = None
        self._certificates_known = False

    @property
    def http(self) -> aiohttp.ClientSession:
        """The session that reaches the hub and nobody else."""
        if not self._certificates_known:
            raise ParentError("the hub has not vouched for its certificate yet")
        if self._pins.digests or self.url.startswith("http:"):
            self._pinned = self._pinned or _session(ssl_rule=self._pins)
            return self._pinned
        self._by_name = self._by_name or _session(ssl_rule=True)
        return self._by_name

    async def vouch(self) -> Vouched:
        """Ask who is there. Raises one of PARENT_ERRORS."""
        nonce = new_nonce()
        async with (
            _session(ssl_rule=False) as anyone,
            anyone.get(self.url + PATH, params={"nonce": nonce}, allow_redirects=False) as response,
        ):
            text = (await _body(response)).decode("ascii", "replace")
            if response.status != 200:
                raise ParentError(f"{self.url} is not a hub (it answered {response.status})")
        try:
            vouched = await asyncio.to_thread(read_vouch, text, nonce, self._fingerprint)
        except TokenError as error:
            raise ParentError(_why_not(self.url, error), code=error.code) from error
        self._fingerprint = vouched.key.fingerprint  # from now on it stays this hub
        self._pins.digests = vouched.certificates
        self._certificates_known = True
        return vouched

    async def ask(
        self, method: str, path: str, *, body: BaseModel | None = None, token: str = ""
    ) -> tuple[int, bytes]:
        """One call: status and body of a 2xx. Raises one of PARENT_ERRORS for any other."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        data = None
        if body is not None:
            data, headers["Content-Type"] = body.model_dump_json(), "application/json"
        async with self.http.request(
            method, self.url + path, data=data, headers=headers, allow_redirects=False
        ) as response:
            found = await _body(response)
            if not 200 <= response.status < 300:
                raise _problem(response.status, found)
            return response.status, found

    async def close(self) -> None:
        for session in (self._pinned, self._by_name):
            if session is not None:
                await session.close()


def parsed(kind: type[T], data: bytes) -> T:
    """The hub's answer as a message; raises ParentError."""
    try:
        return kind.model_validate_json(data)
    except ValidationError as error:
        raise ParentError(f"the hub's answer is not a {kind.__name__}") from error


def _session(*, ssl_rule: bool | aiohttp.Fingerprint) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=ssl_rule, limit=16),
        timeout=TIMEOUT,
        cookie_jar=aiohttp.DummyCookieJar(),
    )


async def _body(response: aiohttp.ClientResponse) -> bytes:
    data = b""
    async for chunk in response.content.iter_chunked(16_384):
        data += chunk
        if len(data) > LARGEST_BODY:
            raise ParentError("the hub's answer has over 64 KiB")
    return data


class _Problem(BaseModel):
    code: str = ""
    detail: str = ""


def _problem(status: int, body: bytes) -> ParentError:
    try:
        said = _Problem.model_validate_json(body)
    except ValidationError:
        said = _Problem()
    detail = f"the hub answered {status}: {said.detail or said.code or 'it gave no reason'}"
    return ParentError(detail[:300], status=status, code=said.code)


def _why_not(url: str, error: TokenError) -> str:
    if error.code == "unknown_key":
        return f"what answers at {url} is not the hub known here: its key is another"
    return f"what answers at {url} cannot show that it is a hub ({error.code})"
