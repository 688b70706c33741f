"""Sign with an asymmetric key of AWS KMS: the private half never leaves it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Protocol

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_public_key
from securesystemslib.signer import Key, SecretsHandler, Signature, SSlibKey
from securesystemslib.signer import Signer as LibrarySigner

from model_store.signing.sign import KMS, EnvelopeSigner, library_key, public_key_of
from warmstart.errors import InvalidKey, Unreachable

_ALGORITHM: Final = "ECDSA_SHA_256"
"""What KMS calls ECDSA with SHA-256, of a key of spec ECC_NIST_P256 (KMS API reference, Sign)."""


class Kms(Protocol):
    """What is asked of KMS; boto3's client is one."""

    def get_public_key(self, *, KeyId: str) -> Mapping[str, Any]:  # noqa: N803 - KMS's names
        """Return the public half, as DER."""
        ...

    def sign(self, *, KeyId: str, Message: bytes, MessageType: str, SigningAlgorithm: str) -> Mapping[str, Any]:  # noqa: N803
        """Sign a digest."""
        ...


class _KmsSigner(LibrarySigner):
    """The library's `AWSSigner`, on a client that is given: a key's ARN says which region is asked."""

    def __init__(self, key: str, public: SSlibKey, kms: Kms) -> None:
        self._key, self._public, self._kms = key, public, kms

    @classmethod
    def from_priv_key_uri(
        cls, priv_key_uri: str, public_key: Key, secrets_handler: SecretsHandler | None = None
    ) -> LibrarySigner:
        """Not a way to make one. Raises: NotImplementedError."""
        raise NotImplementedError(f"{priv_key_uri}: use kms_signer")

    @property
    def public_key(self) -> Key:
        """The public half."""
        return self._public

    def sign(self, payload: bytes) -> Signature:
        """Have KMS sign a digest of the payload: it takes no more than 4,096 bytes of a message itself."""
        digest = hashlib.sha256(payload).digest()
        with _asking(self._key, "kms:Sign"):
            answer = self._kms.sign(KeyId=self._key, Message=digest, MessageType="DIGEST", SigningAlgorithm=_ALGORITHM)
        return Signature(self._public.keyid, answer["Signature"].hex())


def kms_signer(key: str, *, region: str | None, kms: Kms | None = None) -> EnvelopeSigner:
    """Sign with the key of this id, ARN or `alias/...`; `kms` is made of the environment's credentials unless given.

    Raises: InvalidKey if it is of another kind, not there, or not ours to use; Unreachable.
    """
    with _asking(key, "kms:GetPublicKey"):
        kms = kms or _client(key, region)
        der: bytes = kms.get_public_key(KeyId=key)["PublicKey"]
    try:
        native = load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm) as error:  # of kinds that are newer than the library
        raise InvalidKey(f"key {KMS}{key}: expected one of the spec ECC_NIST_P256, got another: {error}") from error
    public = public_key_of(native, f"{KMS}{key}")
    if public.algorithm != "ecdsa-p256":
        raise InvalidKey(f"key {KMS}{key}: expected one of the spec ECC_NIST_P256, got {public.algorithm}")
    return EnvelopeSigner(_KmsSigner(key, library_key(native, public), kms), public)


def _client(key: str, region: str | None) -> Kms:
    parts = key.split(":")
    own = parts[3] if key.startswith("arn:") and len(parts) > 3 else region
    client: Kms = boto3.Session(region_name=own).client("kms")
    return client


@contextmanager
def _asking(key: str, right: str) -> Iterator[None]:
    """Translate KMS's errors."""
    try:
        yield
    except ClientError as error:
        answer = error.response
        if answer["ResponseMetadata"]["HTTPStatusCode"] >= 500 or answer["Error"]["Code"] == "ThrottlingException":
            raise Unreachable(f"key {KMS}{key}: KMS failed: {error}; try again") from error
        raise InvalidKey(
            f"key {KMS}{key}: expected an enabled key of the spec ECC_NIST_P256 for SIGN_VERIFY, and the right "
            f"{right} to it; got: {error}"
        ) from error
    except BotoCoreError as error:
        raise Unreachable(f"key {KMS}{key}: KMS is not reachable: {error}; check region and credentials") from error
