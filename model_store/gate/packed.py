"""A request's arrays as bytes, on their way to a process of its own: an npz archive, text as fixed-width Unicode."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model_store.convert.source import Batch


def pack(batch: Batch) -> bytes:
    """Write arrays as a session takes them. Their names are the first array: as npz's own, some would be refused."""
    archive = io.BytesIO()
    arrays = (array.astype(np.str_) if array.dtype.kind == "O" else array for array in batch.values())
    np.savez(archive, np.array(list(batch), np.str_), *arrays)
    return archive.getvalue()


def unpack(body: bytes) -> dict[str, NDArray[Any]]:
    """Read what `pack` wrote; text is objects again."""
    with np.load(io.BytesIO(body), allow_pickle=False) as stored:
        names, *arrays = (stored[name] for name in stored.files)
    return {
        name: array.astype(object) if array.dtype.kind == "U" else array
        for name, array in zip(names.tolist(), arrays, strict=True)
    }
