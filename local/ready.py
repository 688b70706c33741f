"""The ready file: where a running twin is, in JSON, for scripts."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from dataclasses import asdict
from pathlib import Path

from local.types import TwinAddress


def write(path: Path, address: TwinAddress) -> None:
    """Write it atomically, readable by its owner alone: it holds the API key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # 0600, as mkstemp makes files
    with os.fdopen(handle, "w") as file:
        json.dump(asdict(address), file, indent=2)
        file.write("\n")
    Path(partial).replace(path)


def read(path: Path) -> TwinAddress:
    """Read it back. Raises: OSError; ValueError or TypeError where it is not a ready file."""
    return TwinAddress(**json.loads(path.read_text()))


def remove(path: Path, address: TwinAddress) -> None:
    """Remove it, if it is there and still says this address: a twin that was started later may have taken it over."""
    with contextlib.suppress(OSError, ValueError, TypeError):
        if read(path) == address:
            path.unlink(missing_ok=True)
