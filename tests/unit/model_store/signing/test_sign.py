"""Keys of this machine: read, made, refused."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from model_store.manifest import render_manifest
from model_store.signing.sign import new_key, signer_for
from model_store.signing.statement import render_statement
from model_store.signing.verify import Trust
from tests.build import manifests, signing
from warmstart.errors import InvalidKey


def signs(path: Path, passphrase: str = "") -> bool:
    """Sign a version with a key's file, and check it with its public half."""
    signer = signer_for(str(path), passphrase=lambda: passphrase)
    described = manifests.manifest()
    body = render_manifest(described)
    sealed = signer.seal(render_statement(described, body, by="ann"))
    return Trust([signer.public_key]).check(sealed, body, "iris", 1).key_id == signer.public_key.key_id


def written(path: Path, body: bytes) -> Path:
    path.write_bytes(body)
    return path


@pytest.mark.parametrize("key", [signing.ed25519(), signing.p256()], ids=["ed25519", "ecdsa-p256"])
@pytest.mark.parametrize("passphrase", ["", "correct horse"], ids=["open", "encrypted"])
def test_a_key_in_a_file_signs(tmp_path: Path, key: signing.PrivateKeyTypes, passphrase: str) -> None:
    assert signs(written(tmp_path / "key.pem", signing.pem(key, passphrase)), passphrase)


def test_a_key_as_openssl_ecparam_writes_it_signs(tmp_path: Path) -> None:
    key = signing.p256()
    assert isinstance(key, EllipticCurvePrivateKey)
    sec1 = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )

    assert sec1.startswith(b"-----BEGIN EC PRIVATE KEY-----")
    assert signs(written(tmp_path / "key.pem", sec1))


def test_the_passphrase_is_asked_for_only_if_there_is_one(tmp_path: Path) -> None:
    path = written(tmp_path / "key.pem", signing.pem(signing.ed25519()))

    assert signer_for(str(path), passphrase=signing.nobody).public_key.algorithm == "ed25519"


@pytest.mark.parametrize("passphrase", ["wrong", ""])
def test_a_wrong_passphrase_is_refused(tmp_path: Path, passphrase: str) -> None:
    path = written(tmp_path / "key.pem", signing.pem(signing.ed25519(), "correct horse"))

    with pytest.raises(InvalidKey, match="and its passphrase if it has one"):
        signs(path, passphrase)


def test_a_key_that_is_not_there_is_refused_with_what_may_be_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidKey, match=r"No such file or directory; expected the private half .*, or awskms: and a"):
        signer_for(str(tmp_path / "none.pem"), passphrase=signing.nobody)


def test_what_is_no_private_key_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "key.pem", b"-----BEGIN PUBLIC KEY-----\n")

    with pytest.raises(InvalidKey, match="expected the private half of an ECDSA P-256 or Ed25519 key in PEM"):
        signs(path)


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "key.pem", signing.pem(rsa.generate_private_key(65537, 2048)))

    with pytest.raises(InvalidKey, match="got another kind of key"):
        signs(path)


@pytest.mark.parametrize("passphrase", ["", "correct horse"])
def test_a_new_key_signs_and_its_owner_alone_may_read_it(tmp_path: Path, passphrase: str) -> None:
    path = tmp_path / "key.pem"

    public = new_key(path, passphrase=passphrase)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (b"ENCRYPTED" in path.read_bytes()) is bool(passphrase)
    assert signer_for(str(path), passphrase=lambda: passphrase).public_key == public
    assert signs(path, passphrase)


def test_a_new_key_takes_the_place_of_no_other(tmp_path: Path) -> None:
    path = written(tmp_path / "key.pem", b"an older key")

    with pytest.raises(InvalidKey, match="File exists"):
        new_key(path)

    assert path.read_bytes() == b"an older key"


def test_an_envelope_has_nothing_but_what_dsse_says() -> None:
    described = manifests.manifest()
    envelope = json.loads(signing.seal(described))

    assert {name: sorted(envelope[name][0]) for name in ("signatures",)} == {"signatures": ["keyid", "sig"]}
    assert sorted(envelope) == ["payload", "payloadType", "signatures"]
