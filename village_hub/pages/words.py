"""Every sentence of the pages, in Chinese and English: Babel catalogues, read once at the start.

A key (`camera.quality.auto`) names a sentence; both catalogues hold the same keys, so that neither
language is the source and none can be forgotten. `{name}` in a sentence is filled in when asked.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from babel.core import negotiate_locale
from babel.messages.pofile import read_po

from village_hub.pages.folder import TEMPLATES

LANGUAGES = ("zh", "en")  # the first is what a browser that names none gets
HTML_LANG = {"zh": "zh-CN", "en": "en"}
OTHERS = "en"  # what a browser that names only other languages gets


@dataclass(frozen=True, slots=True)
class Words:
    """The sentences of one language: `words("cameras.title")`."""

    language: str
    texts: Mapping[str, str]

    def __call__(self, key: str, **values: object) -> str:
        """The sentence for `key`. Raises KeyError when there is none, which a test prevents."""
        text = self.texts[key]
        return text.format_map(values) if values else text

    @property
    def html_lang(self) -> str:
        return HTML_LANG[self.language]

    def under(self, *prefixes: str) -> dict[str, str]:
        """The sentences whose keys begin with one of `prefixes`, for a page's script."""
        return {key: text for key, text in self.texts.items() if key.startswith(prefixes)}


def read_words(folder: Path = TEMPLATES / "locale") -> dict[str, Words]:
    """The words of every language. Raises OSError or PoFileError for a catalogue it cannot read."""
    return {language: Words(language, _read(folder, language)) for language in LANGUAGES}


def _read(folder: Path, language: str) -> dict[str, str]:
    """Every catalogue of the language: one an area, so that each is found where it belongs."""
    texts: dict[str, str] = {}
    for path in sorted((folder / language / "LC_MESSAGES").glob("*.po")):
        with path.open("rb") as file:
            catalogue = read_po(file, locale=language, abort_invalid=True)
        texts |= {str(each.id): str(each.string) for each in catalogue if each.id}
    return texts


def choose(cookie: str | None, accept: str) -> str:
    """The language for a browser: its owner's choice, else the first of `Accept-Language`."""
    if cookie in LANGUAGES:
        return str(cookie)
    wanted = _preferred(accept)
    if not wanted:
        return LANGUAGES[0]
    return negotiate_locale(wanted, LANGUAGES, sep="-") or OTHERS


def _preferred(accept: str) -> list[str]:
    """Languages of an Accept-Language header (RFC 9110 section 12.5.4), most wanted first."""
    ranked = [(_weight(params), tag.strip()) for tag, _, params in _parts(accept) if tag.strip()]
    ordered = sorted((pair for pair in ranked if pair[0] > 0), key=lambda pair: -pair[0])
    return [tag for _, tag in ordered]


def _parts(accept: str) -> Iterable[tuple[str, str, str]]:
    return (part.partition(";") for part in accept[:200].split(","))


def _weight(params: str) -> float:
    name, _, value = params.partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
