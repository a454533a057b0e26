"""Strict settings: TOML plus environment into one frozen dataclass tree, read once at the start.

`load(Config, path, environ=os.environ, prefix="HOME_AGENT")` (only a package's config.py reads the
environment). Rules, the same for agent and hub:

- An unknown key is refused, with the nearest known name.
- A value of the wrong type is refused, naming the key, what was expected and what stood there.
- `PREFIX_KEY=value` overrides a top-level key, `PREFIX_SECTION__KEY=value` one of a section;
  lists are separated by commas. An unknown variable with the prefix is refused too.
- A field of type `Secret` never stands in the file: `key_file = "path"` names a file that others
  cannot read, `key_env = "VARIABLE"` a variable, or `PREFIX_KEY` gives it.
- A `Path` is relative to the file it stands in.
- A field whose key is a word of Python has an underscore at its end that the key has not: `class_`.
- `__post_init__` of a section may raise ValueError with a sentence; the key's place is put before.
"""

import difflib
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")

WORDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false", Path: "text"}
TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class SettingsError(ValueError):
    """The settings cannot be used; the sentence says which key and why, and holds no secret."""


@dataclass(frozen=True, slots=True)
class Secret:
    """Text that shows itself only when asked to."""

    value: str = field(repr=False)

    def reveal(self) -> str:
        return self.value

    def __str__(self) -> str:
        return "****"

    def __bool__(self) -> bool:
        return bool(self.value)


def load(cls: type[T], path: Path | None, *, environ: Mapping[str, str], prefix: str) -> T:
    """Settings from the file (none: defaults and environment alone). Raises SettingsError."""
    if path is None:
        return parse(cls, {}, environ=environ, prefix=prefix)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: is not TOML: {error}") from error
    try:
        return parse(cls, table, environ=environ, prefix=prefix, base=path.parent)
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from error


def parse(
    cls: type[T],
    table: Mapping[str, Any],
    *,
    environ: Mapping[str, str],
    prefix: str,
    base: Path | None = None,
) -> T:
    """Settings from a table already read; `base` is the folder that paths are relative to."""
    reader = _Reader(environ, base)
    overrides = reader.overrides(cls, f"{prefix}_")
    return cast(T, reader.section(cls, _merged(table, overrides), ""))


def in_range(name: str, value: float, low: float, high: float) -> None:
    """For `__post_init__`: raises ValueError with a sentence when `value` is outside."""
    if not low <= value <= high:
        raise ValueError(f"{name} = {value} is outside {low} to {high}")


def keyed(hints: Mapping[str, Any]) -> dict[str, Any]:
    """By the keys of the file instead of the fields' names."""
    return {name.removesuffix("_"): kind for name, kind in hints.items()}


