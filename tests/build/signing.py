"""Keys and signed versions."""

from __future__ import annotations

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes as PrivateKeyTypes

from model_store import keys
from model_store.manifest import Manifest, render_manifest
from model_store.objects import ObjectStore
from model_store.signing.sign import Signer, local_signer
from model_store.signing.statement import render_statement


def ed25519(number: int = 1) -> PrivateKeyTypes:
    """The Ed25519 key of this number."""
    return Ed25519PrivateKey.from_private_bytes(number.to_bytes(32))


def p256(number: int = 1) -> PrivateKeyTypes:
    """The P-256 key of this number."""
    return derive_private_key(number, SECP256R1())


def pem(key: PrivateKeyTypes, passphrase: str = "") -> bytes:
    """A private key as a file holds it."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption(),
    )


def nobody() -> str:
    """Asked for a passphrase where none is needed."""
    raise AssertionError("a passphrase was asked for")


def signer(key: PrivateKeyTypes | None = None) -> Signer:
    """A signer with a key, the first Ed25519 one unless another is given."""
    return local_signer(pem(key or ed25519()), where="a test's key", passphrase=nobody)


def seal(described: Manifest, *, by: str = "ann", key: PrivateKeyTypes | None = None) -> bytes:
    """The signature of a manifest."""
    return signer(key).seal(render_statement(described, render_manifest(described), by=by))


def store_signature(objects: ObjectStore, described: Manifest, *, key: PrivateKeyTypes | None = None) -> None:
    """Put a version's signature into a store."""
    objects.put(keys.signature(described.name, described.version), seal(described, key=key))
