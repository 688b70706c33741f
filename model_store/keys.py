"""Names of places in the store; nothing else builds a key.

models/{name}/versions/{n}/claim.json        written first: the number belongs to one publisher
models/{name}/versions/{n}/signature.json    written before the manifest, whose bytes it signs; not there if unsigned
models/{name}/versions/{n}/manifest.json     written last: a version without it does not exist
models/{name}/versions/{n}/...               artifact files and documents, named in the manifest with size and sha256
models/{name}/aliases/{alias}.json           {"version": n, ...}; moved by If-Match
models/{name}/tags/{n}.json                  what people say of a version: changes, by If-Match
models/{name}/traffic.json                   routes of a rollout
models/{name}/history/...                    every alias change, one object each
uploads/{sha256}                             a large file on its way into a version; gone when it is there
"""

from __future__ import annotations

from typing import Final

MODELS: Final = "models/"
UPLOADS: Final = "uploads/"
MANIFEST: Final = "manifest.json"
CLAIM: Final = "claim.json"
SIGNATURE: Final = "signature.json"
GATE: Final = "gate.json"
STATISTICS: Final = "statistics.json"
CONSTRAINTS: Final = "constraints.json"
GOLDEN: Final = "golden.json"
WEIGHTS: Final = "weights.bin"
"""A file of tensors beside the graph, as the gate names it: nothing in it is parsed."""
RESERVED: Final = frozenset({CLAIM, MANIFEST, SIGNATURE, GATE, STATISTICS, CONSTRAINTS, GOLDEN})
"""Names that no file of a model may have."""


def model(name: str) -> str:
    """Prefix of all that belongs to a model."""
    return f"{MODELS}{name}/"


def versions(name: str) -> str:
    """Prefix of a model's versions."""
    return f"{MODELS}{name}/versions/"


def version(name: str, number: int) -> str:
    """Prefix of one version."""
    return f"{MODELS}{name}/versions/{number}/"


def manifest(name: str, number: int) -> str:
    """Key of a version's manifest."""
    return f"{MODELS}{name}/versions/{number}/{MANIFEST}"


def signature(name: str, number: int) -> str:
    """Key of a version's signature."""
    return f"{MODELS}{name}/versions/{number}/{SIGNATURE}"


def claim(name: str, number: int) -> str:
    """Key of a number's claim."""
    return f"{MODELS}{name}/versions/{number}/{CLAIM}"


def artifact(name: str, number: int, path: str) -> str:
    """Key of one of a version's files."""
    return f"{MODELS}{name}/versions/{number}/{path}"


def tags(name: str) -> str:
    """Prefix of what is said of a model's versions."""
    return f"{MODELS}{name}/tags/"


def tags_of(name: str, number: int) -> str:
    """Key of what is said of one version."""
    return f"{MODELS}{name}/tags/{number}.json"


def traffic(name: str) -> str:
    """Key of a model's routes."""
    return f"{MODELS}{name}/traffic.json"


def upload(sha256: str) -> str:
    """Key of a file on its way, by its content."""
    return f"{UPLOADS}{sha256}"


def aliases(name: str) -> str:
    """Prefix of a model's aliases."""
    return f"{MODELS}{name}/aliases/"


def alias(name: str, alias_name: str) -> str:
    """Key of an alias."""
    return f"{MODELS}{name}/aliases/{alias_name}.json"


def history_of(name: str) -> str:
    """Prefix of a model's recorded changes."""
    return f"{MODELS}{name}/history/"


def history(name: str, event_id: str) -> str:
    """Key of one recorded change."""
    return f"{MODELS}{name}/history/{event_id}.json"
