"""Find an interpreter of a minor version on this machine: one that runs, not only one that has the name."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import NamedTuple

from layers.target import host_python


class Interpreter(NamedTuple):
    """A CPython on this machine."""

    path: str
    version: str
    """Full, `3.13.1`."""


RUNNING = Interpreter(sys.executable, sys.version.split()[0])
"""The one that runs this."""


def find_interpreter(minor: str) -> Interpreter | None:
    """Return the running interpreter or `pythonX.Y` of the path, if it is a CPython of that minor version."""
    if minor == host_python():
        return RUNNING
    if (path := shutil.which(f"python{minor}")) is None:
        return None
    script = "import sys; print(sys.implementation.name, sys.version.split()[0])"
    # A version manager's shim has the name even where the version is not chosen: it fails.
    done = subprocess.run([path, "-I", "-S", "-c", script], capture_output=True, text=True, check=False)
    name, _, version = done.stdout.strip().partition(" ")
    return Interpreter(path, version) if name == "cpython" and version.startswith(f"{minor}.") else None
