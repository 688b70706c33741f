"""What tests over several stores share."""

from __future__ import annotations

from typing import NamedTuple

from model_store.objects import ObjectReader, ObjectStore

MIB = 1024 * 1024


class Pair(NamedTuple):
    """An implementation's reading half, and a store that writes to the same place."""

    reader: ObjectReader
    store: ObjectStore
