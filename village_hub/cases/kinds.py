"""Every kind of matter: the modules of this package that have a `KIND`."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from village_hub import cases
from village_hub.cases.matter import Kind, Matter


@cache
def kinds() -> Mapping[str, Kind[Any]]:
    """By name."""
    found: dict[str, Kind[Any]] = {}
    for each in sorted(pkgutil.iter_modules(cases.__path__), key=lambda each: each.name):
        kind = getattr(importlib.import_module(f"{cases.__name__}.{each.name}"), "KIND", None)
        if kind is not None:
            found[kind.name] = kind
    return MappingProxyType(dict(sorted(found.items())))


def kind_of(matter: Matter) -> Kind[Any]:
    return next(kind for kind in kinds().values() if type(matter) is kind.document)
