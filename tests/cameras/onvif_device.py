"""An ONVIF camera for tests, written from the official service descriptions.

Requests are read and answers written by zeep from the WSDLs that the ONVIF library ships, so that a
field in the wrong place fails here as it would in a camera. Its dialects are the differences that
real cameras have (requirements CAM-3, CAM-4).
"""

import asyncio
import base64
import binascii
import hashlib
import re
import secrets
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

import zeep
from aiohttp import web
from lxml import etree  # type: ignore[import-untyped]
from zeep.exceptions import Error as ZeepError

from home_agent.onvif_helper.device import wsdl_folder
from tests.cameras import onvif_events
from tests.cameras import onvif_shapes as shapes
from tests.cameras.http_digest import DigestGate
from tests.cameras.onvif_events import EVENTS, EventService
from tests.cameras.onvif_fault import ENVELOPE, RefusalError, fault
from tests.cameras.onvif_shapes import Dialect, Profile
from tests.cameras.rig import PASSWORD, USER

_WSS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-"
WSSE, WSU = f"{_WSS}secext-1.0.xsd", f"{_WSS}utility-1.0.xsd"
DEVICE = "http://www.onvif.org/ver10/device/wsdl"
MEDIA1 = "http://www.onvif.org/ver10/media/wsdl"
MEDIA2 = "http://www.onvif.org/ver20/media/wsdl"
SERVICES = {
    "device_service": (DEVICE, "ver10/device/wsdl/devicemgmt.wsdl", "DeviceBinding"),
    "media": (MEDIA1, "ver10/media/wsdl/media.wsdl", "MediaBinding"),
    "media2": (MEDIA2, "ver20/media/wsdl/media.wsdl", "Media2Binding"),
    "events": (EVENTS, "ver10/events/wsdl/event.wsdl", "EventBinding"),
}
SUBSCRIPTION = "subscription"  # no service of its own: where a pull point is asked
TOKEN_AGE = 30  # seconds a WS-UsernameToken may be old; devices take a few


@cache
def _client(path: str) -> Any:
    return zeep.Client(str(wsdl_folder() / path))  # type: ignore[no-untyped-call]


def _loaded(service: str, operation: str = "") -> tuple[Any, Any]:
    namespace, path, binding = SERVICES["events" if service == SUBSCRIPTION else service]
    if service == SUBSCRIPTION:
        renews = operation == "Renew"  # of WS-BaseNotification; the rest is ONVIF's
        binding = "SubscriptionManagerBinding" if renews else "PullPointSubscriptionBinding"
    client = _client(path)
    return client, client.wsdl.bindings[f"{{{namespace}}}{binding}"]