def nearest(name: str, known: list[str]) -> str:
    """The end of a sentence that refuses `name`: the nearest known name, else all of them."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if close:
        return f'did you mean "{close[0]}"?'
    return f"known: {', '.join(sorted(known)) or 'none'}"


class _Reader:
    def __init__(self, environ: Mapping[str, str], base: Path | None) -> None:
        self._environ = environ
        self._base = base

    def overrides(self, cls: type, prefix: str) -> dict[str, Any]:
        """What the environment says, as a table of text; sections by a double underscore."""
        found: dict[str, Any] = {}
        for variable, text in self._environ.items():
            if variable.startswith(prefix):
                keys = variable.removeprefix(prefix).lower().split("__")
                self._put(cls, found, keys, (variable, text))
        return found

    def _put(
        self, cls: type, table: dict[str, Any], keys: list[str], given: tuple[str, str]
    ) -> None:
        variable, text = given
        hints = keyed(get_type_hints(cls))
        if keys[0] not in hints:
            raise SettingsError(f"unknown variable {variable}; {nearest(keys[0], list(hints))}")
        kind = _bare(hints[keys[0]])
        if len(keys) > 1 and _is_section(kind):
            self._put(cast(type, kind), table.setdefault(keys[0], {}), keys[1:], given)
        elif len(keys) == 1 and not _is_section(kind):
            table[keys[0]] = Secret(text) if kind is Secret else _from_text(kind, text, variable)
        else:
            raise SettingsError(f"{variable} does not name a single setting")

    def section(self, cls: type, table: object, where: str) -> object:
        if not isinstance(table, Mapping):
            raise SettingsError(f"{where or 'the file'} is to be a section, not {_shown(table)}")
        hints = keyed(get_type_hints(cls))
        self._refuse_unknown(hints, table, where)
        values: dict[str, Any] = {}
        for part in fields(cls):
            name = part.name.removesuffix("_")
            key = f"{where}.{name}" if where else name
            found, value = self._value(hints[name], table, name, key)
            if found:
                values[part.name] = value
            elif part.default is MISSING and part.default_factory is MISSING:
                raise SettingsError(f"{_missing(hints[name], key)}")
        try:
            return cls(**values)
        except ValueError as error:
            raise SettingsError(f"{where}: {error}" if where else str(error)) from error

    @staticmethod
    def _refuse_unknown(hints: dict[str, Any], table: Mapping[str, Any], where: str) -> None:
        known = set(hints)
        for name, kind in hints.items():
            if _bare(kind) is Secret:
                known |= {f"{name}_file", f"{name}_env"}
        for name in table:
            if name not in known:
                place = f"{where}: " if where else ""
                raise SettingsError(f'{place}unknown key "{name}"; {nearest(name, list(known))}')

    def _value(self, kind: Any, table: Mapping[str, Any], name: str, key: str) -> tuple[bool, Any]:
        if _bare(kind) is Secret:
            return self._secret(table, name, key)
        if name not in table:
            inner = _bare(kind)
            if _is_section(inner) and not _optional(kind):  # its own defaults and requirements
                return True, self.section(cast(type, inner), {}, key)
            return False, None
        return True, self._convert(kind, table[name], key)

    def _secret(self, table: Mapping[str, Any], name: str, key: str) -> tuple[bool, Any]:
        value = table.get(name)
        if isinstance(value, Secret):
            return True, value
        if value is not None:
            raise SettingsError(f"{key} is a secret: give {name}_file or {name}_env instead")
        if f"{name}_file" in table:
            path = self._convert(Path, table[f"{name}_file"], f"{key}_file")
            return True, read_secret(path, f"{key}_file")
        if f"{name}_env" in table:
            variable = self._convert(str, table[f"{name}_env"], f"{key}_env")
            if variable not in self._environ:
                raise SettingsError(f"{key}_env names {variable}, which is not set")
            return True, Secret(self._environ[variable])
        return False, None

    def _convert(self, kind: Any, value: Any, key: str) -> Any:
        origin = get_origin(kind)
        if origin in (Union, UnionType):
            return self._convert(_bare(kind), value, key)
        if origin is Literal:
            return _one_of(get_args(kind), value, key)
        if origin in (list, tuple):
            return self._many(kind, value, key)
        if origin is dict:
            return self._table(kind, value, key)
        if is_dataclass(kind):
            return self.section(cast(type, kind), value, key)
        return self._plain(kind, value, key)

    def _many(self, kind: Any, value: Any, key: str) -> Any:
        if not isinstance(value, list | tuple):
            raise SettingsError(f"{key} is to be a list, not {_shown(value)}")
        inner = get_args(kind)[0]
        items = [self._convert(inner, item, f"{key}[{n}]") for n, item in enumerate(value)]
        return get_origin(kind)(items)

    def _table(self, kind: Any, value: Any, key: str) -> Any:
        if not isinstance(value, Mapping):
            raise SettingsError(f"{key} is to be a section, not {_shown(value)}")
        inner = get_args(kind)[1]
        return {name: self._convert(inner, item, f"{key}.{name}") for name, item in value.items()}

    def _plain(self, kind: Any, value: Any, key: str) -> Any:
        if isinstance(kind, type) and issubclass(kind, Enum):
            return kind(_one_of(tuple(member.value for member in kind), value, key))
        if kind is Path and isinstance(value, str):
            return (self._base / value) if self._base else Path(value)
        if kind is float and type(value) is int:
            return float(value)
        if type(value) is not kind:  # exactly: true is not a whole number
            raise SettingsError(f"{key} is to be {WORDS.get(kind, kind)}, not {_shown(value)}")
        return value


def read_secret(path: Path, key: str) -> Secret:
    """The first line of a file that only its owner can read. Raises SettingsError."""
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise SettingsError(f"{key}: {path} can be read by others; chmod 600 it")
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise SettingsError(f"{key}: {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{key}: {path} is not text") from error
    return Secret(lines[0] if lines else "")


def _merged(table: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(table)
    for name, value in over.items():
        below = result.get(name)
        deeper = isinstance(value, Mapping) and isinstance(below, Mapping)
        result[name] = _merged(cast(Mapping[str, Any], below), value) if deeper else value
    return result


def _bare(kind: Any) -> Any:
    """The kind without `| None`; settings have no other unions."""
    if get_origin(kind) in (Union, UnionType):
        return next(part for part in get_args(kind) if part is not NoneType)
    return kind


def _is_section(kind: Any) -> bool:
    return is_dataclass(kind) and kind is not Secret


def _optional(kind: Any) -> bool:
    return NoneType in get_args(kind)


def _from_text(kind: Any, text: str, variable: str) -> Any:
    """A variable's text as TOML would have given it."""
    if get_origin(kind) in (list, tuple):
        inner = get_args(kind)[0]
        parts = [part.strip() for part in text.split(",") if part.strip()]
        return [_from_text(inner, part, variable) for part in parts]
    if kind is bool:
        if text.lower() not in TRUTH:
            raise SettingsError(f"{variable} is to be true or false, not {_shown(text)}")
        return TRUTH[text.lower()]
    if kind in (int, float):
        try:
            return kind(text)
        except ValueError as error:
            said = f"{variable} is to be {WORDS[kind]}, not {_shown(text)}"
            raise SettingsError(said) from error
    return text


def _one_of(allowed: tuple[Any, ...], value: Any, key: str) -> Any:
    if value not in allowed:
        choices = ", ".join(str(choice) for choice in allowed)
        raise SettingsError(f"{key} is to be one of {choices}, not {_shown(value)}")
    return value


def _missing(kind: Any, key: str) -> str:
    if _bare(kind) is Secret:
        return f"{key} is missing: give {key.rpartition('.')[2]}_file or _env"
    return f"{key} is missing"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}..."
