"""Rows to try a model on: read from a file, or made from the signature; laid out as the graph takes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from model_store.convert.source import Batch, Sample
from warmstart.errors import InvalidSample
from warmstart.tensors import TensorSpec


def read_sample(path: Path, *, truth: str | None = None) -> Sample:
    """Read rows from CSV, Parquet, JSON lines or npz; `truth` names the column of the right answers.

    Raises: InvalidSample, naming the column, what was expected and what came; Unreachable if a package is missing.
    """
    raise InvalidSample(f"{path}: not read yet")


def generate(inputs: tuple[TensorSpec, ...], example: Batch | None) -> Sample:
    """Make rows from the signature, edge values included, around the model's own example if it has one."""
    if example is not None:
        return Sample(example, "the model's own example")
    shapes = {spec.name: tuple(2 if size < 0 else size for size in spec.shape) for spec in inputs}
    return Sample({spec.name: np.zeros(shapes[spec.name], spec.type.numpy) for spec in inputs}, "generated")


def arrange(sample: Sample, inputs: tuple[TensorSpec, ...]) -> Batch:
    """Lay the rows out by the graph's inputs: names and shapes, the datatypes of the sample left as they are.

    A table's columns become (rows, 1) where each is an input of its own, or are stacked, in order, into the model's one
    input (rows, features). Raises: InvalidSample, naming columns that are missing or too many.
    """
    return sample.columns


def cast(inputs: Batch, specs: tuple[TensorSpec, ...]) -> Batch:
    """Give the arrays the signature's datatypes. Raises: InvalidSample for a value that its datatype cannot hold."""
    return {spec.name: inputs[spec.name].astype(spec.type.numpy) for spec in specs}
