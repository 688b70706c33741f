"""A model that is ONNX already: a file, its external data beside it, or an `onnx.ModelProto` of this process."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from model_store.convert.onnx_wire import EXTENSIONS, envelope
from model_store.convert.source import Batch, Converted, LoadOptions, Origin, Sample, SourceModel, lacks, of_package
from model_store.gate.candidate import Layout, open_session, run
from model_store.gate.onnx_source import GRAPH, parse, signature_of
from model_store.gate.sample import cast
from model_store.manifest import RunOptions
from warmstart.errors import UnsupportedModel

if TYPE_CHECKING:
    from onnx import ModelProto

    from model_store.preprocessing.session import Runs
    from warmstart.tensors import TensorSpec

_EMBEDDED_BYTES: Final = 2**30
"""A larger model is written with its weights beside the graph: a protocol buffer ends at 2 GiB."""


class OnnxFile:
    """An .onnx file. It is not copied: the gate reads it where it lies."""

    example: Batch | None = None

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def origin(self) -> Origin:
        """Say that it came as ONNX."""
        return _origin(self._path.name)

    def convert(self, folder: Path, sample: Sample | None) -> Converted:  # noqa: ARG002 - it is ONNX already
        """Return the file itself."""
        return Converted(self._path, extensions=_needs_extensions(self._path))

    def predict(self, inputs: Batch) -> Batch:
        """Compute what the graph says as it stands, before any optimisation."""
        session, specs = self._opened
        return run(session, cast(inputs, specs))

    @cached_property
    def _opened(self) -> tuple[Runs, tuple[TensorSpec, ...]]:
        """Open it once: many rows are asked in parts."""
        extensions = _needs_extensions(self._path)
        layout = Layout(((self._path.name, self._path),), RunOptions(optimise=False, extensions=extensions))
        session = open_session(layout)
        shapes = {output.name: output.shape for output in session.get_outputs()}
        return session, signature_of(self._path, parse(self._path), shapes).inputs


class OnnxInMemory:
    """An `onnx.ModelProto`, its weights in it."""

    example: Batch | None = None

    def __init__(self, model: ModelProto) -> None:
        self._model = model
        self._converted: OnnxFile | None = None

    @property
    def origin(self) -> Origin:
        """Say that it came as ONNX."""
        return _origin("ModelProto")

    def convert(self, folder: Path, sample: Sample | None) -> Converted:
        """Write it into the folder, the weights beside it if they are large."""
        self._converted = self._written(folder)
        return self._converted.convert(folder, sample)

    def predict(self, inputs: Batch) -> Batch:
        """Compute what the graph says as it stands, before any optimisation."""
        if self._converted is not None:
            return self._converted.predict(inputs)
        with TemporaryDirectory() as folder:
            return self._written(Path(folder)).predict(inputs)

    def _written(self, folder: Path) -> OnnxFile:
        import onnx

        path, large = folder / GRAPH, self._model.ByteSize() > _EMBEDDED_BYTES
        model = self._model
        if large:  # saving with external data takes the weights out of what is saved: the caller's stays whole
            model = onnx.ModelProto()
            model.CopyFrom(self._model)
        onnx.save_model(model, path, save_as_external_data=large, location="weights.bin")
        return OnnxFile(path)


def recognises(path: Path) -> bool:
    """Say whether a file is ONNX by its content, whatever it is called; one that is called so, and broken, too."""
    return envelope(path) is not None or (path.suffix == ".onnx" and path.is_file())


def load(path: Path, options: LoadOptions) -> SourceModel:  # noqa: ARG001 - a framework's signature
    """Open it. Raises: UnsupportedModel if it is cut off, or called .onnx and something else."""
    found = envelope(path)
    if found is None:
        raise UnsupportedModel(f"{path}: not an ONNX model, though it is called .onnx: {_looks_like(path)}")
    if found.missing_bytes:
        raise UnsupportedModel(
            f"{path}: not an ONNX model: it ends in the middle, at least {found.missing_bytes} bytes are missing: "
            "copy or download it again"
        )
    return OnnxFile(path)


def adopt(model: object, options: LoadOptions) -> SourceModel | None:  # noqa: ARG001 - a framework's signature
    """Take an `onnx.ModelProto`. Raises: UnsupportedModel if its weights are not in it."""
    if not of_package(model, ["onnx"]):
        return None
    from onnx import ModelProto
    from onnx.external_data_helper import uses_external_data

    if not isinstance(model, ModelProto):
        return None
    if away := [tensor.name for tensor in model.graph.initializer if uses_external_data(tensor)]:
        raise UnsupportedModel(
            f"onnx.ModelProto: its weights ({away[0]} and {len(away) - 1} more) are in another file, which it does "
            "not name: publish the .onnx file's path, or read it by onnx.load(path)"
        )
    return OnnxInMemory(model)


def _origin(kind: str) -> Origin:
    try:
        import onnx
    except ImportError as error:
        raise lacks(error, "convert") from error
    return Origin("onnx", onnx.__version__, kind)


def _needs_extensions(path: Path) -> bool:
    found = envelope(path)
    return found is not None and not EXTENSIONS.isdisjoint(found.domains)


def _looks_like(path: Path) -> str:
    """Say what a file is instead, and what to do."""
    with path.open("rb") as file:
        start = file.read(64)
    if not start:
        return "the file is empty: export it again"
    if start.startswith(b"version https://git-lfs"):
        return "it is a pointer of Git LFS: run `git lfs pull`"
    if start.startswith(b"\x80"):
        return "it is a pickle: publish it under its own name, with --trust if you know where it is from"
    return f"it begins with {start[:16]!r}: export it again"
