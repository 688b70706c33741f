"""DSSE envelopes, as they are read: what is signed is the payload with its type (DSSE protocol v1.0.2)."""

from __future__ import annotations

import binascii
import json
from typing import Any, Final, NamedTuple

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
"""An in-toto statement in an envelope (in-toto attestation framework, "Envelope layer specification")."""


class Sealed(NamedTuple):
    """One signature. The key's id is a hint, and not signed."""

    key_id: str
    signature: bytes


class Envelope(NamedTuple):
    """A payload, its type, and who signed the two."""

    payload_type: str
    payload: bytes
    signatures: tuple[Sealed, ...]

    @property
    def signed(self) -> bytes:
        """The bytes that the signatures are of: DSSE's pre-authentication encoding."""
        kind = self.payload_type.encode()
        return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(self.payload), self.payload)


def parse_envelope(body: bytes) -> Envelope:
    """Read an envelope from JSON. Raises: ValueError if it is none."""
    try:
        document = json.loads(body)
        return Envelope(
            _text(document["payloadType"]),
            _bytes(document["payload"]),
            tuple(Sealed(_text(entry.get("keyid", "")), _bytes(entry["sig"])) for entry in document["signatures"]),
        )
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{type(error).__name__} {error}") from error


def _text(value: Any) -> str:
    if type(value) is not str:
        raise TypeError(f"expected text, got {value!r:.80}")
    return value


def _bytes(value: Any) -> bytes:
    return binascii.a2b_base64(_text(value), strict_mode=True)  # binascii.Error is a ValueError
