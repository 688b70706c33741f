"""Inference on values: which version is asked, what it is asked, and which version an error is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from handlers.inference.service import InferenceService
from handlers.inference.sessions import Opening, Ran
from model_store.manifest import Manifest
from tests.build import manifests
from tests.build.inference import signature
from warmstart.errors import StoreUnavailable, UnknownTensor, WrongDatatype
from warmstart.protocols.wire import Outputs
from warmstart.refs import ModelRef

IRIS = ModelRef.parse("iris")
THREE = signature({"x": ("FP32", (-1,))}, {"a": ("FP32", (-1,)), "b": ("FP32", (-1,)), "c": ("FP32", (-1,))})
X = {"x": np.array([1.0], np.float32)}


class Asked:
    """A call for some outputs of `x`; it keeps the models that it was shown."""

    def __init__(self, *names: str, x: Any = X["x"]) -> None:
        self.names, self.x = names, x
        self.seen = list[object]()

    def outputs(self, _: object) -> tuple[str, ...]:
        return self.names

    def tensors(self, model: object) -> dict[str, Any]:
        self.seen.append(model)
        return {"x": self.x}

    def render(self, _: object, outputs: Outputs) -> Outputs:
        return outputs


class Catalogue:
    def published(self) -> list[ModelRef]:
        return [ModelRef("iris", 2, None)]

    def versions(self, name: str) -> list[int]:
        assert name == "iris"
        return [1, 2, 10]

    def document(self, manifest: Manifest, path: str) -> bytes | None:
        return f"{manifest.name}/{path}".encode()


class Resolver:
    def __init__(self, manifest: Manifest, previous: Manifest | None = None) -> None:
        self.manifest, self.previous = manifest, previous

    def resolve(self, ref: ModelRef) -> Manifest:
        assert ref.name == self.manifest.name
        return self.manifest

    def step_back(self, ref: ModelRef, manifest: Manifest) -> Manifest | None:
        assert (ref, manifest) == (IRIS, self.manifest)
        if (found := self.previous) is not None:
            self.manifest, self.previous = found, None
        return found

    def known(self, ref: ModelRef) -> Manifest | None:
        return self.manifest if ref == IRIS else None


class Sessions:
    """Gives each output its name's code point; a version in `lost` cannot be fetched."""

    def __init__(self, lost: tuple[int, ...] = ()) -> None:
        self.lost = lost

    def run(self, manifest: Manifest, outputs: Sequence[str], inputs: Mapping[str, Any]) -> Ran:
        self.load(manifest)
        names = outputs or [spec.name for spec in manifest.signature.outputs]
        return Ran([inputs["x"] * ord(name) for name in names], 7, None, 1)

    def load(self, manifest: Manifest) -> Opening | None:
        if manifest.version in self.lost:
            raise StoreUnavailable("down")
        return None

    def is_open(self, manifest: Manifest) -> bool:
        return manifest.version not in self.lost


def version(number: int) -> Manifest:
    return manifests.manifest("iris", number, signature=THREE)


def service(*, lost: tuple[int, ...] = (), previous: Manifest | None = None) -> InferenceService:
    return InferenceService(
        resolver=Resolver(version(2), previous),
        sessions=Sessions(lost),
        catalogue=Catalogue(),
        clock=lambda: 7.5,
        clock_ns=lambda: 0,
    )


def test_all_outputs_come_in_the_models_order_and_some_in_the_order_asked() -> None:
    every, *_ = service().infer(IRIS, Asked(), 0)
    assert [(spec.name, array.tolist()) for spec, array in every] == [
        ("a", [97.0]),
        ("b", [98.0]),
        ("c", [99.0]),
    ]
    some, model, ran, *_ = service().infer(IRIS, Asked("c", "a"), 0)
    assert [spec.name for spec, _ in some] == ["c", "a"]
    assert (model, ran.run_ns) == (ModelRef("iris", 2, None), 7)


def test_a_request_is_read_with_the_version_that_answers() -> None:
    asked = Asked()
    service().infer(IRIS, asked, 0)
    assert asked.seen == [version(2)]


def test_a_model_is_warm_once_it_is_known_and_open() -> None:
    assert service().is_warm(IRIS)
    assert not service(lost=(2,)).is_warm(IRIS)
    assert not service().is_warm(ModelRef.parse("other"))


def test_the_rows_of_a_batch_are_counted() -> None:
    asked = service()
    _, model, *_ = asked.infer(IRIS, Asked(), 0)
    assert asked.tally.read()[model].rows == 1
    asked.infer(IRIS, Asked(x=np.zeros(5, np.float32)), 0)
    assert asked.tally.read()[model].rows == 6


def test_what_is_published_is_listed() -> None:
    assert service().published() == [ModelRef("iris", 2, None)]


def test_the_versions_of_a_model_begin_with_the_one_that_answers() -> None:
    assert service().versions(IRIS) == (2, 10, 1)


def test_an_error_says_which_version_was_asked() -> None:
    with pytest.raises(WrongDatatype) as wrong:
        service().infer(IRIS, Asked(x=np.array([1])), 0)
    with pytest.raises(UnknownTensor, match=r"output 'z': the model has no such output \(it has: a, b, c\)") as unknown:
        service().infer(IRIS, Asked("z"), 0)
    with pytest.raises(StoreUnavailable) as down:
        service(lost=(2,)).ready(IRIS)
    assert {caught.value.model for caught in (wrong, unknown, down)} == {ModelRef("iris", 2, None)}


def test_the_version_before_answers_for_one_that_cannot_be_fetched() -> None:
    _, model, *_ = service(lost=(2,), previous=version(1)).infer(IRIS, Asked(), 0)
    assert model.version == 1
    assert service(lost=(2,), previous=version(1)).ready(IRIS).version == 1
    assert service(lost=(2,), previous=version(1)).describe(IRIS).version == 2


def test_without_a_version_before_the_error_comes_out() -> None:
    with pytest.raises(StoreUnavailable):
        service(lost=(2,)).infer(IRIS, Asked(), 0)
    with pytest.raises(StoreUnavailable):
        service(lost=(1, 2), previous=version(1)).infer(IRIS, Asked(), 0)
