"""Publishing with a key: what is written, in which order, and what a plan and its signer must agree on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from model_store import keys
from model_store.gate import apply, plan_file, publish_file
from model_store.gate.candidate import Candidate, Layout
from model_store.gate.plan import PublishPlan, SignManifest, WriteManifest, plan_publish
from model_store.manifest import RunOptions
from model_store.memory import MemoryObjects
from model_store.signing.sign import Signer
from model_store.signing.verify import Trust, check_signature
from tests.build import manifests, models, signing
from tests.build.stores import Watched
from tests.build.ticking import Ticking
from warmstart.errors import UnsupportedModel

ANN, BOB = signing.signer(signing.ed25519(1)), signing.signer(signing.ed25519(2))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "model.onnx"
    path.write_bytes(models.scale())
    return path


def run(plan: PublishPlan, objects: MemoryObjects, signer: Signer | None) -> None:
    ticking = Ticking()
    apply(plan, objects, by="ann", clock=ticking.clock, new_id=ticking.new_id, signer=signer)


def test_the_plan_names_the_key_and_signs_before_the_manifest(source: Path) -> None:
    plan = plan_file(source, "iris", MemoryObjects(), key_id=ANN.public_key.key_id)

    assert plan.steps[2:4] == (SignManifest(ANN.public_key.key_id), WriteManifest())


def test_without_a_key_nothing_is_signed(source: Path) -> None:
    objects = MemoryObjects()
    publish_file(source, "iris", objects)

    assert keys.signature("iris", 1) not in set(objects.keys("models/"))


def test_the_signature_is_there_before_the_version_is_visible(source: Path) -> None:
    objects, written = MemoryObjects(), list[str]()
    watched = Watched(objects, after=lambda operation, key: written.append(key) if operation == "put" else None)

    publish_file(source, "iris", watched, signer=ANN)

    assert [key.rpartition("/")[2] for key in written[:3]] == ["claim.json", "signature.json", "manifest.json"]


def test_the_signature_is_of_the_manifest_as_it_is_stored(source: Path) -> None:
    objects = MemoryObjects()
    published = publish_file(source, "iris", objects, signer=ANN, by="ann")
    stored = objects.get(keys.manifest("iris", 1)).body

    signed = check_signature(objects, stored, "iris", 1, trust=Trust([ANN.public_key]))

    assert (signed.key_id, signed.statement.published_by) == (ANN.public_key.key_id, "ann")
    assert signed.statement.published_at == published.manifest.created_at


def test_the_private_key_is_nowhere_in_the_store(source: Path) -> None:
    objects = MemoryObjects()
    publish_file(source, "iris", objects, signer=ANN)
    secret = signing.pem(signing.ed25519(1)).split(b"\n")[1]

    assert not [key for key in objects.keys("") if secret in objects.get(key).body]
    assert set(json.loads(objects.get(keys.signature("iris", 1)).body)) == {"payload", "payloadType", "signatures"}


@pytest.mark.parametrize("signer", [None, BOB], ids=["nobody", "another key"])
def test_a_plan_that_signs_is_not_carried_out_without_its_key(source: Path, signer: Signer | None) -> None:
    objects = MemoryObjects()
    plan = plan_file(source, "iris", objects, key_id=ANN.public_key.key_id)

    with pytest.raises(ValueError, match="needs its signer"):
        run(plan, objects, signer)

    assert keys.manifest("iris", 1) not in set(objects.keys("models/"))


@pytest.mark.parametrize("name", ["manifest.json", "signature.json", "claim.json"])
def test_a_file_may_not_take_the_place_of_what_the_store_writes(source: Path, name: str) -> None:
    layout = Layout((("model.onnx", source), (name, source)), RunOptions())
    candidate = Candidate(signature=manifests.IDENTITY, layout=layout)

    with pytest.raises(UnsupportedModel, match=f"expected another name than {name}"):
        plan_publish(candidate, "iris", MemoryObjects())
