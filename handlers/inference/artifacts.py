"""Where a model's files come from: baked into a layer, else this environment's disk, else the store; checked always."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING, Final

from model_store import keys
from model_store.integrity import verify, verify_download
from model_store.manifest import Manifest, ModelFile, parse_manifest
from model_store.objects import ObjectReader
from warmstart.errors import ArtifactMismatch, InsufficientMemory, InvalidManifest, ObjectNotFound, WarmstartError
from warmstart.limits import SPARE_BYTES

if TYPE_CHECKING:
    from model_store.signing.verify import Trust

CACHE: Final = "warmstart-models"


def free_bytes(folder: Path) -> int:
    """Return what may still be written to a folder's disk."""
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize


class ModelFiles:
    """Has a version's files on this disk: `{models_dir}/{name}/{version}/`, or `{tmp_dir}/warmstart-models/{digest}/`.

    The digest is of all files' paths and hashes, so that what an earlier process of the same environment left is
    found again, and a half-written file is not mistaken for a whole one: each is hashed before a session opens it.
    """

    def __init__(
        self,
        reader: ObjectReader,
        *,
        models_dir: Path,
        tmp_dir: Path,
        trust: Trust | None = None,
        free_bytes: Callable[[Path], int] = free_bytes,
    ) -> None:
        self._reader, self._models_dir, self._tmp_dir = reader, models_dir, tmp_dir
        self._trust, self._free_bytes = trust, free_bytes
        self._users: dict[Path, int] = {}
        self._unchecked: dict[Path, list[Callable[[], None]]] = {}
        self._lock = Lock()

    def baked_manifest(self, name: str, version: int) -> Manifest | None:
        """Return the manifest of a version that was baked into a layer, None if it was not.

        Raises: InvalidManifest; Unsigned or SignatureInvalid where signatures are asked for.
        """
        path = self._baked(name, version) / keys.MANIFEST
        try:
            body = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        if self._trust is not None:
            self._check_signature(self._trust, path.parent, body, name, version)
        manifest = parse_manifest(body, where=str(path))
        if (manifest.name, manifest.version) != (name, version):
            raise InvalidManifest(
                f"{path}: is the manifest of {manifest.name}:{manifest.version}; build the layer again"
            )
        if not manifest.variants:
            return manifest
        folder = path.parent  # a layer may hold the portable files alone
        there = (v for v in manifest.variants if all((folder / file.path).is_file() for file in v.files))
        return manifest._replace(variants=tuple(there))

    def fetch(self, manifest: Manifest, close_idle: Callable[[], bool] = lambda: False) -> Path:
        """Have all files on this disk; return the graph's path. They stay until `release`.

        They are checked, but for weights whose digests are still computed: see `confirm`.
        `close_idle` is called when room is short and would be there without open sessions: it closes one that nobody
        uses and has its files released, or says False.
        Raises: IntegrityError, StoreError, InsufficientMemory.
        """
        baked = self._baked(manifest.name, manifest.version)
        if baked.is_dir():
            for file in manifest.files:
                _check(baked / file.path, file, f"{baked}/{file.path}")
            return baked / manifest.files[0].path
        folder = self._folder(manifest)
        with self._lock:
            self._users[folder] = self._users.get(folder, 0) + 1
        fetched = False
        try:
            self._fetch_into(folder, manifest, close_idle)
            fetched = True
        finally:
            if not fetched:
                self._unchecked.pop(folder, None)
                self.release(manifest)
        return folder / manifest.files[0].path

    def confirm(self, manifest: Manifest) -> None:
        """Check what was not checked when it came: nothing that was computed from the files counts before.

        Raises: IntegrityError.
        """
        for check in self._unchecked.pop(self._folder(manifest), ()):
            check()

    def release(self, manifest: Manifest) -> None:
        """Say that a session that had the files open is closed: they may go when room is needed."""
        folder = self._folder(manifest)
        with self._lock:
            if self._users.get(folder, 0) > 1:
                self._users[folder] -= 1
            else:
                self._users.pop(folder, None)

    def _check_signature(self, trust: Trust, folder: Path, manifest: bytes, name: str, version: int) -> None:
        try:
            signature = (folder / keys.SIGNATURE).read_bytes()
        except FileNotFoundError:
            raise trust.missing(name, version) from None
        trust.check(signature, manifest, name, version)

    def _baked(self, name: str, version: int) -> Path:
        return self._models_dir / name / str(version)

    def _folder(self, manifest: Manifest) -> Path:
        lines = "".join(f"{file.path} {file.size_bytes} {file.sha256}\n" for file in manifest.files)
        return self._tmp_dir / CACHE / hashlib.sha256(lines.encode()).hexdigest()[:32]

    def _fetch_into(self, folder: Path, manifest: Manifest, close_idle: Callable[[], bool]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        os.utime(folder)  # the order in which folders make room
        missing = [file for file in manifest.files if not _is_whole(folder / file.path, file)]
        if not missing:
            return
        self._make_room(sum(file.size_bytes for file in missing) + SPARE_BYTES, manifest, close_idle)
        missing.sort(key=lambda file: file.size_bytes)
        *others, largest = missing
        failures: list[Exception] = []

        def download_others() -> None:
            try:
                for file in others:
                    self._download(folder, manifest, file)
            except (WarmstartError, OSError) as error:
                failures.append(error)

        # The graph and what else is small come beside the weights: they cost no wait of their own.
        beside = Thread(target=download_others, daemon=True) if others else None
        if beside is not None:
            beside.start()
        try:
            self._download(folder, manifest, largest)
        finally:
            if beside is not None:
                beside.join()
        if failures:
            raise failures[0]

    def _download(self, folder: Path, manifest: Manifest, file: ModelFile) -> None:
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        key = keys.artifact(manifest.name, manifest.version, file.path)
        try:
            digests = self._reader.download(key, path, size_bytes=file.size_bytes)
        except ObjectNotFound:  # its manifest exists, so this is no caller's mistake
            raise _lost(key, file) from None
        if not callable(digests):
            _check(path, file, key, digests)
        elif self._trust is None:
            self._unchecked.setdefault(folder, []).append(lambda: _check(path, file, key, digests()))
        else:  # who may write weights to the store may not sign them
            _check(path, file, key, digests())

    def _make_room(self, need_bytes: int, manifest: Manifest, close_idle: Callable[[], bool]) -> None:
        cache = self._tmp_dir / CACHE
        free = self._free_bytes(cache)
        if free < need_bytes:
            self._remove_idle(cache, need_bytes)
            free = self._free_bytes(cache)
        while free < need_bytes <= free + self._held_bytes(cache, manifest) and close_idle():
            self._remove_idle(cache, need_bytes)
            free = self._free_bytes(cache)
        if free < need_bytes:
            raise InsufficientMemory(
                f"model {manifest.name}:{manifest.version}: expected {need_bytes} bytes free in {self._tmp_dir}, "
                f"got {free}; give the function more ephemeral storage"
            )

    def _held_bytes(self, cache: Path, manifest: Manifest) -> int:
        """Count what other models' files take: sessions have them open."""
        own = self._folder(manifest)
        others = (folder for folder in cache.iterdir() if folder != own)
        return sum(file.stat().st_size for folder in others for file in folder.rglob("*") if file.is_file())

    def _remove_idle(self, cache: Path, need_bytes: int) -> None:
        from shutil import rmtree  # rare, and 4 ms of a cold start

        for folder in sorted(cache.iterdir(), key=lambda folder: folder.stat().st_mtime_ns):
            if self._free_bytes(cache) >= need_bytes:
                return
            with self._lock:
                if folder not in self._users:
                    rmtree(folder)


def _is_whole(path: Path, file: ModelFile) -> bool:
    try:
        verify(path, file)
    except (FileNotFoundError, ArtifactMismatch):
        path.unlink(missing_ok=True)
        return False
    return True


def _lost(where: str, file: ModelFile) -> ArtifactMismatch:
    return ArtifactMismatch(f"{where}: expected {file.size_bytes} bytes, got nothing; publish or build it again")


def _check(path: Path, file: ModelFile, where: str, digests: Sequence[str] | None = None) -> None:
    """Check a file by its parts' digests, if they are known; else by reading it."""
    try:
        verify_download(path, digests, file)
    except FileNotFoundError:
        raise _lost(where, file) from None
    except ArtifactMismatch as error:
        raise ArtifactMismatch(f"{where}: {error.message}") from None
