"""A stage that asks for signatures: what it refuses, with what, and what it costs; and one that does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from handlers.inference.settings import InferenceSettings
from model_store import keys
from model_store.manifest import Manifest, render_manifest
from tests.build import manifests, models, signing
from tests.build.inference import World, env, infer_body
from warmstart import environment
from warmstart.errors import InvalidSetting

ANN, BOB = signing.ed25519(1), signing.p256(2)
INFER = "/v2/models/doubler/infer"
ALIAS = "GET models/doubler/aliases/live.json"
MANIFEST = "GET models/doubler/versions/1/manifest.json"
SIGNATURE = "GET models/doubler/versions/1/signature.json"
GRAPH = "DOWNLOAD models/doubler/versions/1/model.onnx"


def trusting(*signers: signing.PrivateKeyTypes) -> dict[str, str]:
    """The environment of a function that trusts these keys."""
    return {environment.SIGNED_BY: ",".join(signing.signer(key).public_key.text for key in signers)}


def doubler(version: int = 1, *, factor: float = 2.0) -> tuple[Manifest, bytes]:
    body = models.scale(factor)
    return manifests.manifest("doubler", version, body=body), body


def publish(world: World, version: int = 1, *, factor: float = 2.0, key: signing.PrivateKeyTypes | None = ANN) -> None:
    """Publish `doubler`: y = factor * x; signed, unless `key` is None."""
    described, body = doubler(version, factor=factor)
    if key is not None:
        signing.store_signature(world.store.objects, described, key=key)
    manifests.store_version(world.store.objects, described, body=body)
    manifests.store_alias(world.store.objects, "doubler", version)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A data plane that asks for Ann's signature."""
    return World(tmp_path, **trusting(ANN))


def test_a_signed_version_answers_for_one_more_request_before_anything_is_downloaded(world: World) -> None:
    publish(world)

    assert world.ask("POST", INFER, infer_body([1, 2])).json["outputs"][0]["data"] == [2.0, 4.0]
    assert world.store.requests == [ALIAS, MANIFEST, SIGNATURE, GRAPH]


def test_a_warm_invocation_asks_for_no_signature_again(world: World) -> None:
    publish(world)

    for _ in range(100):
        world.ask("POST", INFER, infer_body([1, 2]))

    assert len(world.store.requests) == 4


def test_where_none_is_asked_for_a_signature_is_not_even_read(tmp_path: Path) -> None:
    world = World(tmp_path)
    publish(world)

    world.ask("POST", INFER, infer_body([1, 2]))

    assert world.store.requests == [ALIAS, MANIFEST, GRAPH]


@pytest.mark.parametrize("path", [INFER, "/predict/doubler", "/v2/models/doubler/versions/1/infer"])
def test_an_unsigned_version_is_refused_before_anything_is_downloaded(world: World, path: str) -> None:
    publish(world, key=None)

    answered = world.ask("POST", path, infer_body([1, 2]))

    assert (answered.status, answered.headers["x-model-version"]) == (503, "1")
    assert GRAPH not in world.store.requests


@pytest.mark.parametrize("path", ["/v2/models/doubler", "/v2/models/doubler/ready"])
def test_neither_is_an_unsigned_version_described_or_ready(world: World, path: str) -> None:
    publish(world, key=None)

    assert world.ask("GET", path).status == 503


def test_a_refusal_says_what_is_missing_to_the_caller_and_in_the_log(world: World) -> None:
    publish(world, key=None)

    answered = world.ask("POST", "/predict/doubler", [1, 2])

    expected = f"model doubler:1: signature: expected one by key {signing.signer(ANN).public_key.key_id[:16]}, got none"
    assert answered.json["error"]["code"] == "unsigned"
    assert answered.json["error"]["message"].startswith(expected)
    line = world.logged()[-1]
    assert (line["level"], line["error"], line["model"], line["model_version"]) == ("ERROR", "unsigned", "doubler", "1")
    assert line["error_message"].startswith(expected)


def test_a_manifest_altered_in_the_store_is_refused(world: World) -> None:
    publish(world)
    key = keys.manifest("doubler", 1)
    altered = world.store.objects.get(key).body.replace(b'"labels": []', b'"labels": [1]')
    world.store.objects.put(key, altered)

    answered = world.ask("POST", "/predict/doubler", [1, 2])

    assert (answered.status, answered.json["error"]["code"]) == (503, "signature_invalid")
    assert "expected the manifest that was signed" in answered.json["error"]["message"]


def test_a_file_altered_with_its_manifest_is_refused(world: World) -> None:
    publish(world)
    described, body = doubler(factor=666.0)
    manifests.store_version(world.store.objects, described, body=body)

    assert world.ask("POST", "/predict/doubler", [1, 2]).json["error"]["code"] == "signature_invalid"
    assert GRAPH not in world.store.requests


