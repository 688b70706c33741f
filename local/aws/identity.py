"""Names, ids and secrets that AWS would draw at random, derived from a seed: the same seed, the same values.

A twin with `--data` keeps its seed there, so that the API key of yesterday still opens the door today.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b32encode
from pathlib import Path
from typing import Final

_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_SEED_BYTES: Final = 32
_SEED: list[bytes] = [secrets.token_bytes(_SEED_BYTES)]


def keep_seed(folder: Path) -> None:
    """Use the seed in this folder; draw one, readable by the owner alone, if there is none."""
    path = folder / "seed"
    folder.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        partial = path.with_suffix(".partial")
        partial.touch(mode=0o600)
        partial.write_bytes(secrets.token_bytes(_SEED_BYTES))
        partial.replace(path)
    _SEED[0] = path.read_bytes()


def _digest(kind: str, name: str) -> bytes:
    return hmac.digest(_SEED[0], f"{kind}\0{name}".encode(), "sha512")


def secret(kind: str, name: str) -> str:
    """Return 40 letters and digits that only the seed's owner can derive: an API key's value."""
    return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in _digest(kind, name)[:40])


def identifier(kind: str, name: str) -> str:
    """Return 10 lower-case letters and digits, as API Gateway's ids look."""
    return b32encode(_digest(f"{kind}-id", name)).decode().lower()[:10]


def physical_name(stack: str, logical_id: str, *, limit: int) -> str:
    """Return the name that CloudFormation would generate, `stack-logicalid-suffix`; its suffix is derived."""
    suffix = b32encode(hashlib.sha256(f"{stack}\0{logical_id}".encode()).digest()).decode()[:12]
    return f"{stack}-{logical_id}"[: limit - len(suffix) - 1] + f"-{suffix}"
