"""What the helper can be asked to do."""

from collections.abc import Callable
from typing import Any

from home_agent.onvif import Asked, Encoding, EventService, Look, Polygon, Told
from home_agent.onvif_helper.device import DEVICE, EVENTS, MEDIA1, MEDIA2, Device, Unsupported
from home_agent.rtsp.failure import SourceFailure
from village_core.troubles import Trouble

MOST_PROFILES = 32
SAME_POINT = 0.02  # of the picture's width or height: cameras round to their own raster
NO_MEDIA = "The camera offers no media service by ONVIF."


def look(device: Device, _asked: Asked) -> Told:
    device.meet()
    about = device.call(DEVICE, "GetDeviceInformation")
    encodings = read_encodings(device)
    return Told(
        look=Look(
            maker=_text(about, "Manufacturer"),
            model=_text(about, "Model"),
            firmware=_text(about, "FirmwareVersion"),
            skew_ms=device.skew_ms,
            signed_in_by=device.transport.signed_in_by,
            media=2 if device.has(MEDIA2) else 1,
            can_mask=_can_mask(device),
            may_administer=_may_administer(device),
            encodings=encodings,
        )
    )


def _text(thing: Any, name: str) -> str:
    value = getattr(thing, name, None)
    return "".join(letter for letter in str(value or "") if letter.isprintable())[:80]


def _can_mask(device: Device) -> bool:
    if not device.has(MEDIA2):
        return False
    try:
        return bool(getattr(device.call(MEDIA2, "GetServiceCapabilities"), "Mask", False))
    except SourceFailure:
        return False


def _may_administer(device: Device) -> bool:
    """Only administrators may list the users (ONVIF Core, access classes)."""
    if device.transport.signed_in_by == "nothing":
        return True  # whoever reaches it may do all
    try:
        return bool(device.call(DEVICE, "GetUsers"))
    except SourceFailure:
        return False


def read_encodings(device: Device) -> list[Encoding]:
    """All video profiles, by Media2 or else Media1."""
    if device.has(MEDIA2):
        profiles = device.call(MEDIA2, "GetProfiles", Type=["VideoSource", "VideoEncoder"]) or []
        found = [_encoding2(device, each) for each in profiles[:MOST_PROFILES]]
    elif device.has(MEDIA1):
        profiles = device.call(MEDIA1, "GetProfiles") or []
        found = [_encoding1(device, each) for each in profiles[:MOST_PROFILES]]
    else:
        raise SourceFailure(Trouble.NO_STREAM, NO_MEDIA)
    return [each for each in found if each is not None]


def _encoding2(device: Device, profile: Any) -> Encoding | None:
    parts = profile.Configurations
    encoder = parts.VideoEncoder if parts is not None else None
    if encoder is None or encoder.Resolution is None:
        return None
    rate = encoder.RateControl.FrameRateLimit if encoder.RateControl is not None else None
    distance = encoder.AnchorFrameDistance
    kind = str(encoder.Profile or "")
    return Encoding(
        token=profile.token,
        name=_text(profile, "Name"),
        url=_url(
            device, MEDIA2, "GetStreamUri", Protocol="RtspUnicast", ProfileToken=profile.token
        ),
        snapshot=_url(device, MEDIA2, "GetSnapshotUri", ProfileToken=profile.token),
        codec=str(encoder.Encoding or "").upper(),
        width=encoder.Resolution.Width or 0,
        height=encoder.Resolution.Height or 0,
        fps=float(rate) if rate else None,
        gop=encoder.GovLength,
        profile=kind,
        b_frames=distance > 1 if distance else False if kind == "Baseline" else None,
        source=parts.VideoSource.token if parts.VideoSource is not None else "",
    )


