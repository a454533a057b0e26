"""The HTTP of a WHIP client (RFC 9725): POST an offer, DELETE the session, redirects, problems."""

import json
import logging
from dataclasses import dataclass, field

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, hdrs
from yarl import URL

from village_core.transport.ice_servers import IceServer, read_links
from village_core.transport.sdp_model import LARGEST_SDP

log = logging.getLogger(__name__)

MOST_REDIRECTS = 5
LONGEST_SENTENCE = 300  # characters of somebody else's problem that we repeat
HTTP_FAILED = (ClientError, TimeoutError, OSError)
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class PushError(Exception):
    """A push did not come about: the sentence says why.

    `status` is the server's answer, None when there was none; `retry_after` are seconds, if given.
    """

    def __init__(
        self, sentence: str, status: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Created:
    """What a 201 says. `location` is the session's URL, a secret like the ticket."""

    location: URL = field(repr=False)
    answer: str = field(repr=False)
    servers: tuple[IceServer, ...]


class Whip:
    """One endpoint and the bearer for it; the bearer never goes to another origin."""

    def __init__(
        self,
        http: ClientSession,
        endpoint: str,
        bearer: str | None,
        *,
        within: float,
        plain_http: bool = False,
    ) -> None:
        self._http = http
        self._endpoint = _endpoint(endpoint, plain_http=plain_http)
        self._bearer = bearer
        self._timeout = ClientTimeout(total=within)

    @property
    def local(self) -> bool:
        """Whether the server is this machine, by its loopback address."""
        return self._endpoint.host in LOOPBACK

    async def publish(self, offer: str) -> Created:
        """POST the offer; 307 and 308 are followed within the origin. PushError: no 201."""
        url = self._endpoint
        for _ in range(MOST_REDIRECTS):
            try:
                async with self._http.post(
                    url,
                    data=offer.encode(),
                    headers={hdrs.CONTENT_TYPE: "application/sdp", **self._authorization(url)},
                    allow_redirects=False,
                    timeout=self._timeout,
                ) as response:
                    if response.status not in (307, 308):
                        return await _created(response)
                    url = self._redirected(response)
            except HTTP_FAILED as error:
                raise PushError(f"{url.host} does not answer: {_why(error)}") from error
        raise PushError(f"{self._endpoint.host} redirects without end")

    async def end(self, location: URL) -> None:
        """DELETE the session; that it is gone already, or nobody answers, is only logged."""
        try:
            async with self._http.delete(
                location,
                headers=self._authorization(location),
                allow_redirects=False,
                timeout=self._timeout,
            ) as response:
                if response.status not in (200, 204, 404):
                    log.info("ending a push: %s answered %s", location.host, response.status)
        except HTTP_FAILED as error:
            log.info("ending a push: %s does not answer: %s", location.host, _why(error))

    def _authorization(self, url: URL) -> dict[str, str]:
        if self._bearer is None or url.origin() != self._endpoint.origin():
            return {}
        return {hdrs.AUTHORIZATION: f"Bearer {self._bearer}"}

    def _redirected(self, response: ClientResponse) -> URL:
        location = _location(response)
        if location.origin() != self._endpoint.origin():
            raise PushError(
                f"{self._endpoint.host} redirects to {location.host}, where the ticket must not go",
                response.status,
            )
        return location


def _endpoint(text: str, *, plain_http: bool) -> URL:
    try:
        url = URL(text)
    except ValueError:
        raise PushError("the WHIP endpoint is no URL") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise PushError("the WHIP endpoint must be an https URL")
    if url.scheme == "http" and not plain_http and url.host not in LOOPBACK:
        raise PushError(f"{url.host} must be reached by https, not http")
    return url


async def _created(response: ClientResponse) -> Created:
    body = await _body(response)
    if response.status != 201:
        raise PushError(_problem(response, body), response.status, _retry_after(response))
    if response.content_type != "application/sdp":
        raise PushError(f"the answer is {response.content_type}, not SDP", response.status)
    links = response.headers.getall(hdrs.LINK, [])
    return Created(_location(response), body, tuple(read_links(links)))


async def _body(response: ClientResponse) -> str:
    body = bytearray()
    async for chunk in response.content.iter_chunked(8192):
        body += chunk
        if len(body) > LARGEST_SDP:
            raise PushError("the server's answer is too long", response.status)
    return body.decode("utf-8", "replace")


def _location(response: ClientResponse) -> URL:
    try:
        return response.url.join(URL(response.headers[hdrs.LOCATION]))
    except (KeyError, ValueError):
        raise PushError("the server's answer has no usable Location", response.status) from None


def _problem(response: ClientResponse, body: str) -> str:
    """The sentence of an RFC 9457 problem, else the status in words."""
    plain = f"the server answered {response.status} {response.reason or ''}".strip()
    if response.content_type != "application/problem+json":
        return plain
    try:
        problem = json.loads(body)
    except ValueError:
        return plain
    if not isinstance(problem, dict):
        return plain
    sentence = problem.get("detail") or problem.get("title")
    return sentence[:LONGEST_SENTENCE] if isinstance(sentence, str) else plain


def _retry_after(response: ClientResponse) -> float | None:
    text = response.headers.get(hdrs.RETRY_AFTER, "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _why(error: Exception) -> str:
    return (
        "no answer in time"
        if isinstance(error, TimeoutError)
        else str(error) or type(error).__name__
    )
