"""Models that the stage names, fetched by a process beside the function's imports: alias, manifest, files.

A thread would stand still: the imports of numpy and ONNX Runtime hold the interpreter's lock nearly all the time, and
it wants that for each piece that comes. A copy of this process (`fork`) has an interpreter of its own. It is made while
there is one thread, fetches, tells what it has through a pipe, a line for each model, and ends.
"""

from __future__ import annotations

import json
import os
import select
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from handlers.inference.variants import read_cpuinfo
from model_store import keys
from model_store.integrity import digests_of, mapped_parts
from model_store.objects import Digests, ObjectReader, StoredObject
from model_store.registry_reader import RegistryReader
from warmstart.errors import WarmstartError
from warmstart.limits import SPARE_BYTES
from warmstart.processor import layout_name
from warmstart.refs import LIVE

if TYPE_CHECKING:
    from handlers.inference.settings import InferenceSettings
    from model_store.manifest import Manifest, ModelFile
    from warmstart.refs import ModelRef

LIMIT_S: Final = 6.0
"""How long the init phase waits for what is fetched: Lambda ends it after 10 s, and sessions are to be opened in it.

Source: Lambda developer guide, "Understanding the Lambda execution environment lifecycle".
"""
AHEAD: Final = "warmstart-ahead"
DIGESTING_THREADS: Final = 2
"""A session is opened by one thread meanwhile, of a machine of two processors."""
_PIPE_BYTES: Final = 65_536


def free_bytes(folder: Path) -> int:
    """Return what may still be written to a folder's disk."""
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize


class Source(ObjectReader, Protocol):
    """A store that leaves digests to who asks, if told so; `model_store.s3_reader.S3Reader` is one."""

    def download(self, key: str, path: Path, *, size_bytes: int, digests: bool = True) -> Digests:
        """Write an object to a file; without `digests` none are returned. Raises: as `ObjectReader.download`."""
        ...


class Ahead:
    """An `ObjectReader` that has some objects already: each is given once, then the store is asked as ever.

    It checks nothing: who reads from it checks what it gets, as if it came from the store. Files lie in `folder`.
    """

    def __init__(self, reader: ObjectReader, folder: Path) -> None:
        self._reader, self._folder = reader, folder
        self._objects: dict[str, StoredObject] = {}
        self._files: dict[str, tuple[str, Digests]] = {}

    def add(self, objects: dict[str, list[str]], files: dict[str, tuple[str, Digests]]) -> None:
        """Keep what was fetched: bodies in Latin-1 and entity tags of objects, names and digests of files, by key."""
        self._objects |= {key: StoredObject(body.encode("latin-1"), etag) for key, (body, etag) in objects.items()}
        self._files |= files

    def close(self) -> None:
        """Keep nothing any longer: the disk is for models that are asked for."""
        self._objects.clear()
        self._files.clear()
        for path in self._folder.iterdir() if self._folder.is_dir() else ():
            with suppress(OSError):  # an earlier process's, that goes meanwhile
                path.unlink()

    def get(self, key: str) -> StoredObject:
        """Read an object whole."""
        found = self._objects.pop(key, None)
        return self._reader.get(key) if found is None else found

    def get_if_changed(self, key: str, etag: str) -> StoredObject | None:
        """Read an object unless it still has this entity tag."""
        return self._reader.get_if_changed(key, etag)

    def keys(self, prefix: str) -> Iterator[str]:
        """List all keys under a prefix, in order."""
        return self._reader.keys(prefix)

    def download(self, key: str, path: Path, *, size_bytes: int) -> Digests:
        """Move what is there to its place, else write it there."""
        found = self._files.pop(key, None)
        if found is None:
            return self._reader.download(key, path, size_bytes=size_bytes)
        name, digests = found
        (self._folder / name).replace(path)
        return digests


