"""Where the templates lie: inside the installed package, or beside the packages in a checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent
_PLACES = (_PACKAGE / "_templates", _PACKAGE.parent / "templates")

TEMPLATES = next((place for place in _PLACES if place.is_dir()), _PLACES[0])
