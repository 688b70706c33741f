"""The public keys that a command line names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from warmstart.errors import Unreachable

if TYPE_CHECKING:
    from model_store.signing.verify import Trust


def trust_of(keys: Sequence[str] | None) -> Trust | None:
    """Read public keys, each a file's path or base64; None if there are none. Raises: InvalidKey, Unreachable."""
    if not keys:
        return None
    from model_store.signing.public_key import parse_public_key

    try:
        from model_store.signing.verify import Trust
    except ImportError as error:
        raise Unreachable(f"checking signatures needs {error.name}; pip install 'warmstart[sign]'") from error
    return Trust(parse_public_key(_text(key)) for key in keys)


def _text(key: str) -> str:
    path = Path(key)
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else key
