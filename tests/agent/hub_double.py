"""A hub as an agent sees it: vouch, enrolment, status and uplink, over real HTTP(S)."""

import asyncio
import datetime
import hashlib
import ipaddress
import json
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from village_core.clock import SYSTEM_CLOCK, Clock
from village_core.enrolment import (
    Begin,
    Begun,
    ChildKeys,
    Claim,
    Enrolled,
    EnrolmentError,
    Qr,
    Reveal,
    check_claim,
    check_reveal,
    knows_secret,
    new_nonce,
    new_secret,
    read_typed_code,
    sign_enrolled,
    six_digits,
)
from village_core.keys import PublicKey, SigningKey
from village_core.messages import (
    GrantList,
    GrantListAnswer,
    Hello,
    LogAnswer,
    LogBatch,
    OwnerNote,
    SosAnswer,
    SosRaised,
    StoppedNote,
)
from village_core.tokens import Claims, Kind, TokenError, Verifier
from village_core.transport import MediaPort, ServerSession, sdp
from village_core.vouching import vouch

HUB = "hub-1"
AGENT = "agent-1"


@dataclass
class Tls:
    context: ssl.SSLContext
    digest: bytes

    @classmethod
    def make(cls, folder: Path) -> "Tls":
        """A self-signed certificate, as a hub in a village has it."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hub")])
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=400))
            .not_valid_after(now - datetime.timedelta(days=1))  # expired: only the pin counts
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("192.0.2.9"))]),
                critical=False,
            )
            .sign(key, hashes.SHA256())
        )
        file = folder / f"{certificate.serial_number}.pem"
        file.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        der = certificate.public_bytes(serialization.Encoding.DER)
        return cls(context, hashlib.sha256(der).digest())


class Arrival:
    """A push as it arrives: counts packets (a SessionHandler)."""

    def __init__(self) -> None:
        self.session: ServerSession | None = None
        self.packets = 0
        self.last_at = 0.0
        self.closed = ""
        self.deleted = False

    def on_connected(self) -> None: ...

    def on_rtp(self, packets: list[bytes], now: float) -> None:
        self.packets += len(packets)
        self.last_at = now

    def on_rtcp(self, compound: bytes, now: float) -> None: ...

    def on_closed(self, reason: str) -> None:
        self.closed = reason


@dataclass
class HubDouble:
    """Keys, one open enrolment, and what arrived."""

    clock: Clock = SYSTEM_CLOCK
    key: SigningKey = field(default_factory=SigningKey.make)
    certificates: list[bytes] = field(default_factory=list)
    secret: str = field(default_factory=new_secret)
    code: str = "BCDFGHJK"
    confirmed: bool = False
    digits: str = ""
    denied: bool = False
    agent: PublicKey | None = None
    statuses: list[dict[str, Any]] = field(default_factory=list)
    status_code: int = 200
    sockets: asyncio.Queue[web.WebSocketResponse] = field(default_factory=asyncio.Queue)
    answers: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)
    seen: list[str] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    port: MediaPort | None = None  # of the WHIP endpoint; none: 404
    arrivals: list["Arrival"] = field(default_factory=list)
    uploads: list[bytes] = field(default_factory=list)
    agent_id: str = AGENT
    owners: tuple[OwnerNote, ...] = (OwnerNote(id="person-1", name="李强"),)
    grant_lists: list[dict[str, Any]] = field(default_factory=list)
    stopped: list[StoppedNote] = field(default_factory=list)  # what it says is stopped
    calls: list[dict[str, Any]] = field(default_factory=list)  # SOS
    refuse_calls: int = 0
    lines: list[dict[str, Any]] = field(default_factory=list)  # of the home's log
    refuse_whip: int = 0
    left: bool = False  # the box said that it is erased
    _begun: Begun | None = None
    _committed: str = ""
    _keys: ChildKeys | None = None

    def app(self) -> web.Application:
        app = web.Application()
        add = app.router.add_route
        add("GET", "/.well-known/secvillage", self._vouch)
        add("POST", "/api/v1/enrolments/{id}/claim", self._claim)
        add("POST", "/api/v1/enrolments/begin", self._begin)
        add("POST", "/api/v1/enrolments/{id}/reveal", self._reveal)
        add("GET", "/api/v1/enrolments/{id}/result", self._result)
        add("DELETE", "/api/v1/enrolments/{id}", self._deny)
        add("PUT", "/api/v1/node/status", self._status)
        add("PUT", "/api/v1/node/grants", self._grants)
        add("POST", "/api/v1/node/sos", self._sos)
        add("POST", "/api/v1/node/log", self._log)
        add("DELETE", "/api/v1/node", self._leave)
        add("GET", "/uplink", self._uplink)
        add("POST", "/whip/{camera}", self._whip)
        add("DELETE", "/sessions/{id}", self._end_session)
        add("PUT", "/api/v1/uploads/{name}", self._upload)
        return app

    def qr(self, url: str) -> str:
        return Qr(url, "e-1", self.secret, self.key.public.fingerprint).text()

    async def ask(self, method: str, path: str, body: Any = None, **more: Any) -> dict[str, Any]:
        """One uplink request and its answer."""
        async with asyncio.timeout(10):
            while (socket := await self.sockets.get()).closed:
                pass
            self.sockets.put_nowait(socket)
            frame = {"id": str(len(self.seen)), "method": method, "path": path, "body": body}
            await socket.send_str(json.dumps({"deadline_ms": 5000, **frame, **more}))
            return await self.answers.get()

    async def _vouch(self, request: web.Request) -> web.Response:
        text = vouch(
            HUB, self.key, self.clock, request.query["nonce"], self.certificates, [self.key.public]
        )
        return web.Response(text=text, content_type="application/jwt")

    async def _claim(self, request: web.Request) -> web.Response:
        claim = Claim.model_validate_json(await request.text())
        if not knows_secret(claim, request.match_info["id"], self.secret, self.key.public):
            return _problem(404, "no_such_enrolment")
        self._keys = check_claim(claim, request.match_info["id"], self.key.public)
        return self._enrolled()

    async def _begin(self, request: web.Request) -> web.Response:
        begin = Begin.model_validate_json(await request.text())
        if read_typed_code(begin.code) != self.code:
            return _problem(404, "wrong_code")
        self._committed = begin.commitment
        self._begun = Begun(
            enrolment="e-2", hub=HUB, hub_key=self.key.public.text, nonce=new_nonce()
        )
        return web.json_response(text=self._begun.model_dump_json())

    async def _reveal(self, request: web.Request) -> web.Response:
        reveal = Reveal.model_validate_json(await request.text())
        assert self._begun is not None
        try:
            self._keys = check_reveal(reveal, self._committed, self._begun)
        except EnrolmentError:
            return _problem(422, "bad_proof")
        self.digits = six_digits(self.key.public, self._keys, self._begun.nonce, reveal.nonce)
        return web.Response(status=202)

    async def _result(self, request: web.Request) -> web.Response:
        self._verify(request, Kind.ENROL)
        return self._enrolled() if self.confirmed else web.Response(status=202)

    async def _deny(self, request: web.Request) -> web.Response:
        self._verify(request, Kind.ENROL)
        self.denied = True
        return web.Response(status=204)

    async def _whip(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer ticket"
        if self.refuse_whip or self.port is None:
            return web.Response(status=self.refuse_whip or 404)
        offer = sdp.read_offer(await request.text())
        choices = sdp.choose_to_receive(offer)
        arrival = Arrival()
        session = self.port.accept(offer, arrival, choices)
        arrival.session = session
        self.arrivals.append(arrival)
        answer = sdp.write_answer(offer, choices, session.description, direction="recvonly")
        location = f"/sessions/{len(self.arrivals) - 1}"
        return web.Response(
            status=201, text=answer, content_type="application/sdp", headers={"Location": location}
        )

    async def _end_session(self, request: web.Request) -> web.Response:
        arrival = self.arrivals[int(request.match_info["id"])]
        arrival.deleted = True
        if arrival.session is not None:
            arrival.session.close("deleted")
        return web.Response()

    async def _upload(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer ticket"
        assert request.content_type == "image/jpeg"
        self.uploads.append(await request.read())
        return web.Response(status=204)

    def _enrolled(self) -> web.Response:
        assert self._keys is not None
        self.agent = self._keys.node
        enrolled = Enrolled(
            enrolment="e-1",
            hub=HUB,
            hub_name="李家村",
            hub_key=self.key.public.text,
            agent=self.agent_id,
            household="h-1",
            household_name="李家",
            owners=self.owners,
            utc_ms=self.clock.utc_ms(),
            signature="A" * 86,
        )
        return web.json_response(
            text=sign_enrolled(enrolled, self._keys, self.key).model_dump_json()
        )

    def _verify(self, request: web.Request, kind: Kind) -> Claims:
        key = self._keys.node if kind is Kind.ENROL and self._keys else self.agent
        verifier = Verifier(HUB, lambda _issuer, _kid: key, self.clock, leeway=60)
        token = request.headers["Authorization"].removeprefix("Bearer ")
        try:
            return verifier.verify(kind, token)
        except TokenError as error:
            raise web.HTTPUnauthorized(text=error.code) from error

    async def _status(self, request: web.Request) -> web.Response:
        self._verify(request, Kind.NODE)
        if self.status_code == 200:
            self.statuses.append(await request.json())
        self.changed.set()
        return web.Response(status=self.status_code)

    async def _grants(self, request: web.Request) -> web.Response:
        self._verify(request, Kind.NODE)
        said = GrantList.model_validate_json(await request.text())
        self.grant_lists.append(said.model_dump(mode="json"))
        answer = GrantListAnswer(stopped=tuple(self.stopped))
        return web.json_response(text=answer.model_dump_json())

    async def _sos(self, request: web.Request) -> web.Response:
        self._verify(request, Kind.NODE)
        if self.refuse_calls:
            return _problem(self.refuse_calls, "not_now")
        said = SosRaised.model_validate_json(await request.text())
        self.calls.append(said.model_dump(mode="json"))
        return web.json_response(text=SosAnswer(id=said.id).model_dump_json())

    async def _log(self, request: web.Request) -> web.Response:
        self._verify(request, Kind.NODE)
        said = LogBatch.model_validate_json(await request.text())
        self.lines += [line.model_dump(mode="json") for line in said.lines]
        return web.json_response(text=LogAnswer(last=said.lines[-1].number).model_dump_json())

    async def _leave(self, request: web.Request) -> web.Response:
        self._verify(request, Kind.NODE)
        self.left = True
        return web.Response(status=204)

    async def _uplink(self, request: web.Request) -> web.StreamResponse:
        self._verify(request, Kind.NODE)
        socket = web.WebSocketResponse(heartbeat=5, protocols=("secvillage.1",))
        await socket.prepare(request)
        await socket.send_str(Hello(hub=HUB, utc_ms=self.clock.utc_ms()).model_dump_json())
        self.sockets.put_nowait(socket)
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                self.seen.append(message.data)
                self.answers.put_nowait(json.loads(message.data))
        return socket


def _problem(status: int, code: str) -> web.Response:
    return web.json_response(
        {"code": code, "detail": f"because of {code}"},
        status=status,
        content_type="application/problem+json",
    )
