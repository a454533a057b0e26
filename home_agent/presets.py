"""What is known of makers: default passwords to refuse, RTSP paths as hints (CAM-7, CAM-8)."""

from dataclasses import dataclass

# Accounts that leave the factory like this. A password from this list is never accepted, with any
# user: whoever scans the street tries them all (CAM-8, ETSI EN 303 645 5.1).
DEFAULT_PASSWORDS = frozenset(
    (
        *("", "admin", "Admin", "ADMIN", "administrator", "root", "user", "guest", "default"),
        *("password", "Password", "pass", "system", "service", "supervisor", "camera", "ipcam"),
        *("1234", "12345", "123456", "1234567", "12345678", "123456789", "1111", "111111"),
        *("0000", "000000", "666666", "888888", "8888", "4321", "54321", "9999", "999999"),
        *("admin123", "admin1234", "admin12345", "admin123456", "abc123", "abcd1234", "123abc"),
        *("hikvision", "hik12345", "hik12345+", "dahua", "jvc", "meinsm", "pass123", "tlJwpbo6"),
        *("wbox123", "ikwd", "fliradmin", "xc3511", "juantech", "anko", "vizxv", "klv123"),
        *("tp-link", "tplink", "ezviz", "uniview", "reolink", "a1s2d3f4", "Miech9un", "smcadmin"),
    )
)

MAKERS_DEFAULT = (
    "The camera still has its maker's password, or none: give it one of your own first."
)


def is_default_password(user: str, password: str) -> bool:
    """Blank, a maker's default, or the user's own name."""
    return password in DEFAULT_PASSWORDS or password.lower() == user.lower()


@dataclass(frozen=True, slots=True)
class Preset:
    """Where a maker's cameras keep their streams. A hint: ONVIF is asked first (CAM-7)."""

    maker: str
    words: tuple[str, ...]  # in a discovered name, hardware or maker, lower case
    main: str
    sub: str
    port: int = 554
    note: str = ""


PRESETS = (
    Preset(
        "Hikvision", ("hikvision", "ds-2c"), "/Streaming/Channels/101", "/Streaming/Channels/102"
    ),
    Preset(
        "EZVIZ",
        ("ezviz", "cs-c"),
        "/h264/ch1/main/av_stream",
        "/h264/ch1/sub/av_stream",
        note="The user is admin, the password the verification code on the label: change it.",
    ),
    Preset(
        "Dahua",
        ("dahua", "lechange", "imou", "ipc-h"),
        "/cam/realmonitor?channel=1&subtype=0",
        "/cam/realmonitor?channel=1&subtype=1",
    ),
    Preset(
        "TP-Link",
        ("tp-link", "tplink", "tapo", "vigi"),
        "/stream1",
        "/stream2",
        note="Make a camera account in the maker's app first. ONVIF is on port 2020.",
    ),
    Preset("Uniview", ("uniview", "unv"), "/media/video1", "/media/video2"),
    Preset("Reolink", ("reolink", "rlc-"), "/h264Preview_01_main", "/h264Preview_01_sub"),
)

UNSUPPORTED = {
    "xiaomi": (
        "Xiaomi cameras speak no RTSP and give their keys out only through the maker's cloud:"
        " they cannot be used here."
    ),
}


def presets_for(*texts: str) -> list[Preset]:
    """Presets whose words stand in what a device says of itself; none when it says nothing."""
    said = " ".join(texts).lower()
    return [preset for preset in PRESETS if any(word in said for word in preset.words)]


def unsupported(*texts: str) -> str | None:
    """The sentence for makers whose cameras cannot be used, else None."""
    said = " ".join(texts).lower()
    return next((why for word, why in UNSUPPORTED.items() if word in said), None)
