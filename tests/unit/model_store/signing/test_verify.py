"""What a signature says, and every way in which it is refused."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from securesystemslib.dsse import Envelope
from securesystemslib.signer import CryptoSigner, SSlibKey

from model_store import keys
from model_store.manifest import Manifest, ModelFile, RunOptions, Variant, render_manifest
from model_store.memory import MemoryObjects
from model_store.signing.envelope import parse_envelope
from model_store.signing.public_key import PublicKey, parse_public_key
from model_store.signing.statement import render_statement
from model_store.signing.verify import Trust, check_signature
from tests.build import manifests, signing
from warmstart.errors import InvalidKey, SignatureInvalid, Unsigned
from warmstart.refs import ModelRef

ANN, BOB = signing.ed25519(1), signing.ed25519(2)
BOTH = pytest.mark.parametrize("key", [signing.ed25519(1), signing.p256(1)], ids=["ed25519", "ecdsa-p256"])


def public(key: PrivateKeyTypes) -> PublicKey:
    return signing.signer(key).public_key


def trust(*private: PrivateKeyTypes) -> Trust:
    return Trust(public(key) for key in private)


def resealed(described: Manifest, change: Callable[[dict[str, Any]], object]) -> bytes:
    """A statement that was changed before a trusted key signed it."""
    document = json.loads(render_statement(described, render_manifest(described), by="ann"))
    change(document)
    return signing.signer(ANN).seal(json.dumps(document).encode())


def altered(envelope: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """An envelope that was changed after it was signed."""
    document = json.loads(envelope)
    change(document)
    return json.dumps(document).encode()


@BOTH
def test_a_signed_version_passes_and_says_who_signed_it_when(key: PrivateKeyTypes) -> None:
    described = manifests.manifest("iris", 3)

    signed = trust(key).check(signing.seal(described, key=key, by="ann"), render_manifest(described), "iris", 3)

    assert signed.key_id == public(key).key_id
    assert (signed.statement.published_by, signed.statement.published_at) == ("ann", manifests.CREATED_AT)


@BOTH
def test_the_library_that_others_use_finds_the_envelope_good(key: PrivateKeyTypes) -> None:
    envelope = Envelope.from_dict(json.loads(signing.seal(manifests.manifest(), key=key)))

    envelope.verify([SSlibKey.from_crypto(key.public_key(), keyid=public(key).key_id)], 1)

    assert envelope.payload_type == "application/vnd.in-toto+json"


def test_the_signed_bytes_are_those_of_the_dsse_specification() -> None:
    payload = base64.b64encode(b"hello world").decode()
    body = {"payloadType": "http://example.com/HelloWorld", "payload": payload, "signatures": []}

    signed = parse_envelope(json.dumps(body).encode()).signed

    assert signed == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


def test_the_subjects_are_the_manifest_and_every_file_of_the_version() -> None:
    described = manifests.manifest()._replace(
        variants=(Variant("arm64-neon", (ModelFile("arm64-neon/model.onnx", 1, "b" * 64),), RunOptions()),),
        documents=(ModelFile("gate.json", 1, "c" * 64),),
    )

    statement = json.loads(render_statement(described, b"the stored bytes", by="ann"))

    assert {subject["name"]: subject["digest"]["sha256"] for subject in statement["subject"]} == {
        "manifest.json": "d44ca8d681eb1b90af5674af6ddc7b19e12cfa6e114468e10872deec5bd1f5fd",
        "model.onnx": described.files[0].sha256,
        "arm64-neon/model.onnx": "b" * 64,
        "gate.json": "c" * 64,
    }


def test_the_predicate_holds_where_the_version_comes_from() -> None:
    described = manifests.manifest("iris", 3)._replace(provenance={"framework": "sklearn 1.7", "git_commit": "abc"})

    statement = json.loads(render_statement(described, b"", by="ann"))

    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicate"] == {
        "name": "iris",
        "version": 3,
        "published_at": manifests.CREATED_AT,
        "published_by": "ann",
        "provenance": {"framework": "sklearn 1.7", "git_commit": "abc"},
    }


def test_any_one_of_several_trusted_keys_suffices() -> None:
    described = manifests.manifest()

    assert trust(ANN, BOB).check(signing.seal(described, key=BOB), render_manifest(described), "iris", 1)


@BOTH
def test_another_key_is_refused(key: PrivateKeyTypes) -> None:
    described = manifests.manifest()
    expected = f"expected one by key {public(BOB).key_id[:16]}, got one by key '{public(key).key_id[:16]}'"

    with pytest.raises(SignatureInvalid, match=expected) as refused:
        trust(BOB).check(signing.seal(described, key=key), render_manifest(described), "iris", 1)

    assert refused.value.model == ModelRef("iris", 1, None)


def test_another_key_under_a_trusted_keys_id_is_refused() -> None:
    described = manifests.manifest()
    forged = altered(
        signing.seal(described, key=BOB, by="eve"),
        lambda envelope: envelope["signatures"][0].update(keyid=public(ANN).key_id),
    )

    with pytest.raises(SignatureInvalid, match="as it says; got altered bytes"):
        trust(ANN).check(forged, render_manifest(described), "iris", 1)


@BOTH
def test_a_byte_altered_in_the_manifest_is_refused(key: PrivateKeyTypes) -> None:
    described = manifests.manifest()
    body = render_manifest(described).replace(b'"size_bytes": 5', b'"size_bytes": 6')

    with pytest.raises(SignatureInvalid, match="expected the manifest that was signed, sha256"):
        trust(key).check(signing.seal(described, key=key), body, "iris", 1)


@BOTH
def test_a_byte_altered_in_the_statement_is_refused(key: PrivateKeyTypes) -> None:
    described = manifests.manifest()
    other = manifests.manifest(body=b"other")
    swapped = base64.b64encode(render_statement(other, render_manifest(other), by="ann")).decode()
    envelope = altered(signing.seal(described, key=key), lambda envelope: envelope.update(payload=swapped))

    with pytest.raises(SignatureInvalid, match="got altered bytes"):
        trust(key).check(envelope, render_manifest(other), "iris", 1)


@pytest.mark.parametrize(("name", "version"), [("iris", 2), ("lily", 1)])
def test_the_signature_of_another_version_is_refused(name: str, version: int) -> None:
    described = manifests.manifest("iris", 1)

    with pytest.raises(SignatureInvalid, match="expected one of this version, got that of iris:1"):
        trust(ANN).check(signing.seal(described, key=ANN), render_manifest(described), name, version)


def test_a_payload_of_another_type_is_refused() -> None:
    described = manifests.manifest()
    envelope = Envelope(render_statement(described, render_manifest(described), by="ann"), "text/plain", {})
    envelope.sign(CryptoSigner(ANN, SSlibKey.from_crypto(ANN.public_key(), keyid=public(ANN).key_id)))

    with pytest.raises(
        SignatureInvalid, match=r"expected a payload of application/vnd\.in-toto\+json, got 'text/plain"
    ):
        trust(ANN).check(json.dumps(envelope.to_dict()).encode(), render_manifest(described), "iris", 1)


def test_a_type_that_was_changed_after_signing_is_refused() -> None:
    described = manifests.manifest()
    envelope = Envelope(render_statement(described, render_manifest(described), by="ann"), "text/plain", {})
    envelope.sign(CryptoSigner(ANN, SSlibKey.from_crypto(ANN.public_key(), keyid=public(ANN).key_id)))
    document = envelope.to_dict() | {"payloadType": "application/vnd.in-toto+json"}

    with pytest.raises(SignatureInvalid, match="got altered bytes"):
        trust(ANN).check(json.dumps(document).encode(), render_manifest(described), "iris", 1)


def test_a_statement_of_another_kind_is_refused_though_a_trusted_key_signed_it() -> None:
    described = manifests.manifest()
    other = resealed(described, lambda statement: statement.update(predicateType="https://slsa.dev/provenance/v1"))

    with pytest.raises(SignatureInvalid, match=r"of 'https://slsa\.dev/provenance/v1'"):
        trust(ANN).check(other, render_manifest(described), "iris", 1)


@pytest.mark.parametrize(
    "change",
    [
        lambda statement: statement["subject"].clear(),
        lambda statement: statement["subject"].append(statement["subject"][0]),
        lambda statement: statement["predicate"].update(version="1"),
        lambda statement: statement["predicate"].update(version=True),
        lambda statement: statement["predicate"].pop("name"),
        lambda statement: statement.update(predicate=[]),
        lambda statement: statement.update(subject=None),
    ],
)
def test_a_statement_that_lacks_something_is_refused(change: Callable[[dict[str, Any]], object]) -> None:
    described = manifests.manifest()

    with pytest.raises(SignatureInvalid):
        trust(ANN).check(resealed(described, change), render_manifest(described), "iris", 1)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'"text"',
        b'{"payloadType": 1, "payload": "", "signatures": []}',
        b'{"payloadType": "application/vnd.in-toto+json", "payload": "", "signatures": []}',
        b'{"payloadType": "application/vnd.in-toto+json", "payload": "e30=", "signatures": [1]}',
        b'{"payloadType": "application/vnd.in-toto+json", "payload": "not base64!", "signatures": []}',
        b'{"payloadType": "application/vnd.in-toto+json", "payload": "e30=", "signatures": [{"sig": "!"}]}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_envelope_is_refused(body: bytes) -> None:
    described = manifests.manifest()

    with pytest.raises(SignatureInvalid, match="publish it again with --key"):
        trust(ANN).check(body, render_manifest(described), "iris", 1)


def test_no_signature_at_all_is_refused_by_another_name() -> None:
    described = manifests.manifest()

    with pytest.raises(Unsigned, match=f"expected one by key {public(ANN).key_id[:16]}, got none") as refused:
        check_signature(MemoryObjects(), render_manifest(described), "iris", 1, trust=trust(ANN))

    assert refused.value.model == ModelRef("iris", 1, None)


def test_the_signature_is_read_from_its_place_beside_the_manifest() -> None:
    described, objects = manifests.manifest(), MemoryObjects()
    signing.store_signature(objects, described, key=ANN)

    assert keys.signature("iris", 1) == "models/iris/versions/1/signature.json"
    assert (
        check_signature(objects, render_manifest(described), "iris", 1, trust=trust(ANN)).key_id == public(ANN).key_id
    )


def test_nobody_is_trusted_by_mistake() -> None:
    with pytest.raises(InvalidKey, match="expected at least one public key"):
        Trust([])


def test_a_point_beside_the_curve_is_refused() -> None:
    beside = base64.b64decode(public(signing.p256()).text)[:-1] + b"\x00"

    with pytest.raises(InvalidKey, match="not a point of its curve"):
        Trust([parse_public_key(base64.b64encode(beside).decode())])


@BOTH
def test_no_bit_of_an_envelope_can_be_turned_to_say_something_else(key: PrivateKeyTypes) -> None:
    described = manifests.manifest()
    body, sealed, trusting = render_manifest(described), signing.seal(described, key=key), trust(key)
    said = trusting.check(sealed, body, "iris", 1)

    for place in range(len(sealed)):
        for bit in (1, 2, 32):
            turned = sealed[:place] + bytes([sealed[place] ^ bit]) + sealed[place + 1 :]
            try:
                assert trusting.check(turned, body, "iris", 1) == said
            except SignatureInvalid:
                continue
