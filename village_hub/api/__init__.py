"""The API: one module a resource; each with `routes` is part of it."""

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType


def route_modules() -> Iterator[ModuleType]:
    """Every module of this package that has routes, in the order of their names."""
    for found in sorted(pkgutil.iter_modules(__path__), key=lambda each: each.name):
        module = importlib.import_module(f"{__name__}.{found.name}")
        if hasattr(module, "routes"):
            yield module