def _encoding1(device: Device, profile: Any) -> Encoding | None:
    encoder = profile.VideoEncoderConfiguration
    if encoder is None or encoder.Resolution is None:
        return None
    rate = encoder.RateControl.FrameRateLimit if encoder.RateControl is not None else None
    h264 = encoder.H264
    kind = str(h264.H264Profile or "") if h264 is not None else ""
    setup = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
    source = profile.VideoSourceConfiguration
    return Encoding(
        token=profile.token,
        name=_text(profile, "Name"),
        url=_url(device, MEDIA1, "GetStreamUri", StreamSetup=setup, ProfileToken=profile.token),
        snapshot=_url(device, MEDIA1, "GetSnapshotUri", ProfileToken=profile.token),
        codec=str(encoder.Encoding or "").upper(),
        width=encoder.Resolution.Width or 0,
        height=encoder.Resolution.Height or 0,
        fps=float(rate) if rate else None,
        gop=h264.GovLength if h264 is not None else None,
        profile=kind,
        b_frames=False if kind == "Baseline" else None,
        source=source.token if source is not None else "",
    )


def _url(device: Device, namespace: str, operation: str, **arguments: Any) -> str:
    """A URI that the camera tells, at its own host; "" when it tells none."""
    try:
        answer = device.call(namespace, operation, **arguments)
    except SourceFailure as failure:
        if failure.trouble is Trouble.PROTOCOL:
            return ""
        raise
    uri = answer if isinstance(answer, str) else getattr(answer, "Uri", None)
    return device.here(uri) if uri else ""


def plain_h264(device: Device, asked: Asked) -> Told:
    """Changes codec and B-frames, nothing else, and reads back."""
    device.meet()
    if device.has(MEDIA2):
        _set_plain2(device, asked.profile)
    elif device.has(MEDIA1):
        _set_plain1(device, asked.profile)
    else:
        raise SourceFailure(Trouble.NO_STREAM, NO_MEDIA)
    encoding = next((e for e in read_encodings(device) if e.token == asked.profile), None)
    if encoding is None or encoding.codec != "H264" or encoding.b_frames is not False:
        raise SourceFailure(
            Trouble.B_FRAMES, "The camera took the setting and did not keep it: set it by hand."
        )
    return Told(encoding=encoding)


def _profile(device: Device, namespace: str, token: str, **arguments: Any) -> Any:
    for each in device.call(namespace, "GetProfiles", **arguments) or []:
        if each.token == token:
            return each
    raise SourceFailure(Trouble.NO_STREAM, "The camera has no such profile any more.")


def _set_plain2(device: Device, token: str) -> None:
    profile = _profile(device, MEDIA2, token, Type=["VideoEncoder"])
    encoder = profile.Configurations.VideoEncoder
    options = device.call(
        MEDIA2, "GetVideoEncoderConfigurationOptions", ConfigurationToken=encoder.token
    )
    option = next((each for each in options or [] if str(each.Encoding).upper() == "H264"), None)
    if option is None:
        raise SourceFailure(Trouble.H265_ONLY, "The camera cannot be set to H.264.")
    encoder.Encoding = "H264"
    if option.MaxAnchorFrameDistance or encoder.AnchorFrameDistance:
        encoder.AnchorFrameDistance = 1  # I and P pictures next to each other
    else:
        encoder.Profile = _baseline(option.ProfilesSupported)
    device.call(MEDIA2, "SetVideoEncoderConfiguration", Configuration=encoder)


def _baseline(supported: Any) -> str:
    """Baseline has no B-frames (H.264 A.2.1): what is left where they cannot be switched off."""
    if "Baseline" not in [str(each) for each in supported or []]:
        raise SourceFailure(Trouble.B_FRAMES, "The camera cannot switch its B-frames off by ONVIF.")
    return "Baseline"


def _set_plain1(device: Device, token: str) -> None:
    encoder = _profile(device, MEDIA1, token).VideoEncoderConfiguration
    options = device.call(
        MEDIA1, "GetVideoEncoderConfigurationOptions", ConfigurationToken=encoder.token
    )
    if options is None or options.H264 is None:
        raise SourceFailure(Trouble.H265_ONLY, "The camera cannot be set to H.264.")
    profile = _baseline(options.H264.H264ProfilesSupported)
    encoder.Encoding = "H264"
    gop = encoder.H264.GovLength if encoder.H264 is not None else 50
    encoder.H264 = {"GovLength": gop, "H264Profile": profile}
    device.call(
        MEDIA1, "SetVideoEncoderConfiguration", Configuration=encoder, ForcePersistence=True
    )


