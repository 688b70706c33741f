"""The object store in a folder, with S3's guarantees: for laptops, containers and shared disks.

An object is a file at the path of its key. It is written beside, flushed to the disk and renamed, so that readers, and
whoever comes after a crash, see it whole or not at all. Every write decides its condition under one lock of the folder,
which ends with the process that holds it. What is not an object lies in `.warmstart/` and is never listed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final
from uuid import uuid4

from model_store.file_errors import translated
from model_store.objects import ObjectInfo, OnBytes, Sent, StoredObject
from warmstart.errors import (
    ArtifactMismatch,
    InsufficientMemory,
    ObjectNotFound,
    PreconditionFailed,
    StoreDenied,
    StoreFull,
)

OWN: Final = ".warmstart"
"""The folder of what is not an object: the lock, and files that are being written."""
BLOCK_BYTES: Final = 1024 * 1024
LEFT_FOR_S: Final = 86_400.0
"""What an interrupted upload left is kept for this long, as the bucket's lifecycle rule keeps it."""

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WRITE: Final = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


class FileObjects:
    """An `ObjectStore` in a folder. Safe to use from several threads and processes; `clock` gives seconds."""

    def __init__(self, root: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._root, self._clock = root.absolute(), clock

    def get(self, key: str) -> StoredObject:
        """Read an object whole."""
        with translated(key), self._open(key) as file:
            body = file.read()
        return StoredObject(body, _etag(body))

    def get_if_changed(self, key: str, etag: str) -> StoredObject | None:
        """Read an object unless it still has this entity tag."""
        found = self.get(key)
        return None if found.etag == etag else found

    def download(self, key: str, path: Path, *, size_bytes: int) -> None:
        """Write an object of a known size to a file."""
        part = path.with_name(path.name + ".part")
        try:
            with translated(key), self._open(key) as source:
                if (size := os.fstat(source.fileno()).st_size) != size_bytes:
                    raise ArtifactMismatch(
                        f"{key}: expected {size_bytes} bytes, the store holds {size}; publish it again"
                    )
                with part.open("wb") as target:
                    for block in iter(lambda: source.read(BLOCK_BYTES), b""):
                        target.write(block)
                part.replace(path)
        except StoreFull as error:  # not the store's disk: nothing was written there
            raise InsufficientMemory(
                f"{key}: no room for {size_bytes} bytes at {path}; free some, or give a function more ephemeral storage"
            ) from error
        finally:
            part.unlink(missing_ok=True)

    def put(self, key: str, body: bytes, *, if_absent: bool = False, if_match: str | None = None) -> str:
        """Write an object, return its entity tag."""
        with translated(key), self._temporary() as temporary:
            fd = os.open(temporary, _WRITE | os.O_EXCL, 0o644)
            with os.fdopen(fd, "wb") as file:
                file.write(body)
                file.flush()
                os.fsync(fd)
            self._commit(temporary, key, if_absent=if_absent, if_match=if_match)
        return _etag(body)

    def upload(self, key: str, path: Path, *, if_absent: bool = False, on_bytes: OnBytes | None = None) -> None:
        """Write a file; what an interrupted upload left is compared, and only what is missing is written."""
        report = on_bytes or (lambda _: None)
        with path.open("rb") as source, translated(key):
            self._forget_left_over()
            part = self._own("parts") / hashlib.sha256(key.encode()).hexdigest()
            with os.fdopen(os.open(part, _WRITE, 0o644), "r+b") as target:
                if _is_ours(target.fileno(), part):
                    _complete(source, target, report)
                    self._commit(part, key, if_absent=if_absent, if_match=None)
                    return
            with self._temporary() as temporary:  # somebody uploads to the same key now: not into the same file
                with os.fdopen(os.open(temporary, _WRITE | os.O_EXCL, 0o644), "r+b") as target:
                    _complete(source, target, report)
                self._commit(temporary, key, if_absent=if_absent, if_match=None)

    def copy(self, source: str, key: str, *, if_absent: bool = False) -> None:
        """Write an object under another key too: one more name for the same bytes, which never change in place."""
        with translated(source), self._folder(source) as (folder, name), self._temporary() as temporary:
            self._open(source).close()  # a regular file, and there
            try:
                os.link(name, temporary, src_dir_fd=folder, follow_symlinks=False)
            except OSError:  # a file system without second names
                self.download(source, temporary, size_bytes=self.stat(source).size_bytes)
            with translated(key):
                self._commit(temporary, key, if_absent=if_absent, if_match=None)

    def delete(self, key: str) -> None:
        """Remove an object, and the folders that are empty then."""
        with translated(key), suppress(ObjectNotFound, FileNotFoundError), self._locked():
            with self._folder(key) as (folder, name):
                os.unlink(name, dir_fd=folder)
                os.fsync(folder)
            for parent in list(Path(*_segments(key)).parents)[:-1]:
                try:
                    (self._root / parent).rmdir()
                except OSError:  # not empty
                    break

    def stat(self, key: str) -> ObjectInfo:
        """Say how large an object is, and how old."""
        with translated(key), self._open(key) as file:
            found = os.fstat(file.fileno())
        return ObjectInfo(found.st_size, found.st_mtime)

    def keys(self, prefix: str) -> Iterator[str]:
        """List all keys under a prefix, in order."""
        above = prefix.rpartition("/")[0]
        with translated(prefix):
            found = [key for key in self._walk(above) if key.startswith(prefix)]
        return iter(sorted(found))

    def folders(self, prefix: str) -> Iterator[str]:
        """List the distinct next path segments under a prefix."""
        with translated(prefix):
            names = [name for name, is_folder in self._entries(prefix.rstrip("/")) if is_folder]
            return iter(sorted(name for name in names if next(self._walk(f"{prefix}{name}"), None) is not None))

    def _open(self, key: str) -> BinaryIO:
        with self._folder(key) as (folder, name):
            fd = os.open(name, _READ, dir_fd=folder)
        if stat.S_ISDIR(os.fstat(fd).st_mode):
            os.close(fd)
            raise ObjectNotFound(f"{key}: the store holds nothing under this key")
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise StoreDenied(f"{key}: expected a regular file in the store, found something else; remove it")
        return os.fdopen(fd, "rb")

    @contextmanager
    def _folder(self, key: str, *, create: bool = False) -> Iterator[tuple[int, str]]:
        """Open the folder of a key, step by step and through no link; give it with the file's name."""
        *way, name = _segments(key)
        fd = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for segment in way:
                fd = _enter(fd, segment, create=create)
            yield fd, name
        finally:
            os.close(fd)

    def _commit(self, temporary: Path, key: str, *, if_absent: bool, if_match: str | None) -> None:
        """Give a file that is written and flushed its key, if the condition holds."""
        with self._locked():
            try:
                self._check(key, if_absent=if_absent, if_match=if_match)
                with self._folder(key, create=True) as (folder, name):
                    os.replace(temporary, name, dst_dir_fd=folder)
                    os.fsync(folder)
            except (NotADirectoryError, IsADirectoryError) as error:
                raise StoreDenied(
                    f"{key}: a file cannot be a folder too: the store holds {error.filename!r}"
                ) from error

    def _check(self, key: str, *, if_absent: bool, if_match: str | None) -> None:
        if not if_absent and if_match is None:
            return
        try:
            with self._open(key) as file:
                found = "an object" if if_match is None else _etag(file.read())
        except (ObjectNotFound, FileNotFoundError):
            found = "nothing"
        if found != ("nothing" if if_absent else if_match):
            raise PreconditionFailed(f"{key}: expected {if_match or 'nothing'} under this key, found {found}")

    def _own(self, name: str) -> Path:
        folder = self._root / OWN / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @contextmanager
    def _temporary(self) -> Iterator[Path]:
        path = self._own("new") / uuid4().hex
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        fd = os.open(self._own("") / "lock", _WRITE, 0o644)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)  # of this opening alone: it holds between threads, too
            yield
        finally:
            os.close(fd)

    def _forget_left_over(self) -> None:
        for path in [*self._own("parts").iterdir(), *self._own("new").iterdir()]:
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < self._clock() - LEFT_FOR_S:
                    path.unlink()

    def _walk(self, folder: str) -> Iterator[str]:
        """Give the keys below a folder, in no order."""
        for name, is_folder in self._entries(folder):
            key = f"{folder}/{name}" if folder else name
            if is_folder:
                yield from self._walk(key)
            else:
                yield key

    def _entries(self, folder: str) -> list[tuple[str, bool]]:
        """Give the names in a folder of keys, and whether each is a folder; nothing else than folders and files."""
        try:
            with self._folder(f"{folder}/." if folder else ".") as (fd, _), os.scandir(fd) as entries:
                return [
                    (entry.name, entry.is_dir(follow_symlinks=False))
                    for entry in entries
                    if (folder or entry.name != OWN)
                    and (entry.is_dir(follow_symlinks=False) or entry.is_file(follow_symlinks=False))
                ]
        except (ObjectNotFound, FileNotFoundError, NotADirectoryError):
            return []


