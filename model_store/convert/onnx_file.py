"""A model that is ONNX already, its external data beside it."""

from __future__ import annotations

from pathlib import Path

from model_store.convert.source import Batch, Converted, LoadOptions, Origin, Sample, SourceModel
from model_store.gate.candidate import Layout, open_session, run
from model_store.manifest import RunOptions


class OnnxFile:
    """An .onnx file. It is not copied: the gate reads it where it lies."""

    example: Batch | None = None

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def origin(self) -> Origin:
        """Say that it came as ONNX."""
        import onnx

        return Origin("onnx", onnx.__version__, self._path.name)

    def convert(self, folder: Path, sample: Sample | None) -> Converted:  # noqa: ARG002 - it is ONNX already
        """Return the file itself."""
        return Converted(self._path)

    def predict(self, inputs: Batch) -> Batch:
        """Compute with ONNX Runtime's defaults."""
        return run(open_session(Layout(((self._path.name, self._path),), RunOptions())), inputs)


def recognises(path: Path) -> bool:
    """Say whether a file may be ONNX."""
    return path.suffix == ".onnx"


def load(path: Path, options: LoadOptions) -> SourceModel:  # noqa: ARG001 - a framework's signature
    """Open it."""
    return OnnxFile(path)


def adopt(model: object, options: LoadOptions) -> SourceModel | None:  # noqa: ARG001 - a framework's signature
    """Take an `onnx.ModelProto`: not yet."""
    return None
