"""Is a version the one that a trusted key signed? On the inference function's cold path, if its stage asks for it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias, assert_never

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from model_store import keys
from model_store.signing.envelope import PAYLOAD_TYPE, Envelope, parse_envelope
from model_store.signing.statement import Statement, parse_statement
from warmstart.errors import InvalidKey, ObjectNotFound, SignatureInvalid, Unsigned
from warmstart.refs import ModelRef

if TYPE_CHECKING:
    from model_store.objects import ObjectReader
    from model_store.signing.public_key import PublicKey

_REMEDY: Final = "publish it again with --key, or move the alias to a version that a trusted key signed"

_Native: TypeAlias = EllipticCurvePublicKey | Ed25519PublicKey


class Signed(NamedTuple):
    """Who signed a version, and what they said of it."""

    key_id: str
    statement: Statement


class Trust:
    """The keys that a reader trusts: a version passes if any one of them signed it."""

    def __init__(self, public_keys: Iterable[PublicKey]) -> None:
        """Raises: InvalidKey if there is none, or one is no point of its curve."""
        self._keys: Mapping[str, _Native] = {key.key_id: _native(key) for key in public_keys}
        if not self._keys:
            raise InvalidKey("expected at least one public key to check signatures with, got none")

    def check(self, signature: bytes, manifest: bytes, name: str, version: int) -> Signed:
        """Check that an envelope was signed by a trusted key, and is about these bytes as this version's manifest.

        Raises: SignatureInvalid.
        """
        try:
            return self._check(signature, manifest, name, version)
        except ValueError as error:
            refused = SignatureInvalid(f"model {name}:{version}: signature: {error}; {_REMEDY}")
            refused.model = ModelRef(name, version, None)
            raise refused from error

    def missing(self, name: str, version: int) -> Unsigned:
        """Say that a version has no signature, as an error to raise."""
        refused = Unsigned(f"model {name}:{version}: signature: expected one by {self}, got none; {_REMEDY}")
        refused.model = ModelRef(name, version, None)
        return refused

    def __str__(self) -> str:
        return " or ".join(f"key {key_id[:16]}" for key_id in self._keys)

    def _check(self, signature: bytes, manifest: bytes, name: str, version: int) -> Signed:
        envelope = parse_envelope(signature)
        if envelope.payload_type != PAYLOAD_TYPE:
            raise ValueError(f"expected a payload of {PAYLOAD_TYPE}, got {envelope.payload_type!r:.80}")
        key_id = self._signer(envelope)
        statement = parse_statement(envelope.payload)
        if (statement.name, statement.version) != (name, version):
            raise ValueError(f"expected one of this version, got that of {statement.name}:{statement.version}")
        if (digest := hashlib.sha256(manifest).hexdigest()) != statement.manifest_sha256:
            raise ValueError(f"expected the manifest that was signed, sha256 {statement.manifest_sha256}, got {digest}")
        return Signed(key_id, statement)

    def _signer(self, envelope: Envelope) -> str:
        """Find the trusted key that signed. The id beside a signature only says which key to try."""
        known = [sealed for sealed in envelope.signatures if sealed.key_id in self._keys]
        for sealed in known:
            if _verifies(self._keys[sealed.key_id], sealed.signature, envelope.signed):
                return sealed.key_id
        if known:
            raise ValueError(f"expected that of key {known[0].key_id[:16]}, as it says; got altered bytes")
        got = " and ".join(f"key {sealed.key_id[:16]!r}" for sealed in envelope.signatures[:3]) or "nobody"
        raise ValueError(f"expected one by {self}, got one by {got}")


def check_signature(objects: ObjectReader, manifest: bytes, name: str, version: int, *, trust: Trust) -> Signed:
    """Read a version's signature, one request, and check it. `manifest` are the bytes that the store holds.

    Raises: Unsigned, SignatureInvalid, StoreError.
    """
    try:
        signature = objects.get(keys.signature(name, version)).body
    except ObjectNotFound:
        raise trust.missing(name, version) from None
    return trust.check(signature, manifest, name, version)


def _native(key: PublicKey) -> _Native:
    try:
        match key.algorithm:
            case "ecdsa-p256":
                return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), key.point)
            case "ed25519":
                return Ed25519PublicKey.from_public_bytes(key.point)
            case _:
                assert_never(key.algorithm)
    except ValueError as error:
        raise InvalidKey(f"public key {key.key_id[:16]}: not a point of its curve: {error}; export it again") from error


def _verifies(key: _Native, signature: bytes, message: bytes) -> bool:
    try:
        match key:
            case EllipticCurvePublicKey():
                key.verify(signature, message, ECDSA(SHA256()))
            case Ed25519PublicKey():
                key.verify(signature, message)
            case _:
                assert_never(key)
    except InvalidSignature:
        return False
    return True
