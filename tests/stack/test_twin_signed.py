"""A stage that asks for signatures, on the twin: from the key in its settings to what a caller gets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from local.process import TwinProcess
from model_store import keys
from model_store.gate import publish_file
from model_store.signing.sign import Signer
from tests.build import models, signing
from tests.build.twin_client import Answer, infer, store

ANN, BOB = signing.signer(signing.p256(1)), signing.signer(signing.ed25519(2))


@pytest.fixture(scope="module")
def signed_twin(twin: TwinProcess) -> Iterator[TwinProcess]:
    """The twin with `require_signature` and Ann's key; as it was afterwards."""
    asked = (("require_signature", "true"), ("signing_public_keys", ANN.public_key.text))
    replace(twin.cdk, context=(*twin.cdk.context, *asked)).deploy(update=True)
    yield twin
    twin.cdk.deploy(update=True)


def publish(twin: TwinProcess, folder: Path, name: str, signer: Signer | None) -> None:
    """Publish y = 2x."""
    source = folder / "model.onnx"
    source.write_bytes(models.scale(2.0))
    publish_file(source, name, store(twin), signer=signer)


def ask(twin: TwinProcess, name: str) -> Answer:
    return infer(twin.address, name, "x", "FP32", [1.0, 2.0], [1, 2])


def test_what_the_key_signed_answers(signed_twin: TwinProcess, tmp_path: Path) -> None:
    publish(signed_twin, tmp_path, "signed", ANN)

    answer = ask(signed_twin, "signed")

    assert (answer.status, answer.body["outputs"][0]["data"]) == (200, [2.0, 4.0])


@pytest.mark.parametrize(
    ("name", "signer", "message"),
    [("unsigned", None, "got none; publish it again with --key"), ("by-bob", BOB, "got one by key '")],
    ids=["unsigned", "another key"],
)
def test_what_it_did_not_sign_is_refused_clearly(
    signed_twin: TwinProcess, tmp_path: Path, name: str, signer: Signer | None, message: str
) -> None:
    publish(signed_twin, tmp_path, name, signer)

    answer = ask(signed_twin, name)

    assert (answer.status, answer.headers["x-model-version"]) == (503, "1")
    assert f"expected one by key {ANN.public_key.key_id[:16]}" in answer.body["error"]
    assert message in answer.body["error"]


def test_one_byte_altered_in_the_stored_manifest_is_refused(signed_twin: TwinProcess, tmp_path: Path) -> None:
    publish(signed_twin, tmp_path, "altered", ANN)
    objects, key = store(signed_twin), keys.manifest("altered", 1)
    objects.put(key, objects.get(key).body.replace(b'"labels": []', b'"labels": [ ]'))

    answer = ask(signed_twin, "altered")

    assert answer.status == 503
    assert "expected the manifest that was signed" in answer.body["error"]