def test_a_file_altered_alone_is_refused_by_its_digest(world: World) -> None:
    publish(world)
    world.store.objects.put(keys.artifact("doubler", 1, "model.onnx"), models.scale(3.0))

    assert world.ask("POST", "/predict/doubler", [1, 2]).json["error"]["code"] == "artifact_mismatch"


def test_the_signature_of_another_version_is_refused(world: World) -> None:
    publish(world)
    publish(world, 2, factor=3.0, key=None)
    world.store.objects.put(keys.signature("doubler", 2), world.store.objects.get(keys.signature("doubler", 1)).body)

    answered = world.ask("POST", "/predict/doubler", [1, 2])

    assert answered.json["error"]["code"] == "signature_invalid"
    assert "expected one of this version, got that of doubler:1" in answered.json["error"]["message"]


def test_a_signature_by_another_key_is_refused(world: World) -> None:
    publish(world, key=BOB)

    answered = world.ask("POST", "/predict/doubler", [1, 2])

    assert (answered.status, answered.json["error"]["code"]) == (503, "signature_invalid")


def test_while_keys_are_changed_both_are_trusted(tmp_path: Path) -> None:
    world = World(tmp_path, **trusting(ANN, BOB))
    publish(world, key=ANN)
    assert world.ask("POST", INFER, infer_body([1, 2])).status == 200

    publish(world, 2, factor=3.0, key=BOB)
    world.time_s += world.settings.alias_ttl_s

    assert world.ask("POST", INFER, infer_body([1, 2])).headers["x-model-version"] == "2"


def test_an_alias_that_moves_to_an_unsigned_version_is_refused_until_it_moves_on(world: World) -> None:
    publish(world)
    world.ask("POST", INFER, infer_body([1, 2]))
    publish(world, 2, factor=3.0, key=None)
    world.time_s += world.settings.alias_ttl_s

    assert [world.ask("POST", INFER, infer_body([1, 2])).status for _ in range(2)] == [503, 503]
    assert world.ask("POST", "/v2/models/doubler/versions/1/infer", infer_body([1, 2])).status == 200

    manifests.store_alias(world.store.objects, "doubler", 1)
    assert world.ask("POST", INFER, infer_body([1, 2])).headers["x-model-version"] == "1"


def test_a_store_that_is_down_before_the_signature_is_read_leaves_the_version_before_serving(world: World) -> None:
    publish(world)
    world.ask("POST", INFER, infer_body([1, 2]))
    publish(world, 2, factor=3.0)
    world.time_s += world.settings.alias_ttl_s
    world.store.is_down = True

    assert world.ask("POST", INFER, infer_body([1, 2])).headers["x-model-version"] == "1"


def bake(tmp_path: Path, *, key: signing.PrivateKeyTypes | None) -> None:
    described, body = doubler(factor=5.0)
    folder = tmp_path / "baked" / "doubler" / "1"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_bytes(render_manifest(described))
    (folder / "model.onnx").write_bytes(body)
    if key is not None:
        (folder / "signature.json").write_bytes(signing.seal(described, key=key))


def test_a_baked_version_brings_its_signature_along(world: World, tmp_path: Path) -> None:
    bake(tmp_path, key=ANN)
    world.store.is_down = True

    assert world.ask("POST", "/v2/models/doubler/versions/1/infer", infer_body([1, 2])).status == 200


@pytest.mark.parametrize(
    ("key", "message"), [(None, "got none"), (BOB, "got one by key")], ids=["unsigned", "another key"]
)
def test_a_baked_version_without_a_trusted_signature_is_refused(
    world: World, tmp_path: Path, key: signing.PrivateKeyTypes | None, message: str
) -> None:
    bake(tmp_path, key=key)

    answered = world.ask("POST", "/v2/models/doubler/versions/1/infer", infer_body([1, 2]))

    assert answered.status == 503
    assert message in answered.json["error"]


def test_a_baked_file_that_was_altered_is_refused(world: World, tmp_path: Path) -> None:
    bake(tmp_path, key=ANN)
    (tmp_path / "baked" / "doubler" / "1" / "model.onnx").write_bytes(models.scale(6.0))

    assert world.ask("POST", "/v2/models/doubler/versions/1/infer", infer_body([1, 2])).status == 503


@pytest.mark.parametrize("value", ["", "MFkw", f"{trusting(ANN)[environment.SIGNED_BY]},"])
def test_a_key_that_cannot_be_read_ends_the_init_phase(tmp_path: Path, value: str) -> None:
    with pytest.raises(InvalidSetting, match="WARMSTART_SIGNED_BY: public key: expected"):
        InferenceSettings.from_env(env(tmp_path, **{environment.SIGNED_BY: value}))
