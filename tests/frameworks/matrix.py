"""The matrix: real models of every framework, through the whole gate, answering at the endpoint as their source does.

How to add a case, in `tests/frameworks/test_<framework>.py`:

    def linear(folder: Path) -> Built:
        x, y = ...                                            # a small data set, made here, seeded
        model = LinearRegression().fit(x[:80], y[:80])        # a real model, trained here
        path = folder / "model.skops"                         # a source is a path, an address or a live object
        ...
        held_out = {"X": x[80:]}                              # by the graph's input names and shapes, raw datatypes
        return Built(path, held_out, {"variable": model.predict(x[80:])}, sample={"X": x[:20]})

    CASES = (Case("linear-regression", linear), ...)

    @pytest.mark.parametrize("case", CASES, ids=str)
    def test_the_endpoint_answers_as_the_source_does(case: Case, prove: Prove) -> None:
        prove(case)

`expected` is computed by the framework's own API, never by `model_store.convert`, under the graph's output names. An
output that is not in it is not compared. Text is an object array of `str`.

A new framework needs `requirements/frameworks/<name>.in` (which starts with `-r base.in`), the hash-pinned `.txt` that
`make lock` makes of it, and its name in the Makefile's FRAMEWORKS; `make test-frameworks` then runs
`test_<name>*.py` in an environment of its own, `build/frameworks/<name>`. A line `torch==...` in the .in is installed
first, with pip, and is not in the .txt: its wheel for processors alone has other hashes. Files that need nothing but
what `requirements/dev.txt` has are listed in pyproject.toml's `testpaths`, and `make test` runs them too.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from model_store.convert.recognise import load
from model_store.convert.source import Batch, LoadOptions, rows_of
from model_store.gate.apply import Published, apply
from model_store.gate.candidate import Layout, open_session, run
from model_store.gate.gate import Examined, examine
from model_store.gate.plan import plan_publish
from model_store.gate.sample import read_sample
from model_store.gate.steps import GateOptions
from model_store.manifest import RunOptions
from tests.build.inference import World
from warmstart.datatypes import DATATYPES, from_onnx
from warmstart.tensors import Signature, TensorSpec

TOLERANCE: Final = 1e-4
"""Unless a case says otherwise: |got - expected| <= tolerance * (1 + |expected|); graphs compute in FP32."""


class Built(NamedTuple):
    """A trained model, rows that it has not seen, and its own answers to them.

    `sample` is what the publisher gives with `--sample`: a table's columns, each (rows,), or named tensors.
    """

    source: object
    held_out: Batch
    expected: Batch
    sample: Batch | None = None


@dataclass(frozen=True, kw_only=True)
class Tolerances:
    """How far the endpoint may be from the source, and which share of labels (text, whole numbers) must be the same."""

    numbers: float = TOLERANCE
    labels: float = 1.0


@dataclass(frozen=True)
class Case:
    """A model of the matrix. `name` is the model's in the store; `build` trains it, in a folder that is its own."""

    name: str
    build: Callable[[Path], Built]
    tolerances: Tolerances = Tolerances()
    options: GateOptions = field(default_factory=lambda: GateOptions(trust=True))

    def __str__(self) -> str:
        return self.name


class Result(NamedTuple):
    """What a case showed: a row of the table in docs/frameworks.md. None: the model has no outputs of that sort."""

    framework: str
    version: str
    model: str
    kind: str
    rows: int
    max_difference: float | None
    tolerance: float
    label_agreement: float | None
    size_bytes: int


Prove: TypeAlias = Callable[[Case], Result]
"""The fixture `prove`: takes a case through, and notes its result in the file that `--results` names."""


def prove_case(case: Case, folder: Path, results: Path | None) -> Result:
    """Build, publish through the gate, load with the inference handler, ask over V2, compare."""
    (source_folder := folder / "source").mkdir()
    built = case.build(source_folder)
    world = World(folder / "lambda")
    examined, published = _publish(case, built, folder, world)
    answers = _infer(world, case.name, examined.candidate.signature, built.held_out)
    difference, agreement = compare(case, built.expected, answers)
    result = Result(
        framework=examined.origin.framework,
        version=examined.origin.version,
        model=case.name,
        kind=examined.origin.kind,
        rows=rows_of(built.held_out),
        max_difference=difference,
        tolerance=case.tolerances.numbers,
        label_agreement=agreement,
        size_bytes=published.manifest.size_bytes,
    )
    if results is not None:
        with results.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(result._asdict()) + "\n")
    return result