class Fetching:
    """What the process beside does. Files go to `folder`; `is_late` says when to begin nothing more.

    Large weights are digested once the model was told of: a session is opened on them meanwhile.
    `cpuinfo` and `machine` say what processor this is.
    """

    def __init__(
        self,
        reader: Source,
        folder: Path,
        *,
        models_dir: Path,
        cpuinfo: str,
        machine: str,
        is_late: Callable[[], bool],
        free_bytes: Callable[[Path], int] = free_bytes,
    ) -> None:
        self._reader, self._folder, self._models_dir = reader, folder, models_dir
        self._cpuinfo, self._machine, self._is_late, self._free_bytes = cpuinfo, machine, is_late, free_bytes
        self._registry = RegistryReader(self)
        self._objects: dict[str, tuple[str, str]] = {}
        self._files: dict[str, tuple[str, Digests]] = {}
        self._weights: dict[str, Sequence[memoryview]] = {}
        self._names = map(str, count())

    def lines(self, refs: Iterable[ModelRef]) -> Iterator[bytes]:
        """Fetch models; of each that was begun, a line of JSON with all that is there of it, and what went wrong.

        Then one for each file of its weights, with the digests.
        """
        for ref in refs:
            if self._is_late():
                return
            self._objects, self._files, self._weights, trouble = {}, {}, {}, ""
            try:
                self._fetch(ref)
            except (WarmstartError, OSError) as error:
                trouble = str(error)
            told = {"ref": str(ref), "objects": self._objects, "files": self._files, "trouble": trouble}
            yield json.dumps(told | {"weights": list(self._weights)}).encode() + b"\n"
            for key, parts in self._weights.items():
                yield json.dumps({"key": key, "digests": digests_of(parts, DIGESTING_THREADS)}).encode() + b"\n"

    def get(self, key: str) -> StoredObject:
        """Read an object and keep it. Raises: as `ObjectReader.get`."""
        found = self._reader.get(key)
        self._objects[key] = (found.body.decode("latin-1"), found.etag)
        return found

    def get_if_changed(self, key: str, etag: str) -> StoredObject | None:
        """Read an object unless it still has this entity tag."""
        return self._reader.get_if_changed(key, etag)

    def keys(self, prefix: str) -> Iterator[str]:
        """List all keys under a prefix, in order."""
        return self._reader.keys(prefix)

    def download(self, key: str, path: Path, *, size_bytes: int) -> Digests:
        """Write an object to a file."""
        return self._reader.download(key, path, size_bytes=size_bytes)

    def _fetch(self, ref: ModelRef) -> None:
        version = ref.version
        if version is None:
            version = self._registry.alias_state(ref.name, ref.alias or LIVE).version
        if (self._models_dir / ref.name / str(version)).is_dir():
            return
        manifest = self._registry.manifest(ref.name, version)
        files = _likely_files(manifest, self._cpuinfo, self._machine)
        self._folder.mkdir(parents=True, exist_ok=True)
        # Where they go they may lie beside what an earlier process left: half of the disk is as far as this goes.
        if self._free_bytes(self._folder) < 2 * sum(file.size_bytes for file in files) + SPARE_BYTES:
            return
        for file in files:
            if self._is_late():
                return
            key, name = keys.artifact(manifest.name, version, file.path), next(self._names)
            path, is_later = self._folder / name, bool(file.parts) and file.path.rpartition("/")[2] == keys.WEIGHTS
            digests = self._reader.download(key, path, size_bytes=file.size_bytes, digests=not is_later)
            self._files[key] = (name, digests)
            if is_later:
                self._weights[key] = mapped_parts(path)  # before it is told of, and moved


