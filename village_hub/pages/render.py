"""Templates to HTML: the only `import jinja2`. One context dataclass for each template.

Names come from homes and cameras and are untrusted: everything is escaped, in HTML by Jinja2's
autoescape and in the JSON for scripts by its `tojson`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import ClassVar

import jinja2

from village_core.troubles import Trouble
from village_hub.pages.folder import TEMPLATES
from village_hub.pages.static import Statics
from village_hub.pages.words import Words

USUAL = ("own_view", "family")


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraCard:
    """What a page says of one camera; `sizes` are (width, height) in pixels by quality; `opens`
    are the purposes it may be looked at for, and whether words are to be said with each."""

    id: str
    name: str
    online: bool
    trouble: Trouble | None = None
    audio: bool = False
    sizes: Mapping[str, tuple[int, int]]
    opens: Mapping[str, bool]

    @property
    def usual(self) -> str:
        """The purpose that goes without asking: of the household itself, or of its family."""
        return next((each for each in USUAL if each in self.opens), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class BelowCard:
    """A camera of a hub below; `now` is online, offline or stale."""

    id: str
    name: str
    place: str
    now: str
    trouble: Trouble | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BelowList:
    """Those that were looked for by `name`; `more`: not all are here."""

    name: str
    cards: tuple[BelowCard, ...]
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What every page is. `path` in one is its own address, for the language switch."""

    template: ClassVar[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInPage(Page):
    template: ClassVar[str] = "sign_in.html"

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolPage(Page):
    template: ClassVar[str] = "enrol.html"

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPage(Page):
    template: ClassVar[str] = "account.html"

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SharingPage(Page):
    template: ClassVar[str] = "sharing.html"

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SosPage(Page):
    template: ClassVar[str] = "sos.html"

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationPage(Page):
    template: ClassVar[str] = "invitation.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicePage(Page):
    template: ClassVar[str] = "device.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class CamerasPage(Page):
    template: ClassVar[str] = "cameras.html"

    path: str
    cameras: tuple[CameraCard, ...]
    below: BelowList | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraPage(Page):
    template: ClassVar[str] = "camera.html"

    camera: CameraCard


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorPage(Page):
    template: ClassVar[str] = "error.html"

    path: str
    what: str
    advice: str
    signed_in: bool


class Renderer:
    """Fills templates; `statics` names their scripts and styles."""

    def __init__(self, statics: Statics, folder: Path = TEMPLATES) -> None:
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(folder),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._templates.globals["static"] = statics.url
        for name in self._templates.list_templates(extensions=["html"]):
            self._templates.get_template(name)  # read and compiled now, not while somebody waits

    def render(self, page: Page, words: Words) -> str:
        """The page's HTML in the language of `words`."""
        context = {field.name: getattr(page, field.name) for field in fields(page)}
        return self._templates.get_template(page.template).render(context, words=words)
