"""A key of KMS signs as one of this machine does, and KMS's refusals become ours."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePublicKey,
    derive_private_key,
)
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from model_store.manifest import render_manifest
from model_store.signing.envelope import parse_envelope
from model_store.signing.kms import Kms, kms_signer
from model_store.signing.public_key import public_key
from model_store.signing.sign import signer_for
from model_store.signing.statement import render_statement
from model_store.signing.verify import Trust
from tests.build import manifests
from tests.build.signing import nobody
from warmstart.errors import InvalidKey, Unreachable


@pytest.fixture
def kms(moto_url: str) -> Iterator[Any]:
    """A boto3 client of moto's KMS."""
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
    client = session.client("kms", endpoint_url=moto_url)
    yield client
    client.close()


def new(kms: Any, spec: str = "ECC_NIST_P256", usage: str = "SIGN_VERIFY") -> Mapping[str, Any]:
    """Make a key, and return what KMS says of it."""
    made: Mapping[str, Any] = kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]
    return made


class OneKey:
    """KMS as its API reference has it, of one key: of a DIGEST, the digest is what is signed."""

    def __init__(self) -> None:
        self._key = derive_private_key(7, SECP256R1())

    def get_public_key(self, *, KeyId: str) -> Mapping[str, Any]:  # noqa: N803 - KMS's names
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return {"KeyId": KeyId, "PublicKey": self._key.public_key().public_bytes(serialization.Encoding.DER, form)}

    def sign(self, *, KeyId: str, Message: bytes, MessageType: str, SigningAlgorithm: str) -> Mapping[str, Any]:  # noqa: N803
        assert (MessageType, SigningAlgorithm) == ("DIGEST", "ECDSA_SHA_256")
        return {"KeyId": KeyId, "Signature": self._key.sign(Message, ECDSA(Prehashed(SHA256())))}


def test_a_version_signed_by_kms_passes_with_the_key_that_kms_gives_out() -> None:
    described, kms = manifests.manifest(), OneKey()
    body = render_manifest(described)

    sealed = kms_signer("alias/ann", region=None, kms=kms).seal(render_statement(described, body, by="ann"))

    given = public_key(kms.get_public_key(KeyId="alias/ann")["PublicKey"])
    assert Trust([given]).check(sealed, body, "iris", 1).key_id == given.key_id


@pytest.mark.parametrize("name", ["KeyId", "Arn"])
def test_what_kms_is_sent_is_the_digest_of_what_dsse_signs(kms: Any, name: str) -> None:
    made = new(kms)

    envelope = parse_envelope(kms_signer(made[name], region=None, kms=kms).seal(b"a statement"))

    # moto takes a DIGEST for a message, and digests it again: its signature is of the digest that it was sent.
    given = load_der_public_key(kms.get_public_key(KeyId=made["KeyId"])["PublicKey"])
    assert isinstance(given, EllipticCurvePublicKey)
    given.verify(envelope.signatures[0].signature, hashlib.sha256(envelope.signed).digest(), ECDSA(SHA256()))


def test_a_key_is_found_by_its_alias(kms: Any) -> None:
    made = new(kms)
    kms.create_alias(AliasName="alias/publishers", TargetKeyId=made["KeyId"])
    try:
        named = kms_signer("alias/publishers", region=None, kms=kms)
    finally:
        kms.delete_alias(AliasName="alias/publishers")

    assert named.public_key == kms_signer(made["KeyId"], region=None, kms=kms).public_key


@pytest.mark.parametrize("prefix", ["awskms:", "awskms:///"], ids=["ours", "as cosign writes it"])
def test_a_key_is_asked_for_in_the_region_that_its_arn_says(
    moto_url: str, monkeypatch: pytest.MonkeyPatch, prefix: str
) -> None:
    for name, value in (("ENDPOINT_URL_KMS", moto_url), ("ACCESS_KEY_ID", "test"), ("SECRET_ACCESS_KEY", "test")):
        monkeypatch.setenv(f"AWS_{name}", value)
    client: Any = boto3.Session(region_name="eu-west-1").client("kms")
    made = new(client)
    client.close()

    found = signer_for(f"{prefix}{made['Arn']}", passphrase=nobody, region="us-east-1")

    assert found.public_key.algorithm == "ecdsa-p256"
    with pytest.raises(InvalidKey, match="kms:GetPublicKey"):
        signer_for(f"{prefix}{made['KeyId']}", passphrase=nobody, region="us-east-1")


def test_a_key_that_is_not_there_is_refused_with_what_is_needed(kms: Any) -> None:
    with pytest.raises(InvalidKey, match=r"awskms:nothing: expected an enabled key .* and the right kms:GetPublicKey"):
        kms_signer("nothing", region=None, kms=kms)


@pytest.mark.parametrize("spec", ["RSA_2048", "ECC_NIST_P384"])
def test_a_key_of_another_spec_is_refused(kms: Any, spec: str) -> None:
    made = new(kms, spec)

    with pytest.raises(InvalidKey, match=r"expected .*P-256.* got another kind of key"):
        kms_signer(made["KeyId"], region=None, kms=kms)


class NewerKey(OneKey):
    """A key of a kind that the library does not know yet: its algorithm's number is none of those."""

    def get_public_key(self, *, KeyId: str) -> Mapping[str, Any]:  # noqa: N803 - KMS's names
        return {"PublicKey": super().get_public_key(KeyId=KeyId)["PublicKey"].replace(b"\x2a\x86\x48", b"\x2a\x86\x49")}


def test_a_key_of_a_kind_that_is_not_known_here_is_refused() -> None:
    with pytest.raises(InvalidKey, match="awskms:new: expected one of the spec ECC_NIST_P256, got another"):
        kms_signer("new", region=None, kms=NewerKey())


class Refusing:
    """KMS that gives a public key out, and answers each request to sign with an error."""

    def __init__(self, kms: Kms, status: int, code: str) -> None:
        self._kms, self._status, self._code = kms, status, code

    def get_public_key(self, *, KeyId: str) -> Mapping[str, Any]:  # noqa: N803 - KMS's names
        return self._kms.get_public_key(KeyId=KeyId)

    def sign(self, **_: object) -> Mapping[str, Any]:
        answer: Any = {"Error": {"Code": self._code}, "ResponseMetadata": {"HTTPStatusCode": self._status}}
        raise ClientError(answer, "Sign")


@pytest.mark.parametrize(
    ("status", "code", "error", "message"),
    [
        (400, "AccessDeniedException", InvalidKey, "the right kms:Sign to it; got: .*AccessDeniedException"),
        (400, "DisabledException", InvalidKey, "expected an enabled key"),
        (500, "KMSInternalException", Unreachable, "KMS failed: .*; try again"),
        (400, "ThrottlingException", Unreachable, "KMS failed: .*; try again"),
    ],
)
def test_a_refusal_to_sign_says_what_is_missing(
    kms: Any, status: int, code: str, error: type[Exception], message: str
) -> None:
    signer = kms_signer(new(kms)["KeyId"], region=None, kms=Refusing(kms, status, code))

    with pytest.raises(error, match=message):
        signer.seal(b"a statement")
