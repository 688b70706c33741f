"""Sign a version's statement: a DSSE envelope, made by securesystemslib with a local key or one of KMS."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from model_store.signing.envelope import PAYLOAD_TYPE
from model_store.signing.public_key import PublicKey, public_key
from warmstart.errors import InvalidKey, Unreachable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
    from securesystemslib.signer import Signer as LibrarySigner
    from securesystemslib.signer import SSlibKey

KMS: Final = "awskms:"
"""What the name of a KMS key starts with, as securesystemslib and cosign have it."""

_EXPECTED: Final = (
    "expected the private half of an ECDSA P-256 or Ed25519 key in PEM (`warmstart keys new FILE` makes one)"
)


class Signer(Protocol):
    """Whoever holds a private key."""

    @property
    def public_key(self) -> PublicKey:
        """What the signatures are checked with."""
        ...

    def seal(self, statement: bytes) -> bytes:
        """Put a statement into a signed envelope. Raises: InvalidKey, Unreachable if KMS does not sign."""
        ...


class EnvelopeSigner:
    """Seals with a signer of securesystemslib."""

    def __init__(self, signer: LibrarySigner, public: PublicKey) -> None:
        self._signer, self._public = signer, public

    @property
    def public_key(self) -> PublicKey:
        """What the signatures are checked with."""
        return self._public

    def seal(self, statement: bytes) -> bytes:
        """Put a statement into a signed envelope. Raises: InvalidKey, Unreachable if KMS does not sign."""
        from securesystemslib.dsse import Envelope

        envelope = Envelope(statement, PAYLOAD_TYPE, {})
        envelope.sign(self._signer)
        return json.dumps(envelope.to_dict(), indent=2).encode()


def signer_for(text: str, *, passphrase: Callable[[], str], region: str | None = None) -> Signer:
    """Find the key that a user names: a PEM file's path, or `awskms:` with a key's id, ARN or `alias/...`.

    `passphrase` is asked only if the file is encrypted; `region` is that of a KMS key whose name does not say it.
    Raises: InvalidKey; Unreachable if a package is missing or KMS does not answer.
    """
    if text.startswith(KMS):
        try:
            from model_store.signing.kms import kms_signer
        except ImportError as error:
            raise lacking(error) from error
        return kms_signer(text.removeprefix(KMS).lstrip("/"), region=region)
    path = Path(text)
    try:
        pem = path.read_bytes()
    except OSError as error:
        raise InvalidKey(f"key {text}: {error.strerror}; {_EXPECTED}, or {KMS} and a key of KMS") from error
    return local_signer(pem, where=text, passphrase=passphrase)


def local_signer(pem: bytes, *, where: str, passphrase: Callable[[], str]) -> Signer:
    """Sign with a private key in PEM. Raises: InvalidKey, Unreachable if a package is missing."""
    try:
        from securesystemslib.signer import CryptoSigner
    except ImportError as error:
        raise lacking(error) from error
    private = _private_key(pem, where, passphrase)
    public = public_key_of(private.public_key(), where)
    return EnvelopeSigner(CryptoSigner(private, library_key(private.public_key(), public)), public)


def new_key(path: Path, *, passphrase: str = "") -> PublicKey:
    """Write a new Ed25519 key, PKCS #8 in PEM, that its owner alone may read; an existing file is left alone.

    Raises: InvalidKey, Unreachable if a package is missing.
    """
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    except ImportError as error:
        raise lacking(error) from error
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption(),
    )
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
    except OSError as error:
        raise InvalidKey(
            f"key {path}: {error.strerror}; expected a new file in a folder that can be written"
        ) from error
    return public_key_of(private.public_key(), str(path))


def public_key_of(key: PublicKeyTypes, where: str) -> PublicKey:
    """Read the public half of a key. Raises: InvalidKey if it is of another kind than those that are served."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    try:
        return public_key(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    except InvalidKey as error:
        raise InvalidKey(f"key {where}: {_EXPECTED}, got another kind of key") from error


def library_key(key: PublicKeyTypes, public: PublicKey) -> SSlibKey:
    """Wrap a public key for securesystemslib, under our id."""
    from securesystemslib.signer import SSlibKey

    return SSlibKey.from_crypto(key, keyid=public.key_id)


def lacking(error: ImportError) -> Unreachable:
    """Say which line installs what signing needs."""
    return Unreachable(f"signing needs {error.name}; pip install 'warmstart[sign]'")


def _private_key(pem: bytes, where: str, passphrase: Callable[[], str]) -> PrivateKeyTypes:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        try:
            return load_pem_private_key(pem, None)
        except TypeError:  # it is encrypted
            return load_pem_private_key(pem, passphrase().encode())
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InvalidKey(f"key {where}: {_EXPECTED}, and its passphrase if it has one; got: {error}") from error
