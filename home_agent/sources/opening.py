"""From an address to its source."""

from pathlib import Path
from urllib.parse import parse_qs, unquote

from home_agent.sources.child import ChildSource
from home_agent.sources.contract import Source, SourceEvents, SourceFailure, SourceOptions
from home_agent.sources.file import FileSource
from home_agent.sources.rtsp import RtspSource
from home_agent.sources.spec import read_spec
from village_core.clock import Clock
from village_core.jobs import Supervisor
from village_core.troubles import Trouble

RAW_ENDINGS = (".h264", ".264", ".avc")


def open_source(
    url: str, options: SourceOptions, events: SourceEvents, supervisor: Supervisor, clock: Clock
) -> Source:
    """The source for an address; nothing happens before its `run`.

        rtsp://host[:port]/path  rtsps://...[#sha256:<certificate fingerprint>]
        v4l2:/dev/video0[?size=&fps=&rate=&gop=&profile=]
        file:/path/to/film.h264[?fps=25]   file:/path/to/film.mp4
        test:[?size=1280x720&fps=25&rate=2000&gop=50&profile=main&bframes=0]

    Raises SourceFailure(PROTOCOL) for an address that cannot be read.
    """
    scheme, _, rest = url.partition(":")
    path, _, query = rest.partition("?")
    path = unquote(path)
    match scheme:
        case "rtsp" | "rtsps":
            return RtspSource(url, options, events, supervisor, clock)
        case "test":
            spec = read_spec("test", "", query)
            return ChildSource(url, spec, events, options.stalled_after, clock)
        case "v4l2":
            spec = read_spec("v4l2", path, query)
            return ChildSource(url, spec, events, options.stalled_after, clock)
        case "file" if Path(path).suffix.lower() in RAW_ENDINGS:
            return FileSource(Path(path), _fps(query), events, clock)
        case "file":
            spec = read_spec("movie", path, "")
            return ChildSource(url, spec, events, options.stalled_after, clock)
    raise SourceFailure(
        Trouble.PROTOCOL,
        "The source's address cannot be used: it begins with none of rtsp:, rtsps:, v4l2:, file:,"
        " test:.",
    )


def _fps(query: str) -> float | None:
    values = parse_qs(query).get("fps")
    if not values:
        return None
    try:
        fps = float(values[0])
    except ValueError:
        fps = 0.0
    if not 0 < fps <= 240:
        raise SourceFailure(
            Trouble.PROTOCOL, "The source's address cannot be used: fps is to be 1 to 240."
        )
    return fps
