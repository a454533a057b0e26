"""Where pictures come from: rtsp:, rtsps:, v4l2:, file: and test: give access units alike."""

from home_agent.sources.contract import (
    AccessUnit,
    Described,
    Source,
    SourceEvents,
    SourceFailure,
    SourceOptions,
)
from home_agent.sources.opening import open_source

__all__ = [
    "AccessUnit",
    "Described",
    "Source",
    "SourceEvents",
    "SourceFailure",
    "SourceOptions",
    "open_source",
]