@dataclass(kw_only=True)
class OnvifDevice:
    """A running camera; `calls` has the operations it answered, in order."""

    profiles: list[Profile]
    dialect: Dialect = field(default_factory=Dialect)
    events: EventService = field(default_factory=EventService)
    user: str = USER
    password: str = PASSWORD
    host: str = "127.0.0.1"
    port: int = 0
    secure: ssl.SSLContext | None = None
    snapshot: bytes = b"\xff\xd8\xff\xd9"
    calls: list[str] = field(default_factory=list)
    masks: dict[str, Any] = field(default_factory=dict)
    users: list[tuple[str, str]] = field(default_factory=list)  # made: name, level
    _nonces: set[bytes] = field(default_factory=set)

    @property
    def address(self) -> str:
        """What a household would type."""
        return f"{self.host}:{self.port}"

    @property
    def base(self) -> str:
        scheme = "https" if self.secure else "http"
        return f"{scheme}://{self.dialect.xaddr_host or self.address}"

    async def start(self) -> None:
        await asyncio.to_thread(lambda: [_loaded(name) for name in SERVICES])
        self._gate = DigestGate(self.user, self.password, self.dialect.digest or "MD5")
        app = web.Application()
        app.router.add_post("/onvif/{service}", self._soap)
        app.router.add_get("/snapshot.jpg", self._snapshot)
        self._runner = web.AppRunner(app, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.host, self.port, ssl_context=self.secure)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        self.events.reboot()
        await self._runner.cleanup()

    async def _snapshot(self, request: web.Request) -> web.Response:
        if challenge := self._gate.challenge(request.headers.get("Authorization"), "GET"):
            return web.Response(status=401, headers={"WWW-Authenticate": challenge})
        return web.Response(body=self.snapshot, content_type="image/jpeg")

    async def _soap(self, request: web.Request) -> web.Response:
        service = request.match_info["service"]
        if service not in (*SERVICES, SUBSCRIPTION) or not self._offers(service):
            return web.Response(status=404)
        envelope = etree.fromstring(await request.read(), etree.XMLParser(resolve_entities=False))
        body = envelope.find(f"{{{ENVELOPE}}}Body")[0]
        operation = etree.QName(body).localname
        try:
            if operation != "GetSystemDateAndTime" and not self._signed(envelope, request):
                return self._unauthorised()
            answer = await self._answer(service, operation, envelope, request)
        except RefusalError as refusal:
            return fault(refusal.code, str(refusal), refusal.status)
        self.calls.append(operation)
        junk = operation == "PullMessages" and self.events.dialect.junk
        status = self.events.dialect.status if junk else 200
        return web.Response(content_type="application/soap+xml", body=answer, status=status)

    def _offers(self, service: str) -> bool:
        told = {"events": self.dialect.events, SUBSCRIPTION: self.dialect.events}
        media = {"media": self.dialect.media1, "media2": self.dialect.media2}
        return {**told, **media}.get(service, True)

    def _unauthorised(self) -> web.Response:
        if self.dialect.digest:
            return web.Response(
                status=401, headers={"WWW-Authenticate": self._gate.challenge(None, "POST") or ""}
            )
        return fault("NotAuthorized", "Sender not authorized", 400)

    def _signed(self, envelope: Any, request: web.Request) -> bool:
        authorization = request.headers.get("Authorization")
        if self.dialect.digest and authorization:
            return self._gate.challenge(authorization, "POST") is None
        return self.dialect.token and self._token_fits(envelope)

    def _token_fits(self, envelope: Any) -> bool:
        """ONVIF Core 5.9.4: both Nonce and Created, fresh, never twice."""
        token = envelope.find(f".//{{{WSSE}}}UsernameToken")
        if token is None:
            return False
        text = {etree.QName(each).localname: each.text or "" for each in token}
        try:
            nonce = base64.b64decode(text["Nonce"], validate=True)
            created = datetime.fromisoformat(text["Created"])
        except (KeyError, ValueError, binascii.Error):
            return False
        if nonce in self._nonces or abs(created - self.now()).total_seconds() > TOKEN_AGE:
            return False
        self._nonces.add(nonce)
        whole = nonce + text["Created"].encode() + self.password.encode()
        fits = base64.b64encode(hashlib.sha1(whole).digest()).decode()
        return text.get("Username") == self.user and text.get("Password") == fits

    def now(self) -> datetime:
        return datetime.now(UTC) + self.dialect.skew

    async def _answer(
        self, service: str, operation: str, envelope: Any, request: web.Request
    ) -> bytes:
        client, binding = _loaded(service, operation)
        body = envelope.find(f"{{{ENVELOPE}}}Body")[0]
        try:
            described = binding.get(operation)
            element = client.get_element(etree.QName(body).text)
            asked = element.parse(body, client.wsdl.types)
        except (ZeepError, LookupError, ValueError) as error:
            raise RefusalError("ActionNotSupported", f"{operation}: {error}") from error
        if service in ("events", SUBSCRIPTION):
            key = onvif_events.key_of(envelope, operation, request)
            url = f"{self.base}/onvif/{SUBSCRIPTION}"
            given = await self.events.answer(operation, asked, key, url)
            return onvif_events.written(described, given)
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", operation).lower()
        method = getattr(self, f"_{service}_{name}", None)
        if method is None:
            raise RefusalError("ActionNotSupported", f"{operation} is not there", 500)
        message = described.output.serialize(**(method(asked) or {}))
        return bytes(etree.tostring(message.content))

    def _device_service_get_system_date_and_time(self, _asked: Any) -> dict[str, Any]:
        now = self.now()
        date = {"Year": now.year, "Month": now.month, "Day": now.day}
        time = {"Hour": now.hour, "Minute": now.minute, "Second": now.second}
        utc = {"Date": date, "Time": time}
        about = {"DateTimeType": "NTP", "DaylightSavings": False, "UTCDateTime": utc}
        return {"SystemDateAndTime": about}

    def _device_service_get_device_information(self, _asked: Any) -> dict[str, Any]:
        return {
            "Manufacturer": "Lantern",
            "Model": "LC-1",
            "FirmwareVersion": "1.4.2",
            "SerialNumber": "0001",
            "HardwareId": "A",
        }

    def _device_service_get_capabilities(self, _asked: Any) -> dict[str, Any]:
        media = {
            "XAddr": f"{self.base}/onvif/media",
            "StreamingCapabilities": {"RTP_TCP": True, "RTP_RTSP_TCP": True},
        }
        events = {
            "XAddr": f"{self.base}/onvif/events",
            "WSSubscriptionPolicySupport": True,
            "WSPullPointSupport": True,
            "WSPausableSubscriptionManagerInterfaceSupport": False,
        }
        return {"Capabilities": {"Media": media, "Events": events}}

    def _device_service_get_services(self, _asked: Any) -> dict[str, Any]:
        if not self.dialect.services:
            raise RefusalError("ActionNotSupported", "GetServices", 500)
        offered = [name for name in SERVICES if self._offers(name)]
        return {
            "Service": [
                {
                    "Namespace": SERVICES[name][0],
                    "XAddr": f"{self.base}/onvif/{name}",
                    "Version": {"Major": 2, "Minor": 60},
                }
                for name in offered
            ]
        }

    def _device_service_get_users(self, _asked: Any) -> dict[str, Any]:
        if not self.dialect.administrator:
            raise RefusalError("OperationProhibited", "Sender may not")
        return {"User": [{"Username": self.user, "UserLevel": "Administrator"}]}

    def _device_service_create_users(self, asked: Any) -> None:
        if not self.dialect.administrator:
            raise RefusalError("OperationProhibited", "Sender may not")
        self.users += [(user.Username, user.UserLevel) for user in asked.User]

    def _media_get_profiles(self, _asked: Any) -> dict[str, Any]:
        # Media1's schema knows no H.265: such profiles are simply not listed there.
        return {
            "Profiles": [shapes.profile1(each) for each in self.profiles if each.codec == "H264"]
        }

    def _media_get_stream_uri(self, asked: Any) -> dict[str, Any]:
        return {"MediaUri": shapes.media_uri(self._profile(asked.ProfileToken).url)}

    def _media_get_snapshot_uri(self, _asked: Any) -> dict[str, Any]:
        return {"MediaUri": shapes.media_uri(f"{self.base}/snapshot.jpg")}

    def _media_set_synchronization_point(self, asked: Any) -> None:
        self._profile(asked.ProfileToken)

    def _media_get_video_encoder_configuration_options(self, _asked: Any) -> dict[str, Any]:
        whole = {"Min": 1, "Max": 100}
        h264 = {
            "ResolutionsAvailable": [{"Width": 1280, "Height": 720}],
            "GovLengthRange": whole,
            "FrameRateRange": whole,
            "EncodingIntervalRange": whole,
            "H264ProfilesSupported": ["Baseline", "Main", "High"],
        }
        return {"Options": {"QualityRange": whole, "H264": h264}}

    def _media_set_video_encoder_configuration(self, asked: Any) -> None:
        new = asked.Configuration
        profile = new.H264.H264Profile
        anchor = 1 if profile == "Baseline" else self._profile(new.token[1:]).anchor
        self._change(new.token, h264_profile=profile, anchor=anchor, codec=new.Encoding)

    def _media2_get_service_capabilities(self, _asked: Any) -> dict[str, Any]:
        return {
            "Capabilities": {
                "ProfileCapabilities": {"MaximumNumberOfProfiles": 4},
                "StreamingCapabilities": {"RTSPStreaming": True, "RTP_RTSP_TCP": True},
                "SnapshotUri": True,
                "Mask": self.dialect.masks,
            }
        }

    def _media2_get_profiles(self, asked: Any) -> dict[str, Any]:
        wanted = set(asked.Type or [])
        return {"Profiles": [shapes.profile2(each, wanted, self.dialect) for each in self.profiles]}

    def _media2_get_stream_uri(self, asked: Any) -> dict[str, Any]:
        if asked.Protocol not in ("RtspUnicast", "RtspOverHttp"):
            raise RefusalError("InvalidStreamSetup", asked.Protocol)
        return {"Uri": self._profile(asked.ProfileToken).url}

    def _media2_get_snapshot_uri(self, _asked: Any) -> dict[str, Any]:
        return {"Uri": f"{self.base}/snapshot.jpg"}

    def _media2_set_synchronization_point(self, asked: Any) -> None:
        self._profile(asked.ProfileToken)

    def _media2_get_video_encoder_configuration_options(self, _asked: Any) -> dict[str, Any]:
        return {
            "Options": [
                {
                    "Encoding": codec,
                    "QualityRange": {"Min": 0, "Max": 100},
                    "ResolutionsAvailable": [{"Width": 1280, "Height": 720}],
                    "BitrateRange": {"Min": 64, "Max": 8000},
                    "MaxAnchorFrameDistance": 3 if self.dialect.anchors else None,
                    "ProfilesSupported": ["Baseline", "Main", "High"],
                }
                for codec in ("H264", "H265")
            ]
        }

    def _media2_set_video_encoder_configuration(self, asked: Any) -> None:
        new = asked.Configuration
        anchor = new.AnchorFrameDistance or (1 if new.Profile == "Baseline" else None)
        self._change(new.token, h264_profile=new.Profile, anchor=anchor, codec=new.Encoding)

    def _media2_get_masks(self, _asked: Any) -> dict[str, Any]:
        if not self.dialect.masks:
            raise RefusalError("ActionNotSupported", "no masks", 500)
        return {"Masks": list(self.masks.values())}

    def _media2_create_mask(self, asked: Any) -> dict[str, Any]:
        token = secrets.token_hex(4)
        new = asked.Mask
        if self.dialect.keeps_masks:
            self.masks[token] = {
                "token": token,
                "ConfigurationToken": new.ConfigurationToken,
                "Polygon": {"Point": [{"x": p.x, "y": p.y} for p in new.Polygon.Point]},
                "Type": new.Type,
                "Enabled": new.Enabled,
            }
        return {"Token": token}

    def _media2_delete_mask(self, asked: Any) -> None:
        if self.masks.pop(asked.Token, None) is None:
            raise RefusalError("InvalidArgVal", "no such mask")

    def _profile(self, token: str) -> Profile:
        for each in self.profiles:
            if each.token == token:
                return each
        raise RefusalError("NoProfile", token)

    def _change(self, encoder: str, **settings: Any) -> None:
        if self.dialect.locked:
            raise RefusalError("ConfigModify", "the encoder is locked")
        self.profiles = [
            replace(each, **settings) if f"e{each.token}" == encoder else each
            for each in self.profiles
        ]


@asynccontextmanager
async def onvif_device(profiles: list[Profile], **settings: Any) -> AsyncIterator[OnvifDevice]:
    """A running ONVIF camera; its streams are whatever URLs the profiles name."""
    device = OnvifDevice(profiles=profiles, **settings)
    await device.start()
    try:
        yield device
    finally:
        await device.stop()
