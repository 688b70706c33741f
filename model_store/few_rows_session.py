"""A model of which few rows are computed by one thread and many by all: waking threads takes longer than a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from model_store.preprocessing.session import Runs


class FewRowsSession:
    """Stands where an `InferenceSession` stands. May be used by several threads at once.

    `one` is a session of one thread, which computes up to `rows` rows. `open_all` opens the one for more, when they
    first come.
    """

    def __init__(self, one: Runs, rows: int, open_all: Callable[[], Runs]) -> None:
        self._one, self._most, self._open_all = one, rows, open_all
        self._all: Runs | None = None
        self._lock = Lock()

    def get_inputs(self) -> Sequence[Any]:
        """Describe the inputs."""
        return self._one.get_inputs()

    def get_outputs(self) -> Sequence[Any]:
        """Describe the outputs."""
        return self._one.get_outputs()

    def run(self, output_names: Sequence[str], input_feed: Mapping[str, Any]) -> list[Any]:
        """Compute the outputs asked for, in this order. Raises: what the sessions raise, and what opening does."""
        for array in input_feed.values():
            if (shape := array.shape) and shape[0] > self._most:  # of no dimension: one row
                return self._of_all().run(output_names, input_feed)
            break
        return self._one.run(output_names, input_feed)

    def _of_all(self) -> Runs:
        with self._lock:
            if self._all is None:
                self._all = self._open_all()
            return self._all
