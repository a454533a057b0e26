"""Static files: read once, named by their content, so that browsers may keep them for ever."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from village_hub.pages.folder import TEMPLATES

TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
}
FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Static:
    """One file: its bytes, the same compressed, and the name that changes with them."""

    name: str
    kind: str
    body: bytes
    packed: bytes
    digest: str

    @property
    def hashed(self) -> str:
        stem, dot, suffix = self.name.rpartition(".")
        return f"{stem}.{self.digest}{dot}{suffix}"


class Statics:
    """The files of `templates/static`, found by their plain and by their hashed names."""

    def __init__(self, folder: Path = TEMPLATES / "static") -> None:
        files = [_read(path) for path in sorted(folder.iterdir()) if path.suffix in TYPES]
        self._plain: Mapping[str, Static] = {file.name: file for file in files}
        self._hashed: Mapping[str, Static] = {file.hashed: file for file in files}

    def url(self, name: str) -> str:
        """The address a page names `name` by. Raises KeyError when there is no such file."""
        return f"/static/{self._plain[name].hashed}"

    def answer(self, request: web.Request) -> web.Response:
        """The file named in the path. Raises HTTPNotFound."""
        name = request.match_info["name"]
        file = self._hashed.get(name) or self._plain.get(name)
        if file is None:
            raise web.HTTPNotFound
        headers = {
            "Cache-Control": FOREVER if name in self._hashed else "no-cache",
            "Content-Type": file.kind,
            "ETag": f'"{file.digest}"',
            "Vary": "Accept-Encoding",
            "X-Content-Type-Options": "nosniff",
        }
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return web.Response(status=304, headers=headers)
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            return web.Response(body=file.packed, headers={**headers, "Content-Encoding": "gzip"})
        return web.Response(body=file.body, headers=headers)


def _read(path: Path) -> Static:
    body = path.read_bytes()
    digest = hashlib.sha256(body).hexdigest()[:12]
    return Static(path.name, TYPES[path.suffix], body, gzip.compress(body, mtime=0), digest)
