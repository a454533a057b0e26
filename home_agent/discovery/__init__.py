"""What is on the household's LAN: cameras (WS-Discovery, mDNS) and hubs (CAM-1, CAM-2, CAM-7).

Searching is started by the household and ends by itself; what is found stays in this process.
"""

import asyncio
import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import unquote, urlsplit

from home_agent.discovery import mdns
from home_agent.discovery.probing import Interface, Reached, Search, household_interfaces
from home_agent.discovery.wsd import Match, probes, resolve
from home_agent.presets import presets_for, unsupported

LONGEST = 60.0  # seconds (CAM-2)
HUB_SEARCH = 5.0
DIRECTED = 2.0  # seconds a known device gets to answer


@dataclass(frozen=True, slots=True)
class FoundCamera:
    """A device that says it is a camera. Nothing was signed in to."""

    host: str
    name: str  # as the device calls itself, or ""
    onvif: str = ""  # URL of its device service
    endpoint_reference: str = ""  # its lasting ONVIF identity
    rtsp: tuple[str, ...] = ()  # URLs that it announces, or hints by its maker
    how: str = ""  # "ONVIF", "mDNS"
    note: str = ""


@dataclass(frozen=True, slots=True)
class FoundHub:
    """A village hub that announces itself. Its key is checked at enrolment, not here."""

    url: str
    id: str
    fingerprint: str


async def discover_cameras(
    seconds: float = 10.0, interfaces: Sequence[Interface] | None = None
) -> list[FoundCamera]:
    """Searches for at most 60 s on the given, else on all private networks of this box."""
    seconds = min(seconds, LONGEST)
    on = household_interfaces() if interfaces is None else list(interfaces)
    four = [each.address for each in on if ":" not in each.address]
    reached, heard = await asyncio.gather(
        Search(probes()).multicast(on, seconds),
        mdns.announced(mdns.CAMERAS, four, seconds),
    )
    return merged([*map(_from_match, reached), *map(_from_mdns, heard)])


async def find_hubs(
    seconds: float = HUB_SEARCH, interfaces: Sequence[Interface] | None = None
) -> list[FoundHub]:
    """Hubs that announce themselves as `_secvillage._tcp.local.` on this LAN (CAM-12)."""
    on = household_interfaces() if interfaces is None else interfaces
    four = [each.address for each in on if ":" not in each.address]
    heard = await mdns.announced([mdns.HUB], four, min(seconds, LONGEST))
    return [hub for each in heard if (hub := _hub(each)) is not None]


async def find_again(
    endpoint_reference: str,
    seconds: float = DIRECTED,
    interfaces: Sequence[Interface] | None = None,
) -> str | None:
    """The address that a known device has now, None when it does not answer.

    Directed at one EndpointReference, so allowed at any time (CAM-2). Devices that do not know
    Resolve answer the Probe.
    """
    on = household_interfaces() if interfaces is None else interfaces
    reached = await Search([resolve(endpoint_reference)]).multicast(on, seconds, enough=1)
    if not _named(reached, endpoint_reference):
        reached = await Search(probes()).multicast(on, seconds)
    return _named(reached, endpoint_reference)


async def endpoint_reference_of(host: str, seconds: float = DIRECTED) -> str:
    """The lasting identity of the ONVIF device at `host`; "" when it does not tell."""
    reached = await Search(probes()).unicast(host, seconds)
    return reached[0][0].endpoint_reference if reached else ""


def _named(reached: Iterable[Reached], endpoint_reference: str) -> str | None:
    for match, sender in reached:
        if match.endpoint_reference == endpoint_reference:
            return _host(match, sender)
    return None