def convert_case(case: Case, folder: Path) -> None:
    """Convert alone, without the gate: what the graph answers, and what the source model says that it answers."""
    (source_folder := folder / "source").mkdir()
    (converted_folder := folder / "converted").mkdir()
    built = case.build(source_folder)
    sample = None if built.sample is None else read_sample(write_sample(folder / "sample", built.sample))
    model = load(built.source, LoadOptions(trust=True, sample=sample))
    converted = model.convert(converted_folder, sample)
    session = open_session(Layout(((converted.graph.name, converted.graph),), RunOptions()))
    types = {value.name: from_onnx(value.type) for value in session.get_inputs()}
    cast = {name: array.astype(kind.numpy) for name, array in built.held_out.items() if (kind := types[name])}
    compare(case, built.expected, run(session, cast))
    compare(case, built.expected, model.predict(built.held_out))


def _publish(case: Case, built: Built, folder: Path, world: World) -> tuple[Examined, Published]:
    options = case.options
    if built.sample is not None:
        options = replace(options, sample=write_sample(folder / "sample", built.sample))
    (work := folder / "work").mkdir()
    examined = examine(built.source, case.name, work, options)
    objects = world.store.objects
    plan = plan_publish(examined.candidate, case.name, objects, documents=examined.documents)
    return examined, apply(plan, objects, by="matrix", clock=lambda: world.time_s, new_id=lambda: case.name)


def write_sample(path: Path, sample: Batch) -> Path:
    """Write rows as a publisher has them: a table's columns as CSV, missing values empty; tensors as npz."""
    if any(array.ndim > 1 for array in sample.values()):
        np.savez(path.with_suffix(".npz"), allow_pickle=False, **dict(sample))
        return path.with_suffix(".npz")
    with path.with_suffix(".csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(sample)
        writer.writerows([_cell(value) for value in row] for row in zip(*sample.values(), strict=True))
    return path.with_suffix(".csv")


def _cell(value: object) -> object:
    return "" if value is None or value != value else value  # NaN is not itself


def _infer(world: World, name: str, signature: Signature, rows: Batch) -> Batch:
    assert {spec.name for spec in signature.inputs} == set(rows), "the case's held-out rows name the graph's inputs"
    inputs = [_tensor(spec, rows[spec.name]) for spec in signature.inputs]
    answered = world.ask("POST", f"/v2/models/{name}/infer", {"inputs": inputs})
    assert answered.status == 200, answered.text
    return {output["name"]: _array(output) for output in answered.json["outputs"]}


def _tensor(spec: TensorSpec, array: NDArray[Any]) -> dict[str, object]:
    return {"name": spec.name, "datatype": spec.datatype, "shape": list(array.shape), "data": array.ravel().tolist()}


def _array(output: dict[str, Any]) -> NDArray[Any]:
    return np.array(output["data"], DATATYPES[output["datatype"]].numpy).reshape(output["shape"])


def compare(case: Case, expected: Batch, answers: Batch) -> tuple[float | None, float | None]:
    """Return the largest difference of numbers and the smallest agreement of labels; both within the tolerances."""
    differences, agreements = list[float](), list[float]()
    for name, wanted in expected.items():
        assert name in answers, f"{case}: output {name!r} is missing; there are {', '.join(answers)}"
        got = answers[name]
        assert got.shape == wanted.shape, f"{case}: {name}: shape {got.shape}, the source's is {wanted.shape}"
        if wanted.dtype.kind == "f":
            difference = np.abs(got.astype(np.float64) - wanted.astype(np.float64))
            allowed = case.tolerances.numbers * (1 + np.abs(wanted.astype(np.float64)))
            worst = np.unravel_index(np.argmax(difference - allowed), difference.shape)
            assert (difference <= allowed).all(), f"{case}: {name}{worst}: {got[worst]}, the source: {wanted[worst]}"
            differences.append(float(difference.max()))
        else:
            agreement = float(np.mean(got == wanted))
            assert agreement >= case.tolerances.labels, f"{case}: {name}: {agreement:.1%} of the labels agree"
            agreements.append(agreement)
    return max(differences, default=None), min(agreements, default=None)
