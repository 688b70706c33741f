"""The registry of models on S3 or a disk: manifests, versions, aliases; and the gate that a model comes in by.

    from model_store import open_store, publish

    publish(estimator, name="iris", store="file:///models", sample=X)

The functions come when they are asked for: the inference function imports this package, and needs neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from model_store.gate.publish import publish
    from model_store.stores import open_store

__all__ = ["open_store", "publish"]


def __getattr__(name: str) -> Any:
    if name == "publish":
        from model_store.gate.publish import publish

        return publish
    if name == "open_store":
        from model_store.stores import open_store

        return open_store
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