def synchronise(device: Device, asked: Asked) -> Told:
    device.meet()
    namespace = MEDIA2 if device.has(MEDIA2) else MEDIA1
    if not device.has(namespace):
        raise SourceFailure(Trouble.NO_STREAM, NO_MEDIA)
    device.call(namespace, "SetSynchronizationPoint", ProfileToken=asked.profile)
    return Told()


def mask(device: Device, asked: Asked) -> Told:
    """New masks first, then the old ones go: the picture is never bare in between."""
    device.meet()
    if not device.has(MEDIA2):
        raise SourceFailure(Trouble.PROTOCOL, "The camera has no masks that ONVIF can set.")
    profile = _profile(device, MEDIA2, asked.profile, Type=["VideoSource"])
    source = profile.Configurations.VideoSource.token
    try:
        old = device.call(MEDIA2, "GetMasks", ConfigurationToken=source) or []
        for polygon in asked.polygons:
            device.call(MEDIA2, "CreateMask", Mask=_mask(source, polygon))
        for each in old:
            device.call(MEDIA2, "DeleteMask", Token=each.token)
        kept = device.call(MEDIA2, "GetMasks", ConfigurationToken=source) or []
    except Unsupported as error:
        raise SourceFailure(
            Trouble.PROTOCOL, "The camera has no masks that ONVIF can set."
        ) from error
    polygons = [_polygon(each) for each in kept if each.Enabled]
    if not _same(polygons, asked.polygons):
        raise SourceFailure(
            Trouble.PROTOCOL, "The camera took the masks and shows others: it counts as unmasked."
        )
    return Told(polygons=polygons)


def _mask(source: str, polygon: Polygon) -> dict[str, Any]:
    """ONVIF counts from -1 to 1, to the right and up (Core, coordinate system)."""
    points = [{"x": 2 * x - 1, "y": 1 - 2 * y} for x, y in polygon]
    return {
        "ConfigurationToken": source,
        "Polygon": {"Point": points},
        "Type": "Color",
        "Color": {
            "X": 0,
            "Y": 0,
            "Z": 0,
            "Colorspace": "http://www.onvif.org/ver10/colorspace/RGB",
        },
        "Enabled": True,
    }


def _polygon(mask: Any) -> Polygon:
    points = mask.Polygon.Point if mask.Polygon is not None else []
    return [((point.x + 1) / 2, (1 - point.y) / 2) for point in points]


def _same(found: list[Polygon], wanted: list[Polygon]) -> bool:
    return len(found) == len(wanted) and all(
        any(_alike(polygon, other) for other in found) for polygon in wanted
    )


def _alike(one: Polygon, other: Polygon) -> bool:
    """The same corners in the same order, wherever the camera begins to count them."""
    if len(one) != len(other):
        return False
    return any(
        all(
            abs(ax - bx) <= SAME_POINT and abs(ay - by) <= SAME_POINT
            for (ax, ay), (bx, by) in zip(one, other[shift:] + other[:shift], strict=True)
        )
        for shift in range(len(other))
    )


def make_viewer(device: Device, asked: Asked) -> Told:
    device.meet()
    user = {"Username": asked.new_user, "Password": asked.new_password, "UserLevel": "User"}
    device.call(DEVICE, "CreateUsers", User=[user])
    return Told()


def find_events(device: Device, _asked: Asked) -> Told:
    device.meet()
    url = device.url_of(EVENTS)
    if not url:
        raise SourceFailure(Trouble.PROTOCOL, "The camera tells no events by ONVIF.")
    return Told(events=EventService(url=url, skew_ms=device.skew_ms))


TASKS: dict[str, Callable[[Device, Asked], Told]] = {
    "look": look,
    "plain_h264": plain_h264,
    "synchronise": synchronise,
    "mask": mask,
    "make_viewer": make_viewer,
    "find_events": find_events,
}
