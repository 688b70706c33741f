"""Open sessions, kept warm: least recently used ones make room under a budget, one opening per model at a time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple, Protocol

from warmstart import limits
from warmstart.errors import InsufficientMemory
from warmstart.protocols.wire import quick

if TYPE_CHECKING:
    from model_store.manifest import Manifest
    from warmstart.tensors import Tensor

Key = tuple[str, int]


class Session(Protocol):
    """One model, open. May be used by several threads at once."""

    def run(self, outputs: Sequence[str], inputs: Mapping[str, Tensor]) -> list[Tensor]:
        """Compute the outputs asked for, in this order; none means all of them. Raises: InferenceFailed."""
        ...


class Files(Protocol):
    """Where a model's files come from."""

    def fetch(self, manifest: Manifest, close_idle: Callable[[], bool]) -> Path:
        """Have all files on this disk; return the graph's path. They stay until `release`.

        `close_idle` may be called to have the files of a session that nobody uses released; it says whether it did.
        Raises: IntegrityError, StoreError, InsufficientMemory.
        """
        ...

    def confirm(self, manifest: Manifest) -> None:
        """Check what `fetch` left unchecked. Raises: IntegrityError."""
        ...

    def release(self, manifest: Manifest) -> None:
        """Say that no session needs the files any more."""
        ...


OpenSession = Callable[[Path, "Manifest"], Session]
"""Open a session on a graph. Raises: ModelNotLoadable."""


class Opening(NamedTuple):
    """What opening a session took. `graph` is the file in the version: it says whose layout this environment took."""

    downloading_ns: int
    loading_ns: int
    graph: str


class Ran(NamedTuple):
    """One inference. `opened` is None if the session was open already; `open_sessions` counts all."""

    outputs: list[Tensor]
    run_ns: int
    opened: Opening | None
    open_sessions: int


class _Entry:
    """An open session. `users` has an item per request in it: one is taken off in one step, without the lock."""

    __slots__ = ("cost_bytes", "manifest", "session", "users")

    def __init__(self, session: Session, manifest: Manifest, cost_bytes: int) -> None:
        self.session, self.manifest, self.cost_bytes = session, manifest, cost_bytes
        self.users: list[None] = []


class SessionCache:
    """Runs models, opening each on first use. A session in use is never closed.

    `clock_ns` gives monotonic nanoseconds.
    """

    def __init__(
        self, *, files: Files, open_session: OpenSession, budget_bytes: int, clock_ns: Callable[[], int]
    ) -> None:
        self._files, self._open_session, self._clock_ns = files, open_session, clock_ns
        self._budget_bytes = budget_bytes
        self._bytes = 0
        self._entries: OrderedDict[Key, _Entry] = OrderedDict()
        self._lock = Lock()
        self._opening: dict[Key, Lock] = {}

    def run(self, manifest: Manifest, outputs: Sequence[str], inputs: Mapping[str, Tensor]) -> Ran:
        """Compute outputs, opening the model first if need be.

        Raises: InferenceFailed, ModelNotLoadable, InsufficientMemory, IntegrityError, StoreError.
        """
        opened = None
        key = (manifest.name, manifest.version)
        with self._lock:  # `_find`, and `_release` below, without a call of either
            if (entry := self._entries.get(key)) is not None:
                entry.users.append(None)
                self._entries.move_to_end(key)
        if entry is None:
            entry, opened = self._acquire(manifest)
        clock_ns = self._clock_ns
        try:
            started = clock_ns()
            arrays = entry.session.run(outputs, inputs)
            run_ns = clock_ns() - started
        finally:
            entry.users.pop()
            if self._bytes > self._budget_bytes:
                self._shrink_to_budget()
        return quick(Ran, (arrays, run_ns, opened, len(self._entries)))

    def load(self, manifest: Manifest) -> Opening | None:
        """Have a model open; None if it was. Raises: as `run`, without InferenceFailed."""
        entry, opened = self._acquire(manifest)
        self._release(entry)
        return opened

    def is_open(self, manifest: Manifest) -> bool:
        """Say whether a model is open."""
        return (manifest.name, manifest.version) in self._entries

    def _acquire(self, manifest: Manifest) -> tuple[_Entry, Opening | None]:
        key = (manifest.name, manifest.version)
        if (entry := self._find(key)) is not None:
            return entry, None
        with self._lock:
            opening = self._opening.setdefault(key, Lock())
        with opening:
            if (entry := self._find(key)) is not None:
                return entry, None
            return self._open(key, manifest)

    def _find(self, key: Key) -> _Entry | None:
        with self._lock:
            if (entry := self._entries.get(key)) is not None:
                entry.users.append(None)
                self._entries.move_to_end(key)
            return entry

    def _open(self, key: Key, manifest: Manifest) -> tuple[_Entry, Opening]:
        if (lacking_bytes := manifest.size_bytes - self._budget_bytes) > 0:
            raise InsufficientMemory(
                f"model {manifest.name}:{manifest.version}: expected files of at most {_mb(self._budget_bytes)} MB, "
                f"got {_mb(manifest.size_bytes)} MB; give the function at least {_mb(lacking_bytes)} MB more memory"
            )
        sessions = 2 if manifest.run.single_thread_rows else 1
        cost_bytes = int(limits.SESSION_WEIGHT * manifest.size_bytes * sessions)
        with self._lock:
            self._shrink(self._budget_bytes - cost_bytes)
        started = self._clock_ns()
        path = self._files.fetch(manifest, self._close_idle)
        fetched = self._clock_ns()
        opened = False
        try:
            try:
                session = self._open_session(path, manifest)
            finally:  # also of one that cannot be opened: bytes that are not the model's may be why
                self._files.confirm(manifest)
            opened = True
        finally:
            if not opened:
                self._files.release(manifest)
        entry = _Entry(session, manifest, cost_bytes)
        entry.users.append(None)
        with self._lock:
            self._entries[key] = entry
            self._bytes += cost_bytes
        return entry, Opening(fetched - started, self._clock_ns() - fetched, manifest.files[0].path)

    def _release(self, entry: _Entry) -> None:
        entry.users.pop()
        if self._bytes > self._budget_bytes:
            self._shrink_to_budget()

    def _shrink_to_budget(self) -> None:
        with self._lock:
            self._shrink(self._budget_bytes, keep=1)

    def _shrink(self, limit_bytes: int, *, keep: int = 0) -> None:
        """Close idle sessions, least recently used first, down to a limit, or until all left are in use.

        `keep` are left open however large: a model above its estimate is not opened anew for each request.
        """
        for key in [key for key, entry in self._entries.items() if not entry.users]:
            if self._bytes <= limit_bytes or len(self._entries) <= keep:
                return
            self._close(key)

    def _close_idle(self) -> bool:
        """Close the least recently used idle session, as the disk has no room; False if all are in use."""
        with self._lock:
            idle = next((key for key, entry in self._entries.items() if not entry.users), None)
            if idle is not None:
                self._close(idle)
        return idle is not None

    def _close(self, key: Key) -> None:
        entry = self._entries.pop(key)
        self._bytes -= entry.cost_bytes
        self._files.release(entry.manifest)


def _mb(size_bytes: int) -> int:
    return -(-size_bytes // (1024 * 1024))
