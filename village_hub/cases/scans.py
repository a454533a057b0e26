"""Scanned notices, kept beside the database: files named by their SHA-256, for the hub's eyes
alone. What a file is, its first bytes say."""

import asyncio
import hashlib
import os
from pathlib import Path

from village_core.ids import new_id
from village_hub.cases.request_terms import Scan
from village_hub.errors import NotFound, UnsupportedMedia

LARGEST = 5 * 1024 * 1024  # bytes
BEGINS = {
    "application/pdf": b"%PDF-",
    "image/jpeg": b"\xff\xd8\xff",
    "image/png": b"\x89PNG\r\n\x1a\n",
}


class Scans:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def keep(self, data: bytes, kind: str) -> Scan:
        """Durable when it returns. Raises UnsupportedMedia."""
        begins = BEGINS.get(kind)
        if begins is None or not data.startswith(begins):
            raise UnsupportedMedia("the scan is to be a PDF, JPEG or PNG file", code="bad_scan")
        scan = Scan(sha256=hashlib.sha256(data).hexdigest(), size=len(data), kind=kind)
        await asyncio.to_thread(self._write, scan.sha256, data)
        return scan

    async def read(self, scan: Scan) -> bytes:
        """Raises NotFound when it is gone, or is not what was kept."""
        try:
            data = await asyncio.to_thread((self._folder / scan.sha256).read_bytes)
        except OSError as error:
            raise NotFound("the scan is not there any more", code="no_scan") from error
        if hashlib.sha256(data).hexdigest() != scan.sha256:
            raise NotFound("the scan is damaged", code="no_scan")
        return data

    def _write(self, name: str, data: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        written = self._folder / f".{new_id()}"
        with open(os.open(written, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        written.replace(self._folder / name)
