"""Public keys as text."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ec import SECP256K1, SECP384R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from model_store.signing.public_key import parse_public_key, public_key
from tests.build import signing
from warmstart.errors import InvalidKey

P256 = (  # RFC 6979, A.2.5
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Z5"
    "A/4QCLi8maQa6elWKLxk8vGyDC1+n1F3o8KU1EYimQ=="
)
ED25519 = "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="  # RFC 8032, 7.1, test 1


def der(key: PrivateKeyTypes, form: PublicFormat = PublicFormat.SubjectPublicKeyInfo) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, form)


@pytest.mark.parametrize(("text", "algorithm"), [(P256, "ecdsa-p256"), (ED25519, "ed25519")])
def test_a_key_is_read_from_base64_and_written_the_same(text: str, algorithm: str) -> None:
    key = parse_public_key(text)

    assert (key.algorithm, key.text) == (algorithm, text)


def test_a_key_is_read_from_pem_with_lines_of_any_length() -> None:
    pem = f"-----BEGIN PUBLIC KEY-----\n{P256[:64]}\n{P256[64:]}\n-----END PUBLIC KEY-----\n"

    assert parse_public_key(pem) == parse_public_key(P256)


def test_a_keys_id_is_the_digest_of_its_der() -> None:
    key = signing.p256()

    assert public_key(der(key)).key_id == hashlib.sha256(der(key)).hexdigest()


@pytest.mark.parametrize(
    "key",
    [
        derive_private_key(5, SECP384R1()),
        derive_private_key(5, SECP256K1()),
        X25519PrivateKey.from_private_bytes(bytes(32)),
        rsa.generate_private_key(65537, 2048),
    ],
    ids=["P-384", "secp256k1", "X25519", "RSA"],
)
def test_a_key_of_another_kind_is_refused(key: PrivateKeyTypes) -> None:
    with pytest.raises(
        InvalidKey, match=r"expected the public half of an ECDSA P-256 or Ed25519 key.* of another kind"
    ):
        public_key(der(key))


@pytest.mark.parametrize("text", ["", "no base64", P256[:-4], f"{P256}{P256}", P256.replace("=", ""), f"ssh {ED25519}"])
def test_text_that_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidKey):
        parse_public_key(text)


def test_a_private_key_in_the_place_of_a_public_one_is_refused_and_not_repeated() -> None:
    pem = signing.pem(signing.ed25519()).decode()

    with pytest.raises(InvalidKey, match=r"got a private key$"):
        parse_public_key(pem)
    with pytest.raises(InvalidKey) as refused:
        parse_public_key(pem.splitlines()[1])
    assert pem.splitlines()[1][:24] not in refused.value.message
