"""One RTSP connection: TCP or TLS, requests matched to answers, frames handed on as they come."""

import asyncio
import errno
import hashlib
import ssl
from collections.abc import Callable

from home_agent.rtsp.address import Address
from home_agent.rtsp.failure import SourceFailure
from home_agent.rtsp.messages import (
    Interleaved,
    Reader,
    Request,
    Response,
    RtspSyntaxError,
    write_request,
    write_response,
)
from village_core.troubles import Trouble

CONNECT_TIMEOUT = 5.0  # seconds; a camera on the LAN answers in milliseconds
ANSWER_TIMEOUT = 10.0  # seconds; some cameras start their encoder before they answer
_UNREACHABLE = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ETIMEDOUT}

OnFrame = Callable[[int, bytes], None]


class Connection(asyncio.Protocol):
    """Made by `connect`. `lost` is done once the camera is gone; its result says why."""

    def __init__(self, on_frame: OnFrame) -> None:
        self._on_frame = on_frame
        self._reader = Reader()
        self._transport: asyncio.Transport | None = None
        self._cseq = 0
        self._answer: asyncio.Future[Response] | None = None
        self.lost: asyncio.Future[SourceFailure] = asyncio.get_running_loop().create_future()

    async def request(
        self,
        method: str,
        url: str,
        headers: list[tuple[str, str]],
        timeout: float = ANSWER_TIMEOUT,  # noqa: ASYNC109 - a failure in words, not TimeoutError
    ) -> Response:
        """Sends one request and waits for its answer. Raises SourceFailure."""
        if self.lost.done() or self._transport is None:
            raise self._failure()
        self._cseq += 1
        self._answer = asyncio.get_running_loop().create_future()
        text = write_request(method, url, [("CSeq", str(self._cseq)), *headers])
        self._transport.write(text)
        try:
            async with asyncio.timeout(timeout):
                return await self._answer
        except TimeoutError as error:
            sentence = f"The camera did not answer {method} within {timeout:g} s."
            raise SourceFailure(Trouble.STALLED, sentence) from error
        finally:
            self._answer = None

    def send_frame(self, channel: int, payload: bytes) -> None:
        """One interleaved frame to the camera (RFC 2326 section 10.12)."""
        if self._transport is not None and not self._transport.is_closing():
            head = bytes((0x24, channel)) + len(payload).to_bytes(2)
            self._transport.write(head + payload)

    @property
    def local_host(self) -> str:
        return self._name("sockname")

    @property
    def remote_host(self) -> str:
        return self._name("peername")

    @property
    def certificate(self) -> bytes | None:
        """The camera's certificate in DER, None without TLS."""
        secured = self._transport and self._transport.get_extra_info("ssl_object")
        return secured.getpeercert(binary_form=True) if secured else None

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what create_connection gives
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        try:
            for event in self._reader.feed(data):
                if type(event) is Interleaved:
                    self._on_frame(event.channel, event.payload)
                else:
                    self._take(event)
        except RtspSyntaxError as error:
            self._end(SourceFailure(Trouble.PROTOCOL, f"The camera broke RTSP: {error}."))

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(SourceFailure(Trouble.STALLED, "The camera closed the connection."))

    def _take(self, message: object) -> None:
        if isinstance(message, Response):
            waiting = self._answer
            # Late answers to a request given up are passed over; some cameras send no CSeq.
            if waiting and not waiting.done() and message.cseq in (None, self._cseq):
                waiting.set_result(message)
        elif isinstance(message, Request) and self._transport is not None:
            asked = message.method == "OPTIONS"
            status, reason = (200, "OK") if asked else (501, "Not Implemented")
            self._transport.write(write_response(status, reason, message.headers.first("cseq")))

    def _end(self, failure: SourceFailure) -> None:
        if not self.lost.done():
            self.lost.set_result(failure)
        if self._answer and not self._answer.done():
            self._answer.set_exception(failure)
        self.close()

    def _failure(self) -> SourceFailure:
        if self.lost.done():
            return self.lost.result()
        return SourceFailure(Trouble.STALLED, "There is no connection to the camera.")

    def _name(self, which: str) -> str:
        name = self._transport and self._transport.get_extra_info(which)
        return str(name[0]) if name else ""


async def connect(address: Address, on_frame: OnFrame) -> Connection:
    """Connects, and with rtsps checks the certificate. Raises SourceFailure."""
    loop = asyncio.get_running_loop()
    context = _tls_context(address) if address.tls else None
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT):
            _, connection = await loop.create_connection(
                lambda: Connection(on_frame), address.host, address.port, ssl=context
            )
    except (OSError, TimeoutError) as error:
        raise _no_connection(address, error) from error
    if address.pin is not None:
        _check_pin(connection, address.pin)
    return connection


async def fingerprint(address: Address) -> str:
    """SHA-256 of the certificate that a camera shows, for a person to compare and pin.

    Raises SourceFailure.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT):
            _, writer = await asyncio.open_connection(address.host, address.port, ssl=context)
    except (OSError, TimeoutError) as error:
        raise _no_connection(address, error) from error
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.transport.abort()
    return hashlib.sha256(shown or b"").hexdigest()


def _tls_context(address: Address) -> ssl.SSLContext:
    """Verifies against the system's authorities, or, with a pin, against the pin alone."""
    context = ssl.create_default_context()
    if address.pin is not None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _check_pin(connection: Connection, pin: str) -> None:
    found = hashlib.sha256(connection.certificate or b"").hexdigest()
    if found != pin:
        connection.close()
        sentence = f"The camera shows another certificate than the pinned one: sha256:{found}."
        raise SourceFailure(Trouble.PROTOCOL, sentence)


def _no_connection(address: Address, error: Exception) -> SourceFailure:
    where = f"{address.host}:{address.port}"
    if isinstance(error, ssl.SSLCertVerificationError):
        sentence = (
            f"The certificate of {where} is not vouched for ({error.verify_message}): pin it by"
            " #sha256:<fingerprint> behind the address."
        )
        return SourceFailure(Trouble.PROTOCOL, sentence)
    if isinstance(error, ssl.SSLError):
        return SourceFailure(Trouble.PROTOCOL, f"{where} answers, but not with TLS.")
    if isinstance(error, ConnectionRefusedError):
        return SourceFailure(
            Trouble.REFUSED,
            f"Something answers at {address.host}, but port {address.port} is closed.",
        )
    if isinstance(error, OSError) and error.errno not in _UNREACHABLE and error.errno:
        return SourceFailure(Trouble.NO_ROUTE, f"{where} cannot be reached: {error.strerror}.")
    return SourceFailure(Trouble.NO_ROUTE, f"Nothing answers at {where}.")
