"""Models that the stage names, fetched while the function's imports go on: alias, manifest, files.

The thread imports nothing: numpy and ONNX Runtime are imported beside it, and two threads in one package's import
see each other's half. All that it needs is imported with this module.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING, Final

from handlers.inference.variants import read_cpuinfo
from model_store import keys
from model_store.registry_reader import RegistryReader
from warmstart.errors import WarmstartError
from warmstart.limits import SPARE_BYTES
from warmstart.processor import layout_name
from warmstart.refs import LIVE

if TYPE_CHECKING:
    from handlers.inference.settings import InferenceSettings
    from model_store.manifest import Manifest, ModelFile
    from model_store.objects import ObjectReader, StoredObject
    from warmstart.refs import ModelRef

LIMIT_S: Final = 6.0
"""How long the init phase waits for what is fetched: Lambda ends it after 10 s, and sessions are to be opened in it.

Source: Lambda developer guide, "Understanding the Lambda execution environment lifecycle".
"""
AHEAD: Final = "warmstart-ahead"


def free_bytes(folder: Path) -> int:
    """Return what may still be written to a folder's disk."""
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize


class Ahead:
    """An `ObjectReader` that has some objects already: each is given once, then the store is asked as ever.

    It checks nothing: who reads from it checks what it gets, as if it came from the store.
    """

    def __init__(self, reader: ObjectReader, folder: Path) -> None:
        self._reader, self._folder = reader, folder
        self._objects: dict[str, StoredObject] = {}
        self._files: dict[str, tuple[Path, Sequence[str] | None]] = {}
        self._lock = Lock()
        self._is_open = True

    def fetch(self, key: str) -> StoredObject:
        """Read an object and keep it for the one who asks next. Raises: as `ObjectReader.get`."""
        found = self._reader.get(key)
        with self._lock:
            if self._is_open:
                self._objects[key] = found
        return found

    def fetch_file(self, key: str, *, size_bytes: int) -> None:
        """Have an object in a file, and keep it for the one who asks next. Raises: as `ObjectReader.download`."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / key.replace("/", "!")
        digests = self._reader.download(key, path, size_bytes=size_bytes)
        with self._lock:
            if self._is_open:
                self._files[key] = (path, digests)
                return
        path.unlink()

    def close(self) -> None:
        """Keep nothing any longer, nor what still comes: the disk is for models that are asked for."""
        with self._lock:
            self._is_open = False
            self._objects.clear()
            files, self._files = self._files, {}
        for path, _ in files.values():
            path.unlink(missing_ok=True)

    def get(self, key: str) -> StoredObject:
        """Read an object whole."""
        with self._lock:
            found = self._objects.pop(key, None)
        return self._reader.get(key) if found is None else found

    def get_if_changed(self, key: str, etag: str) -> StoredObject | None:
        """Read an object unless it still has this entity tag."""
        return self._reader.get_if_changed(key, etag)

    def keys(self, prefix: str) -> Iterator[str]:
        """List all keys under a prefix, in order."""
        return self._reader.keys(prefix)

    def download(self, key: str, path: Path, *, size_bytes: int) -> Sequence[str] | None:
        """Move what is there to its place, else write it there."""
        with self._lock:
            found = self._files.pop(key, None)
        if found is None:
            return self._reader.download(key, path, size_bytes=size_bytes)
        found[0].replace(path)
        return found[1]


class _Keeping:
    """What `RegistryReader` reads goes through here, so that it is kept."""

    def __init__(self, ahead: Ahead) -> None:
        self.get, self.get_if_changed, self.download = ahead.fetch, ahead.get_if_changed, ahead.download
        self.keys = ahead.keys


class Preloading:
    """Fetches models on a thread from now on. `cpuinfo` and `machine` say what processor this is.

    `clock` gives monotonic seconds.
    """

    def __init__(
        self,
        refs: Sequence[ModelRef],
        reader: ObjectReader,
        *,
        models_dir: Path,
        tmp_dir: Path,
        cpuinfo: str,
        machine: str,
        clock: Callable[[], float],
        free_bytes: Callable[[Path], int] = free_bytes,
    ) -> None:
        self.reader = Ahead(reader, tmp_dir / AHEAD)
        self._refs, self._models_dir, self._tmp_dir = refs, models_dir, tmp_dir
        self._cpuinfo, self._machine, self._free_bytes = cpuinfo, machine, free_bytes
        self._registry = RegistryReader(_Keeping(self.reader))
        self._failures: dict[ModelRef, WarmstartError | OSError] = {}
        self._clock, self._until = clock, clock() + LIMIT_S
        self._thread = Thread(target=self._fetch_all, daemon=True)
        self._thread.start()

    def finish(self, load: Callable[[ModelRef], object], warn: Callable[[str], None]) -> None:
        """Wait for what is fetched, then open the models; what fails is warned of, and left to the first request."""
        self._thread.join(max(0.0, self._until - self._clock()))
        for ref in self._refs:
            trouble = self._failures.get(ref) or self._load(ref, load)
            if trouble:
                warn(f"preload {ref}: {trouble}; the first request tries again")
        self.reader.close()

    def _load(self, ref: ModelRef, load: Callable[[ModelRef], object]) -> Exception | str | None:
        if self._clock() >= self._until:
            return f"expected to be fetched within {LIMIT_S:g} s of init, got no further"
        try:
            load(ref)
        except (WarmstartError, OSError) as error:
            return error
        return None

    def _fetch_all(self) -> None:
        for ref in self._refs:
            if self._clock() >= self._until:
                return
            try:
                self._fetch(ref)
            except (WarmstartError, OSError) as error:
                self._failures[ref] = error

    def _fetch(self, ref: ModelRef) -> None:
        version = ref.version
        if version is None:
            version = self._registry.alias_state(ref.name, ref.alias or LIVE).version
        if (self._models_dir / ref.name / str(version)).is_dir():
            return
        manifest = self._registry.manifest(ref.name, version)
        files = _likely_files(manifest, self._cpuinfo, self._machine)
        # Where they go they may lie beside what an earlier process left: half of the disk is as far as this goes.
        if self._free_bytes(self._tmp_dir) < 2 * sum(file.size_bytes for file in files) + SPARE_BYTES:
            return
        for file in files:
            if self._clock() >= self._until:
                return
            self.reader.fetch_file(keys.artifact(manifest.name, version, file.path), size_bytes=file.size_bytes)


def start(settings: InferenceSettings, reader: ObjectReader) -> Preloading:
    """Fetch what the settings name, for this machine."""
    return Preloading(
        settings.preload,
        reader,
        models_dir=settings.models_dir,
        tmp_dir=settings.tmp_dir,
        cpuinfo=read_cpuinfo(),
        machine=os.uname().machine,
        clock=time.monotonic,
    )


def _likely_files(manifest: Manifest, cpuinfo: str, machine: str) -> tuple[ModelFile, ...]:
    """Return the layout for this processor, made for any release of ONNX Runtime: ours is being imported.

    What is opened is chosen later, by the whole name: a guess that is wrong has cost a download.
    """
    for variant in manifest.variants:
        release = variant.processor.rpartition("-ort")[2]
        if variant.processor == layout_name(cpuinfo, machine, release):
            return variant.files
    return manifest.files
