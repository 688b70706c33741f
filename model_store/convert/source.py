"""What every framework's module gives: a model that can be converted to ONNX, and asked what it answers itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from warmstart.errors import Unreachable

Batch: TypeAlias = Mapping[str, NDArray[Any]]
"""Arrays by name; the first axis of each counts the rows, and all have the same number of them."""


class Sample(NamedTuple):
    """Rows to try a model on, as they came: raw datatypes, text as object arrays of `str`.

    `columns` are either a table's columns, each (rows,), or named tensors, each (rows, ...). `truth` is the column
    that the model should predict, (rows,), if it was named. `origin` says where the rows are from, for reports.
    """

    columns: Batch
    origin: str
    truth: NDArray[Any] | None = None

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return rows_of(self.columns)


class Origin(NamedTuple):
    """Where a model comes from: `scikit-learn`, `1.9.1`, `Pipeline(StandardScaler, LogisticRegression)`."""

    framework: str
    version: str
    kind: str


class Converted(NamedTuple):
    """A model in ONNX: the graph's file, its external data beside it.

    `labels` are a classifier's classes, in the order of its score columns. `preprocessing` says what became part of
    the graph before the model proper, or is done before the graph (`{"text": "BertTokenizer, at most 512 tokens"}`):
    for the latter `prepared` has the files, `preprocessing.json` first, all in one folder. With `extensions` the
    graph has custom operators of onnxruntime-extensions.
    """

    graph: Path
    labels: tuple[str | int, ...] = ()
    preprocessing: Mapping[str, str] = {}
    extensions: bool = False
    prepared: tuple[Path, ...] = ()


class LoadOptions(NamedTuple):
    """What the publisher says about a source: `trust` allows formats that execute code when they are read."""

    trust: bool = False
    sample: Sample | None = None


class SourceModel(Protocol):
    """A model as its framework holds it."""

    @property
    def origin(self) -> Origin:
        """Framework, its version, and what the model is in its words."""
        ...

    @property
    def example(self) -> Batch | None:
        """Inputs that came along or that the model can name itself, by the graph's input names; None without any."""
        ...

    def convert(self, folder: Path, sample: Sample | None) -> Converted:
        """Write the model as ONNX into an empty folder: dynamic batch axis, tensors only, no ZipMap.

        A model that was fitted on named columns has one input per column, (-1, 1). Where the columns' datatypes are
        not known from the model, they are taken from the sample. Outputs of a classifier are `label` (-1,) and
        `probabilities` (-1, classes), of a regressor `variable` (-1, targets), of others what they are called there.
        Raises: UnsupportedModel, naming the part that cannot be converted and the remedy; InvalidSample; Unreachable.
        """
        ...

    def predict(self, inputs: Batch) -> Batch:
        """Compute what the framework itself answers, under the graph's output names, in its own precision.

        `inputs` have the graph's input names and shapes, with the datatypes of the sample: the framework sees what
        its user gave, not what was cast for ONNX. An output that the framework does not give may be left out.
        Raises: UnsupportedModel if the framework fails on these rows.
        """
        ...


class Framework(Protocol):
    """A module of this folder. `recognises` looks at the content with the standard library alone."""

    def recognises(self, path: Path) -> bool:
        """Say whether a file or folder is one of this framework's."""
        ...

    def load(self, path: Path, options: LoadOptions) -> SourceModel:
        """Read it. Raises: UnsupportedModel, Untrusted, Unreachable if the framework is not installed, OSError."""
        ...

    def adopt(self, model: object, options: LoadOptions) -> SourceModel | None:
        """Take a model that lives in this process (a notebook's variable), None if it is not of this framework.

        Looks at the class's module first, so that no framework is imported in vain.
        """
        ...


def lacks(error: ImportError, extra: str) -> Unreachable:
    """Say which package is missing, and the line that installs it."""
    return Unreachable(f"this needs the package {error.name}: pip install 'warmstart[{extra}]'")


def of_package(model: object, packages: Sequence[str]) -> bool:
    """Say whether an object's class, or one of its bases, comes from one of these packages; nothing is imported."""
    return any(cls.__module__.partition(".")[0] in packages for cls in type(model).__mro__)


def rows_of(batch: Batch) -> int:
    """Count the rows of a batch; an array without axes has none of its own, and alone counts as one."""
    return next((len(array) for array in batch.values() if array.ndim), 1)


def take(batch: Batch, rows: slice | NDArray[np.intp]) -> Batch:
    """Choose rows of a batch; an array without axes stays."""
    return {name: array[rows] if array.ndim else array for name, array in batch.items()}