def _host(match: Match, sender: str) -> str:
    """Where the device is: whence it answered, for its own words can be years old.

    A link-local IPv6 address is of no use in a URL: then its IPv4 address, if it tells one.
    """
    if not sender.lower().startswith("fe80:"):
        return sender
    hosts = [urlsplit(xaddr).hostname or "" for xaddr in match.xaddrs if _is_url(xaddr)]
    return next((host for host in hosts if ":" not in host), sender)


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _from_match(reached: Reached) -> FoundCamera:
    match, sender = reached[0], _host(*reached)
    urls = [xaddr for xaddr in match.xaddrs if _is_url(xaddr)]
    at_sender = [url for url in urls if urlsplit(url).hostname == sender]
    onvif = next(iter(at_sender or urls), "")
    name = unquote(match.scope("name")).replace("_", " ")
    hardware = unquote(match.scope("hardware"))
    words = " ".join(dict.fromkeys(part for part in (name, hardware) if part))
    return _with_hints(
        FoundCamera(
            host=sender,
            name="".join(letter for letter in words if letter.isprintable())[:80],
            onvif=onvif,
            endpoint_reference=match.endpoint_reference,
            how="ONVIF",
        )
    )


def _from_mdns(heard: mdns.Announced) -> FoundCamera:
    host = heard.addresses[0] if heard.addresses else ""
    urls: tuple[str, ...] = ()
    if heard.kind.startswith("_rtsp."):
        shown = f"[{host}]" if ":" in host else host
        urls = (f"rtsp://{shown}:{heard.port}/{heard.text.get('path', '').lstrip('/')}",)
    return _with_hints(FoundCamera(host=host, name=heard.name, rtsp=urls, how="mDNS"))


def _with_hints(found: FoundCamera) -> FoundCamera:
    """Presets of the maker, and why a maker's cameras cannot be used (CAM-7)."""
    if why := unsupported(found.name):
        return replace(found, note=why)
    hints = presets_for(found.name)
    shown = f"[{found.host}]" if ":" in found.host else found.host
    urls = [f"rtsp://{shown}:{p.port}{path}" for p in hints for path in (p.main, p.sub)]
    note = " ".join(preset.note for preset in hints if preset.note)
    return replace(found, rtsp=tuple(dict.fromkeys([*found.rtsp, *urls])), note=note)


def merged(cameras: Iterable[FoundCamera]) -> list[FoundCamera]:
    """One entry per address: what ONVIF says first, RTSP addresses of all."""
    by_host: dict[str, FoundCamera] = {}
    for camera in cameras:
        known = by_host.get(camera.host)
        if known is None:
            by_host[camera.host] = camera
            continue
        by_host[camera.host] = replace(
            known,
            name=known.name or camera.name,
            rtsp=tuple(dict.fromkeys([*known.rtsp, *camera.rtsp])),
            how=known.how if camera.how in known.how else f"{known.how}, {camera.how}",
            note=known.note or camera.note,
        )
    return sorted(by_host.values(), key=lambda camera: _order(camera.host))


def _order(host: str) -> tuple[int, int, str]:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return (9, 0, host)
    return (address.version, int(address), host)


def _hub(heard: mdns.Announced) -> FoundHub | None:
    scheme = heard.text.get("scheme", "https")
    if scheme not in ("http", "https") or not heard.addresses:
        return None
    host = heard.addresses[0]
    shown = f"[{host}]" if ":" in host else host
    return FoundHub(
        f"{scheme}://{shown}:{heard.port}",
        heard.text.get("id", ""),
        heard.text.get("fp", ""),
    )


def camera_table(cameras: Sequence[FoundCamera]) -> list[str]:
    """Lines for people; what to do next stands under each camera."""
    if not cameras:
        return ["No camera answered. Is it on, on this network, and ONVIF switched on in it?"]
    lines = [f"{'address':<24} {'found by':<12} name"]
    for camera in cameras:
        lines.append(f"{camera.host:<24} {camera.how:<12} {camera.name or '-'}")
        lines += [f"    onvif {camera.onvif}"] if camera.onvif else []
        lines += [f"    maybe {url}" for url in camera.rtsp]
        lines += [f"    {camera.note}"] if camera.note else []
    return lines
