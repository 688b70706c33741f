"""Public keys, in the form that KMS gives them: base64 of a SubjectPublicKeyInfo. No library is needed to read one.

Two kinds are read, each with one encoding of one length (RFC 5480, RFC 8410), so that a prefix tells them apart and
nothing is left to parse: ECDSA on P-256, which KMS signs with, and Ed25519.
"""

from __future__ import annotations

import binascii
import hashlib
from typing import Final, Literal, NamedTuple, TypeAlias

from warmstart.errors import InvalidKey

Algorithm: TypeAlias = Literal["ecdsa-p256", "ed25519"]

_P256: Final = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")
"""Before the point: a SEQUENCE of id-ecPublicKey with prime256v1, and a BIT STRING of 65 bytes."""
_UNCOMPRESSED: Final = 4
_ED25519: Final = bytes.fromhex("302a300506032b6570032100")
"""Before the key: a SEQUENCE of id-Ed25519, and a BIT STRING of 32 bytes."""
_ARMOUR: Final = ("-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----")

_EXPECTED: Final = (
    "expected the public half of an ECDSA P-256 or Ed25519 key, as base64 or PEM "
    "(`warmstart keys show KEY` prints it; so does `aws kms get-public-key --query PublicKey --output text`)"
)


class PublicKey(NamedTuple):
    """A key that signatures are checked with. `point` is the key proper: 65 bytes for P-256, 32 for Ed25519."""

    algorithm: Algorithm
    point: bytes
    key_id: str
    """sha256 of the key's DER, in hex: `openssl pkey -pubin -in key.pub -outform DER | sha256sum`."""

    @property
    def text(self) -> str:
        """The key as base64, in one line: what a stage's settings hold."""
        prefix = _P256 if self.algorithm == "ecdsa-p256" else _ED25519
        return binascii.b2a_base64(prefix + self.point, newline=False).decode()


def parse_public_key(text: str) -> PublicKey:
    """Read a public key from base64 or PEM. Raises: InvalidKey."""
    lines = text.split()
    if text.startswith(_ARMOUR[0]):
        lines = text.strip().removeprefix(_ARMOUR[0]).removesuffix(_ARMOUR[1]).split()
    try:
        der = binascii.a2b_base64("".join(lines), strict_mode=True)
    except (binascii.Error, ValueError) as error:
        # Not what came: it may be the private half.
        got = "a private key" if "PRIVATE KEY" in text else f"{len(text)} characters of something else"
        raise InvalidKey(f"public key: {_EXPECTED}; got {got}") from error
    return public_key(der)


def public_key(der: bytes) -> PublicKey:
    """Read a public key from its DER. Raises: InvalidKey."""
    key_id = hashlib.sha256(der).hexdigest()
    point = der.removeprefix(_P256)
    if len(point) == 65 and len(der) == len(_P256) + 65 and point[0] == _UNCOMPRESSED:
        return PublicKey("ecdsa-p256", point, key_id)
    point = der.removeprefix(_ED25519)
    if len(point) == 32 and len(der) == len(_ED25519) + 32:
        return PublicKey("ed25519", point, key_id)
    raise InvalidKey(f"public key: {_EXPECTED}; got {len(der)} bytes of another kind")
