"""Deployment packages and layers, unpacked once per content: what Lambda does before it starts an environment."""

from __future__ import annotations

import base64
import shutil
import tempfile
import threading
import time
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Final

_UNUSED_AFTER_S: Final = 7 * 86_400
_EXECUTABLE: Final = 0o111


class Packages:
    """A folder of unpacked zips, each under the sha256 of its zip. Safe to call from many threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    def unpacked(self, sha256: str, zip_bytes: bytes) -> Path:
        """Return the folder of a package. `sha256` is the zip's digest in base64, as Lambda's API gives it."""
        target = self._folder / base64.b64decode(sha256).hex()
        with self._lock:
            if target.is_dir():
                target.touch()
                return target
            self._folder.mkdir(parents=True, exist_ok=True)
            partial = Path(tempfile.mkdtemp(dir=self._folder, prefix=".partial-"))
            _unpack(zip_bytes, partial)
            try:
                partial.rename(target)
            except OSError:  # another process was faster: the content is the same
                shutil.rmtree(partial)
        return target

    def forget_unused(self, now: float | None = None) -> None:
        """Delete what no twin has used for a week."""
        now = time.time() if now is None else now
        for entry in self._folder.iterdir() if self._folder.is_dir() else ():
            if now - entry.stat().st_mtime > _UNUSED_AFTER_S:
                shutil.rmtree(entry, ignore_errors=True)


def _unpack(zip_bytes: bytes, folder: Path) -> None:
    """Unpack with the executable bits, which `ZipFile.extractall` drops."""
    with zipfile.ZipFile(BytesIO(zip_bytes)) as archive:
        archive.extractall(folder)
        for entry in archive.infolist():
            mode = entry.external_attr >> 16
            if mode & _EXECUTABLE and not entry.is_dir():
                path = folder / entry.filename
                path.chmod(path.stat().st_mode | _EXECUTABLE)
    folder.chmod(0o755)
