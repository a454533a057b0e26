"""`home-agent check`: says in words what is wrong with a camera, and what to do."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from home_agent import onvif
from home_agent.onvif import Encoding, Look
from home_agent.presets import PRESETS
from home_agent.report import Report
from home_agent.rtsp.address import read_address
from home_agent.rtsp.client import RtspClient
from home_agent.rtsp.connection import fingerprint
from home_agent.rtsp.digest import Credentials
from home_agent.sources import (
    AccessUnit,
    Described,
    Source,
    SourceFailure,
    SourceOptions,
    open_source,
)
from home_agent.sources.observer import WORST_SKEW_MS, skew_sentence
from home_agent.sources.rtsp import RtspSource
from village_core.clock import SYSTEM_CLOCK, Clock
from village_core.jobs import Supervisor
from village_core.troubles import Trouble

SECONDS = 10.0  # that a stream is watched
STREAMS = ("rtsp", "rtsps", "v4l2", "file", "test")
LONG_GOP = 4.0  # seconds: a viewer who loses a picture waits that long for the next whole one
MUCH_LOSS = 0.001  # of the packets
KINDS = {"42": "Baseline", "4d": "Main", "64": "High"}
NO_ONVIF = (Trouble.NO_ROUTE, Trouble.REFUSED, Trouble.PROTOCOL, Trouble.STALLED)


async def check(
    address: str,
    options: SourceOptions | None = None,
    *,
    seconds: float = SECONDS,
    clock: Clock = SYSTEM_CLOCK,
) -> Report:
    """Looks at a source's address, or at a device: host, host:port or its ONVIF URL.

    Nothing is changed in the camera; it is asked with the given account and no other. Never raises
    for what a camera does.
    """
    options = options or SourceOptions()
    if urlsplit(address).scheme in STREAMS or address.startswith(("test:", "file:", "v4l2:")):
        return await _check_stream(address, options, seconds, clock)
    return await _check_device(address, options, seconds, clock)


async def _check_device(
    address: str, options: SourceOptions, seconds: float, clock: Clock
) -> Report:
    report = Report(urlsplit(address)._replace(netloc=_without_user(address)).geturl())
    account = _account(options)
    try:
        found = await onvif.look(address, account)
    except SourceFailure as failure:
        report.tell(failure.sentence, failure.trouble)
        if failure.trouble in NO_ONVIF and account is not None:
            await _check_presets(report, address, options, seconds, clock)
        return report
    _tell_device(report, found)
    main, sub = onvif.main_and_sub(found)
    for each in (main, sub):
        if each is not None:
            stream = await _check_stream(each.url, options, seconds / 2, clock)
            report.tell(f"{each.name or each.token}: {stream.address}")
            report.findings += stream.findings
    return report


def _without_user(address: str) -> str:
    return urlsplit(address).netloc.rpartition("@")[2]


def _account(options: SourceOptions) -> Credentials | None:
    if not options.user:
        return None
    return Credentials(options.user, options.password.reveal() if options.password else "")


def _tell_device(report: Report, found: Look) -> None:
    report.tell(f"ONVIF Media{found.media}: {found.maker} {found.model}, firmware {found.firmware}")
    if abs(found.skew_ms) >= WORST_SKEW_MS:
        report.tell(skew_sentence(found.skew_ms), Trouble.CLOCK_SKEW)
    if found.signed_in_by == "nothing":
        report.tell("It asks for no password: whoever is on your network may change it.", None)
    if found.may_administer:
        report.tell(
            "This account may change the camera: better make one that can only watch.", advice=True
        )
    for each in found.encodings:
        report.tell(f"{each.name or each.token}: {in_words(each)}")
    if found.encodings and onvif.main_and_sub(found)[0] is None:
        report.tell(
            "None of its streams is H.264: set one to H.264 in the camera, or switch transcoding"
            " on.",
            Trouble.H265_ONLY,
        )


def in_words(encoding: Encoding) -> str:
    """A profile as the camera tells of it."""
    parts = [f"{encoding.codec} {encoding.profile}".strip()]
    parts.append(f"{encoding.width}x{encoding.height}")
    parts += [f"{encoding.fps:.0f} pictures/s"] if encoding.fps else []
    parts += ["B-frames"] if encoding.b_frames else []
    return ", ".join(parts)


async def _check_presets(
    report: Report, address: str, options: SourceOptions, seconds: float, clock: Clock
) -> None:
    """Makers' usual addresses, with the household's account alone (CAM-7)."""
    host = urlsplit(address if "://" in address else f"//{address}").hostname
    if not host:
        return
    try:
        urls = await try_presets(host, options)
    except SourceFailure as failure:
        report.tell(f"RTSP: {failure.sentence}", failure.trouble)
        return
    for url in urls:
        stream = await _check_stream(url, options, seconds / 2, clock)
        report.tell(f"found by its maker's usual address: {stream.address}")
        report.findings += stream.findings


async def try_presets(host: str, options: SourceOptions) -> list[str]:
    """The main and sub addresses of the first maker that fits; none when none does.

    Raises SourceFailure when the device cannot be asked or refuses the account: asking on would
    lock it.
    """
    shown = f"[{host}]" if ":" in host else host
    for preset in PRESETS:
        urls = [f"rtsp://{shown}:{preset.port}{path}" for path in (preset.main, preset.sub)]
        client = RtspClient(read_address(urls[0], _account(options)))
        try:
            await client.describe()
            return urls
        except SourceFailure as failure:
            if failure.trouble not in (Trouble.NO_STREAM, Trouble.PROTOCOL):
                raise
        finally:
            await client.close()
    return []


@dataclass(slots=True)
class _Watcher:
    """A SourceEvents that measures."""

    report: Report
    clock: Clock
    began: float = 0.0
    first: float | None = None
    last: float = 0.0
    units: int = 0
    octets: int = 0
    keyframes: list[float] = field(default_factory=list)
    described: Described | None = None

    def on_unit(self, unit: AccessUnit) -> None:
        self.last = now = self.clock.monotonic()
        self.first = self.first if self.first is not None else now
        self.units += 1
        self.octets += sum(map(len, unit.nals))
        if unit.keyframe:
            self.keyframes.append(now)

    def on_audio(self, payload: bytes, timestamp: int) -> None:
        self.octets += len(payload)

    def on_described(self, described: Described) -> None:
        self.described = described

    def on_trouble(self, trouble: Trouble, sentence: str) -> None:
        self.report.tell(sentence, trouble)


async def _check_stream(
    address: str, options: SourceOptions, seconds: float, clock: Clock
) -> Report:
    report = Report("")
    watcher = _Watcher(report, clock, clock.monotonic())
    supervisor = Supervisor(clock)
    options = replace(
        options,
        onvif="",  # a check changes nothing
        stalled_after=min(options.stalled_after, seconds),
        keyframe_within=min(options.keyframe_within, max(seconds * 0.7, 1.0)),
    )
    try:
        source = open_source(address, options, watcher, supervisor, clock)
        report.address = source.name
        await _watch(source, seconds, supervisor, clock)
    except SourceFailure as failure:
        report.address = report.address or "this address"
        report.tell(failure.sentence, failure.trouble)
        await _tell_certificate(report, address)
        return report
    finally:
        await supervisor.stop()
    _tell_stream(report, watcher)
    if isinstance(source, RtspSource):
        _tell_connection(report, source)
    return report


async def _watch(source: Source, seconds: float, supervisor: Supervisor, clock: Clock) -> None:
    """Runs the source for a while. Raises SourceFailure when it fails meanwhile."""
    until = clock.monotonic() + seconds
    failures: list[SourceFailure] = []

    async def run() -> None:
        try:
            await source.run()
        except SourceFailure as failure:
            failures.append(failure)

    task = supervisor.once("check", run())
    while not task.done() and clock.monotonic() < until:
        await clock.sleep(0.1)
    if failures:
        raise failures[0]


async def _tell_certificate(report: Report, address: str) -> None:
    """For a person to compare with the camera's own page, and to pin (CAM-3)."""
    if urlsplit(address).scheme != "rtsps":
        return
    try:
        found = await fingerprint(read_address(address))
    except SourceFailure:
        return
    report.tell(f"Its certificate is #sha256:{found}", advice=True)


