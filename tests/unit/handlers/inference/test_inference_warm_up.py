"""A session's first run: with a golden example, and never at the cost of a request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from handlers.inference.warm_up import first_inputs, warmed
from model_store.gate.golden import GoldenExample, GoldenTensor, render_golden
from model_store.manifest import Manifest
from tests.build import manifests
from warmstart.errors import InferenceFailed

GOLDEN = b'{"version":"1.0","examples":[{"inputs":[{"name":"x","datatype":"FP32","shape":[2,2],"data":[1.0,2.0]}]}]}'


class Recorder:
    def __init__(self, failure: Exception | None = None) -> None:
        self.runs: list[Mapping[str, Any]] = []
        self._failure = failure

    def run(self, _outputs: Sequence[str], inputs: Mapping[str, Any]) -> list[Any]:
        self.runs.append(inputs)
        if self._failure:
            raise self._failure
        return []


def open_warmed(session: Recorder, golden: bytes | None) -> list[str]:
    """Open a session; return the warnings."""
    warnings: list[str] = []

    def document(_manifest: Manifest, _path: str) -> bytes | None:
        return golden

    opened = warmed(lambda _path, _manifest: session, document=document, warn=warnings.append)
    assert opened(Path("model.onnx"), manifests.manifest("iris")) is session
    return warnings


def test_an_opened_session_runs_the_first_example_once() -> None:
    session = Recorder()

    assert open_warmed(session, GOLDEN) == []
    assert [run["x"].tolist() for run in session.runs] == [[[1.0, 2.0], [1.0, 2.0]]]


def test_values_that_are_kept_are_repeated_until_the_shape_is_full() -> None:
    assert first_inputs(GOLDEN)["x"].tolist() == [[1.0, 2.0], [1.0, 2.0]]


@pytest.mark.parametrize("golden", [None, b"{", b"[]", b"{}", b'{"examples":[]}', b'{"examples":[{"inputs":[7]}]}'])
def test_without_an_example_the_session_is_opened_all_the_same_with_one_warning(golden: bytes | None) -> None:
    session = Recorder()

    assert [warning.partition(": ")[0] for warning in open_warmed(session, golden)] == ["warm-up of iris:1"]
    assert session.runs == []


def test_a_run_that_fails_is_one_warning_that_quotes_nothing() -> None:
    failure = InferenceFailed("cannot compute these values: '4111-1111'")

    assert open_warmed(Recorder(failure), GOLDEN) == ["warm-up of iris:1: inference_failed"]


def test_an_example_that_cannot_be_read_is_not_quoted() -> None:
    golden = GOLDEN.replace(b"1.0,2.0", b'"4111-1111"')

    assert open_warmed(Recorder(), golden) == ["warm-up of iris:1: invalid_value"]


@pytest.mark.parametrize(
    ("datatype", "values"),
    [
        ("FP32", (0.5, None)),
        ("FP64", (0.25, 1e300)),
        ("FP16", (0.5, None)),
        ("INT64", (-(2**63), 2**63 - 1)),
        ("UINT8", (0, 255)),
        ("BOOL", (True, False)),
        ("BYTES", ("Zürich", "")),
    ],
)
def test_what_the_gate_writes_as_an_example_is_read(datatype: str, values: tuple[Any, ...]) -> None:
    kept = GoldenTensor("x", datatype, (3, 2), values)
    session = Recorder()

    assert open_warmed(session, render_golden([GoldenExample((kept,), ())])) == []
    [run] = session.runs
    assert run["x"].dtype == kept.array().dtype
    np.testing.assert_array_equal(run["x"], kept.array())
