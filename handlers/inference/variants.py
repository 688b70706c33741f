"""Which of a version's layouts this environment opens: the one for its own processor, or the portable one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from model_store.manifest import Manifest


class Variants:
    """Puts the files and run options of the processor's variant in the place of the portable ones.

    Where there is one thread (`threads`), no rows are few: there is nothing to open beside it.

    A layout made for another processor computes something else without saying so: only an equal name will do, the
    release of ONNX Runtime (`runtime`) included. `cpuinfo` reads /proc/cpuinfo, once, and only if a manifest has
    variants; `machine` is what `uname -m` says.
    """

    def __init__(self, *, cpuinfo: Callable[[], str], machine: str, runtime: str, threads: int) -> None:
        self._cpuinfo, self._machine, self._runtime, self._threads = cpuinfo, machine, runtime, threads
        self._known = False
        self._name: str | None = None

    def choose(self, manifest: Manifest) -> Manifest:
        """Return the manifest as this machine is to serve it."""
        found = self._of_processor(manifest)
        if self._threads > 1 or not found.run.single_thread_rows:
            return found
        return found._replace(run=found.run._replace(single_thread_rows=0))

    def _of_processor(self, manifest: Manifest) -> Manifest:
        if not manifest.variants:
            return manifest
        name = self._own_name()
        for variant in manifest.variants:
            if variant.processor == name:
                return manifest._replace(files=variant.files, run=variant.run)
        return manifest

    def _own_name(self) -> str | None:
        if not self._known:
            from warmstart.processor import layout_name  # only where a manifest has variants

            self._name = layout_name(self._cpuinfo(), self._machine, self._runtime)
            self._known = True
        return self._name


def read_cpuinfo() -> str:
    """Read what Linux says of the processors; nothing where it says nothing."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - on the cold path
            return file.read()
    except OSError:
        return ""
