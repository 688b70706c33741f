"""What differs between two versions, fact by fact."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from model_store import keys
from model_store.manifest import Manifest, ModelFile, RunOptions, render_manifest
from model_store.memory import MemoryObjects
from model_store.operations.diff import Difference, diff
from model_store.registry import Registry
from tests.build.manifests import manifest, store_version
from tests.build.ticking import Ticking
from warmstart.errors import InvalidManifest, VersionNotFound
from warmstart.refs import ModelRef
from warmstart.tensors import Signature, TensorSpec

WIDER = Signature((TensorSpec("x", "FP32", (-1, 4)),), (TensorSpec("z", "FP32", (-1, 2)),))


def registry(objects: MemoryObjects) -> Registry:
    ticking = Ticking()
    return Registry(objects, clock=ticking.clock, new_id=ticking.new_id)


def differences(objects: MemoryObjects) -> list[tuple[Any, ...]]:
    found = diff(registry(objects), ModelRef.parse("iris:1"), ModelRef.parse("iris:2"))
    assert (str(found.before), str(found.after)) == ("iris:1", "iris:2")
    return [tuple(each) for each in found.differences]


def with_gate(objects: MemoryObjects, described: Manifest, steps: list[dict[str, Any]]) -> None:
    body = json.dumps({"report_version": "1.0", "steps": steps}).encode()
    file = ModelFile("gate.json", len(body), hashlib.sha256(body).hexdigest())
    objects.put(keys.artifact(described.name, described.version, "gate.json"), body)
    store_version(objects, described._replace(documents=(file,)))


def test_versions_of_the_same_content_do_not_differ() -> None:
    objects = MemoryObjects()
    for version in (1, 2):
        store_version(objects, manifest(version=version))

    assert differences(objects) == []


def test_signature_labels_size_files_and_options_are_compared() -> None:
    objects = MemoryObjects()
    store_version(objects, manifest(version=1, labels=("a", "b")))
    other = manifest(version=2, body=b"longer graph", signature=WIDER, labels=("a", "c"))
    store_version(
        objects, other._replace(run=RunOptions(optimise=False), provenance={"git_commit": "abc"}), body=b"longer graph"
    )

    assert differences(objects) == [
        ("signature", "input x", "FP32 [-1, 2]", "FP32 [-1, 4]"),
        ("signature", "output y", "FP32 [-1, 2]", None),
        ("signature", "output z", None, "FP32 [-1, 2]"),
        ("labels", "labels", "a, b", "a, c"),
        ("size", "size_bytes", 5, 12),
        ("files", "model.onnx size_bytes", 5, 12),
        (
            "files",
            "model.onnx sha256",
            hashlib.sha256(b"graph").hexdigest(),
            hashlib.sha256(b"longer graph").hexdigest(),
        ),
        ("run", "optimise", True, False),
        ("provenance", "git_commit", None, "abc"),
    ]


def test_what_the_gate_measured_is_compared_and_how_long_it_took_is_not() -> None:
    objects = MemoryObjects()
    for version, drop, status in ((1, 1e-7, "passed"), (2, 2e-7, "passed")):
        outputs = [{"name": "z", "max_absolute": 0.0}, {"name": "y", "max_absolute": drop}]
        steps: list[dict[str, Any]] = [
            {"step": "parity", "status": status, "seconds": version, "summary": "", "figures": {"outputs": outputs}},
            {"step": "parity", "status": status, "seconds": version, "summary": "", "figures": {"rows": 10 * version}},
            {
                "step": "forecast",
                "status": status,
                "figures": {"by_memory": [{"memory_mb": 512, "sizes": [1, version]}]},
            },
        ]
        with_gate(objects, manifest(version=version), steps)

    assert differences(objects) == [
        ("gate", "parity.outputs[y].max_absolute", 1e-7, 2e-7),
        ("gate", "parity 2.rows", 10, 20),
        ("gate", "forecast.by_memory[512].sizes", "1, 1", "1, 2"),
    ]


def test_single_rows_layouts_not_published_and_other_sizes_are_left_to_the_report() -> None:
    objects = MemoryObjects()
    for version in (1, 2):
        layouts = [
            {"layout": "a", "kept": False, "load_ms": version},
            {"layout": "b", "kept": True, "load_ms": version},
        ]
        sizes = [{"memory_mb": 512, "warm_ms": version}, {"memory_mb": 1769, "warm_ms": version}]
        steps: list[dict[str, Any]] = [
            {
                "step": "parity",
                "status": "passed",
                "figures": {"y": {"worst": [version], "log10_difference": [version]}},
            },
            {"step": "optimise", "status": "passed", "figures": {"layouts": layouts}},
            {
                "step": "forecast",
                "status": "passed",
                "figures": {"target": {"memory_mb": 1769}, "by_memory": sizes},
            },
        ]
        with_gate(objects, manifest(version=version), steps)

    assert differences(objects) == [
        ("gate", "optimise.layouts[b].load_ms", 1, 2),
        ("gate", "forecast.by_memory[1769].warm_ms", 1, 2),
    ]


def test_a_version_that_passed_no_gate_is_compared_with_one_that_did() -> None:
    objects = MemoryObjects()
    store_version(objects, manifest(version=1))
    with_gate(objects, manifest(version=2), [{"step": "check", "status": "passed", "figures": {"opset": 17}}])

    assert differences(objects) == [
        Difference("gate", "check.status", None, "passed"),
        Difference("gate", "check.opset", None, 17),
    ]


def test_a_report_that_is_none_is_refused() -> None:
    objects = MemoryObjects()
    body = b'{"steps": [1]}'
    file = ModelFile("gate.json", len(body), hashlib.sha256(body).hexdigest())
    objects.put(keys.artifact("iris", 1, "gate.json"), body)
    objects.put(keys.manifest("iris", 1), render_manifest(manifest()._replace(documents=(file,))))
    store_version(objects, manifest(version=2))

    with pytest.raises(InvalidManifest, match=r"iris:1: gate\.json: not a gate's report"):
        differences(objects)


def test_a_version_that_is_not_there_is_not_compared() -> None:
    objects = MemoryObjects()
    store_version(objects, manifest(version=1))
    registry(objects).move_alias("iris", "live", 1, by="ann")

    with pytest.raises(VersionNotFound):
        differences(objects)
