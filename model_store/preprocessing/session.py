"""A session with what is done to requests before it: to its caller, it is a session that takes text or images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from numpy.typing import NDArray

from model_store.preprocessing.declared import FILE, TextInput, parse
from warmstart.datatypes import DATATYPES
from warmstart.tensors import ANY, TensorSpec


class Preprocessing(Protocol):
    """One kind of it. `inputs` are what requests have, `feeds` what the graph takes, `outputs` what it adds."""

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """What requests have."""
        ...

    @property
    def feeds(self) -> tuple[str, ...]:
        """The graph's inputs."""
        ...

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """What is answered beside the graph's outputs."""
        ...

    def apply(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Compute feeds and outputs, by name. Raises: InvalidValue."""
        ...


class Meta(NamedTuple):
    """An input or output, as ONNX Runtime describes its own (`NodeArg`)."""

    name: str
    type: str
    shape: list[int | str | None]


class Runs(Protocol):
    """What is used of an `InferenceSession`."""

    def get_inputs(self) -> Sequence[Any]:
        """Describe the inputs."""
        ...

    def get_outputs(self) -> Sequence[Any]:
        """Describe the outputs."""
        ...

    def run(self, output_names: Sequence[str], input_feed: Mapping[str, Any]) -> list[Any]:
        """Compute outputs."""
        ...


def open_preprocessing(folder: Path) -> Preprocessing:
    """Read what lies beside a graph. Raises: InvalidManifest, OSError, ImportError for a library that is missing."""
    declared = parse((folder / FILE).read_bytes(), where=FILE)
    # Each has a library of its own, which takes some of a cold start: only what this version declares is imported.
    if isinstance(declared, TextInput):
        from model_store.preprocessing.text import Tokenizing

        return Tokenizing(declared, folder)
    from model_store.preprocessing.image import Imaging

    return Imaging(declared)


class PreparedSession:
    """Stands where an `InferenceSession` stands. May be used by several threads at once."""

    def __init__(self, session: Runs, before: Preprocessing) -> None:
        self._session, self._before = session, before
        self._added = frozenset(spec.name for spec in before.outputs)

    def get_inputs(self) -> list[Any]:
        """Describe what requests have."""
        return [_meta(spec) for spec in self._before.inputs]

    def get_outputs(self) -> list[Any]:
        """Describe the graph's outputs, then what is added to them."""
        return [*self._session.get_outputs(), *(_meta(spec) for spec in self._before.outputs)]

    def run(self, output_names: Sequence[str], input_feed: Mapping[str, Any]) -> list[Any]:
        """Compute the outputs asked for, in this order. Raises: InvalidValue; what the session raises."""
        prepared = self._before.apply(input_feed)
        asked = [name for name in output_names if name not in self._added]
        feeds = {name: prepared[name] for name in self._before.feeds}
        computed = dict(zip(asked, self._session.run(asked, feeds), strict=True)) if asked else {}
        return [prepared[name] if name in self._added else computed[name] for name in output_names]


def _meta(spec: TensorSpec) -> Meta:
    return Meta(spec.name, DATATYPES[spec.datatype].onnx, [None if size == ANY else size for size in spec.shape])