class Preloading:
    """Has models fetched from now on. `lines` is called in a copy of this process; `clock` gives monotonic seconds."""

    def __init__(
        self,
        refs: Sequence[ModelRef],
        lines: Callable[[], Iterable[bytes]],
        reader: Ahead,
        *,
        clock: Callable[[], float],
    ) -> None:
        self.reader = reader
        self._refs, self._clock, self._until = refs, clock, clock() + LIMIT_S
        self._troubles: dict[str, str] = {}
        self._digests: dict[str, Sequence[str]] = {}
        self._received, self._has_ended = b"", False
        self._beside = _beside(lines)

    def finish(self, load: Callable[[ModelRef], object], warn: Callable[[str], None]) -> None:
        """Wait for what is fetched, then open the models; what fails is warned of, and left to the first request."""
        for ref in self._refs:
            self._hear(partial(self._troubles.__contains__, str(ref)))
            if str(ref) not in self._troubles and self._clock() < self._until:
                warn(f"preload {ref}: was not fetched beside the imports, and is fetched now")
            trouble = self._troubles.get(str(ref)) or self._load(ref, load)
            if trouble:
                warn(f"preload {ref}: {trouble}; the first request tries again")
        self._leave()
        self.reader.close()

    def _hear(self, is_enough: Callable[[], bool]) -> None:
        """Take in what is told, until it is enough, or all, or late."""
        while not is_enough() and (line := self._line()) is not None:
            told = json.loads(line)
            if "digests" in told:
                self._digests[told["key"]] = told["digests"]
            else:
                files = {key: (name, digests) for key, (name, digests) in told["files"].items()}
                files |= {key: (files[key][0], partial(self._wait, key)) for key in told["weights"]}
                self.reader.add(told["objects"], files)
                self._troubles[told["ref"]] = told["trouble"]

    def _wait(self, key: str) -> Sequence[str] | None:
        """Return the digests of weights; None if they do not come in time, or never."""
        self._hear(partial(self._digests.__contains__, key))
        return self._digests.get(key)

    def _line(self) -> bytes | None:
        """Return the next line that comes in time."""
        if self._beside is None:
            return None
        _, pipe = self._beside
        while not self._has_ended and b"\n" not in self._received:
            if (left_s := self._until - self._clock()) <= 0 or not _is_readable(pipe, left_s):
                return None
            piece = os.read(pipe, _PIPE_BYTES)
            self._received += piece
            self._has_ended = not piece
        line, end, self._received = self._received.partition(b"\n")
        return line if end else None

    def _leave(self) -> None:
        """See that the process has ended."""
        if self._beside is None:
            return
        process, pipe = self._beside
        os.close(pipe)
        with suppress(ProcessLookupError, ChildProcessError):  # where the system itself takes leave of what has ended
            if not self._has_ended:
                os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
        self._has_ended = True

    def _load(self, ref: ModelRef, load: Callable[[ModelRef], object]) -> Exception | str | None:
        if self._clock() >= self._until:
            return f"expected to be fetched within {LIMIT_S:g} s of init, got no further"
        try:
            load(ref)
        except (WarmstartError, OSError) as error:
            return error
        return None


def start(settings: InferenceSettings, reader: Source) -> Preloading:
    """Fetch what the settings name, for this machine."""
    until, parent = time.monotonic() + LIMIT_S, os.getpid()
    folder = settings.tmp_dir / AHEAD
    fetching = Fetching(
        reader,
        folder,
        models_dir=settings.models_dir,
        cpuinfo=read_cpuinfo(),
        machine=os.uname().machine,
        is_late=lambda: time.monotonic() >= until or os.getppid() != parent,
    )
    return Preloading(
        settings.preload, lambda: fetching.lines(settings.preload), Ahead(reader, folder), clock=time.monotonic
    )


def _beside(lines: Callable[[], Iterable[bytes]]) -> tuple[int, int] | None:
    """Have lines written by a copy of this process; return its number, and where they can be read.

    None where the system allows no copy: the models are fetched when they are loaded, with a warning.
    """
    ends: tuple[int, ...] = ()
    try:
        ends = read_end, write_end = os.pipe()
        process = os.fork()
    except OSError:
        for end in ends:
            os.close(end)
        return None
    if process:
        os.close(write_end)
        return process, read_end
    status = 1
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(int(LIMIT_S) + 1)  # whatever becomes of who waits, this ends
        os.close(read_end)
        with open(write_end, "wb", buffering=0) as pipe:  # noqa: PTH123 - a number, not a path
            for line in lines():
                while line:
                    line = line[pipe.write(line) :]
        status = 0
    except Exception:  # noqa: BLE001 - the log has its trace; whoever waits sees that nothing comes
        from traceback import print_exc

        print_exc()
    finally:
        os._exit(status)  # nothing else of the process that this is a copy of may run here


def _is_readable(pipe: int, patience_s: float) -> bool:
    """Wait for bytes, or the end."""
    waiting = select.poll()
    waiting.register(pipe, select.POLLIN)
    return bool(waiting.poll(patience_s * 1000))


def _likely_files(manifest: Manifest, cpuinfo: str, machine: str) -> tuple[ModelFile, ...]:
    """Return the layout for this processor, made for any release of ONNX Runtime: ours is not imported yet.

    What is opened is chosen later, by the whole name: a guess that is wrong has cost a download.
    """
    for variant in manifest.variants:
        release = variant.processor.rpartition("-ort")[2]
        if variant.processor == layout_name(cpuinfo, machine, release):
            return variant.files
    return manifest.files