def _tell_stream(report: Report, watcher: _Watcher) -> None:
    described = watcher.described
    if described is None or watcher.first is None:
        report.tell("It plays, and no whole picture came.", Trouble.NO_KEYFRAMES)
        return
    length = max(watcher.last - watcher.first, 0.001)
    kind = KINDS.get(described.profile_level_id[:2].lower(), described.profile_level_id)
    rate = f"{(watcher.units - 1) / length:.1f} pictures/s"
    bits = f"{watcher.octets * 8 / length / 1e6:.2f} Mbit/s"
    report.tell(f"H.264 {kind} {described.width}x{described.height}, {rate}, {bits}")
    report.tell(f"first picture after {watcher.first - watcher.began:.1f} s")
    _tell_keyframes(report, watcher)
    if described.audio:
        report.tell(f"audio {described.audio}")


def _tell_keyframes(report: Report, watcher: _Watcher) -> None:
    pauses = [b - a for a, b in zip(watcher.keyframes, watcher.keyframes[1:], strict=False)]
    longest = max([*pauses, watcher.last - watcher.keyframes[-1]])
    if pauses:
        report.tell(f"a keyframe every {sum(pauses) / len(pauses):.1f} s")
    if longest > LONG_GOP and Trouble.NO_KEYFRAMES not in report.troubles:
        report.tell(
            f"{longest:.0f} s pass without a keyframe: set its interval to 2 s in the camera.",
            advice=True,
        )


def _tell_connection(report: Report, source: RtspSource) -> None:
    counts = source.counts
    whole = counts.packets + counts.lost
    if whole and counts.lost / whole > MUCH_LOSS:
        share = 100 * counts.lost / whole
        report.tell(
            f"{share:.1f}% of the packets were lost on the way from the camera: use a cable, or"
            " RTSP over TCP.",
            Trouble.STALLED if share > 5 else None,
            advice=share <= 5,
        )
    if source.signed_in_by is None:
        report.tell("It asks for no password: anybody on your network can watch it.", advice=True)
    elif source.signed_in_by == "basic":
        report.tell("It takes the password unprotected (Basic): switch Digest on.", advice=True)


def summary(reports: Sequence[Report]) -> int:
    """The exit code for several."""
    return max((report.exit_code for report in reports), default=0)