def _segments(key: str) -> list[str]:
    """Take a key apart. Raises: StoreDenied if it would leave the store's folder, or meet what is not an object."""
    segments = key.split("/")
    listing = segments[-1] == "."
    names = segments[:-1] if listing else segments
    if any(name in ("", ".", "..") or "\0" in name for name in names) or names[:1] == [OWN]:
        raise StoreDenied(
            f"{key!r}: not a key that a file may have: expected names separated by '/', none of them '..'"
        )
    return segments


def _enter(fd: int, name: str, *, create: bool) -> int:
    """Open a folder below an open one, which is closed. Raises: OSError, StoreDenied for a symbolic link."""
    if create:
        with suppress(FileExistsError):
            os.mkdir(name, 0o755, dir_fd=fd)
            os.fsync(fd)
    try:
        below = os.open(name, _FOLDER, dir_fd=fd)
    except NotADirectoryError:
        if stat.S_ISLNK(os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode):
            raise StoreDenied(f"{name}: a symbolic link within the store is not followed; remove it") from None
        raise
    os.close(fd)
    return below


def _is_ours(fd: int, path: Path) -> bool:
    """Lock a file that was opened, if nobody else has it, and it still is the one at this path."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(fd), path.stat())
    except (BlockingIOError, FileNotFoundError):  # whoever had it may have given it its key meanwhile
        return False


def _complete(source: BinaryIO, target: BinaryIO, report: OnBytes) -> None:
    """Write what a file lacks of another, and flush it to the disk."""
    same = _same_bytes(source, target)
    if same:
        report(Sent(same, found=True))
    source.seek(same)
    target.seek(same)
    target.truncate()
    for block in iter(lambda: source.read(BLOCK_BYTES), b""):
        target.write(block)
        target.flush()
        report(Sent(len(block)))
    os.fsync(target.fileno())


def _same_bytes(source: BinaryIO, target: BinaryIO) -> int:
    """Count the bytes that two files begin with alike, in whole blocks but for the last."""
    same = 0
    while block := target.read(BLOCK_BYTES):
        if block != source.read(len(block)):
            break
        same += len(block)
    return same


def _etag(body: bytes) -> str:
    # As S3's for an object put in one part: equal bytes have equal tags.
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
