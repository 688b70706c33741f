"""TensorFlow's SavedModels, and Keras's models: .keras, .h5 and those in this process. tf2onnx converts them."""

from __future__ import annotations

import pickle
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from model_store.convert.quiet import quietly
from model_store.convert.source import Batch, Converted, LoadOptions, Origin, Sample, SourceModel, lacks, of_package
from model_store.convert.tensorflow_forms import Form, SavedForm, form_of
from model_store.convert.tensorflow_operators import HANDLERS
from warmstart.errors import InvalidSample, UnsupportedModel, Untrusted

if TYPE_CHECKING:
    from onnx import GraphProto

GRAPH: Final = "model.onnx"
OPSET: Final = 18
"""The newest that tf2onnx 1.17 writes: tf2onnx/constants.py, OPSET_TO_IR_VERSION."""
MAX_INSIDE: Final = 1_500_000_000
"""Weights of more bytes lie beside the graph: a protocol buffer is smaller than 2 GiB."""
_HDF5: Final = b"\x89HDF\r\n\x1a\n"
_FAILURES: Final = (RuntimeError, ValueError, TypeError, LookupError, AttributeError, AssertionError, ArithmeticError)
"""What Keras and tf2onnx fail with, beside `tf.errors.OpError`."""


class TensorFlowModel:
    """A model of TensorFlow or Keras."""

    example: Batch | None = None

    def __init__(self, form: Form) -> None:
        self._form = form

    @property
    def origin(self) -> Origin:
        """Keras or TensorFlow, and the model's class or signature."""
        return self._form.origin

    def convert(self, folder: Path, sample: Sample | None) -> Converted:  # noqa: ARG002 - shapes are in the model
        """Trace it with the number of rows free, and convert that. Names are as docs/tensorflow.md says."""
        return Converted(write(self._form, folder, apart=self._form.weights_bytes > MAX_INSIDE))

    def predict(self, inputs: Batch) -> Batch:
        """Compute eagerly, not in training, with the datatypes of the model's inputs."""
        import tensorflow as tf

        tensors = {
            name: tf.constant(_numbers(name, inputs[name]).astype(spec.dtype.as_numpy_dtype), spec.dtype)
            for name, spec in self._form.inputs.items()
        }
        try:
            answer = self._form.answer(tensors)
        except (*_FAILURES, tf.errors.OpError) as error:
            raise UnsupportedModel(f"{self.origin.kind}: it fails on these rows: {error}") from error
        return {name: _as_array(tensor) for name, tensor in answer.items()}


def write(form: Form, folder: Path, *, apart: bool) -> Path:
    """Convert a model to `model.onnx`; `apart`: its weights are files of their own, beside it.

    Raises: UnsupportedModel, naming the operators that ONNX has not; Unreachable if tf2onnx is not installed.
    """
    import onnx
    import tensorflow as tf

    try:
        import tf2onnx
    except ImportError as error:
        raise lacks(error, "tensorflow") from error
    names, specs = list(form.inputs), list(form.inputs.values())
    serve = tf.function(lambda *given: dict(form.answer(dict(zip(names, given, strict=True)))), input_signature=specs)
    try:
        with quietly("tf2onnx"):
            if apart:
                _mend_tf2onnx()
            constants = _constants(serve.get_concrete_function(*specs), len(specs))
            model, storage = tf2onnx.convert.from_function(
                serve, specs, opset=OPSET, large_model=apart, custom_op_handlers=HANDLERS
            )
    except (*_FAILURES, tf.errors.OpError) as error:
        raise UnsupportedModel(f"{form.origin.kind}: tf2onnx does not convert it: {_reason(str(error))}") from error
    _fill_in(model.graph, constants)
    if unknown := sorted(set(_unknown(model.graph))):
        raise UnsupportedModel(
            f"{form.origin.kind}: ONNX has no operator for TensorFlow's {', '.join(unknown)}: compute it in other "
            "operators, or outside of the model"
        )
    for name, content in (storage.name_to_tensor_data if apart else {}).items():
        (folder / name).write_bytes(content)
    onnx.save(model, folder / GRAPH)
    return folder / GRAPH


def _constants(traced: Any, inputs: int) -> Mapping[str, NDArray[Any]]:
    """Take the tensors that a traced function has beside its inputs and variables (`Normalization`'s mean, say)."""
    beside = zip(traced.inputs[inputs:], traced.captured_inputs, strict=True)
    return {inner.name: value.numpy() for inner, value in beside if inner.dtype.name not in ("resource", "variant")}


def _fill_in(graph: GraphProto, constants: Mapping[str, NDArray[Any]]) -> None:
    """Make initializers of constants: tf2onnx takes them for inputs."""
    import onnx

    for value in [value for value in graph.input if value.name in constants]:
        graph.input.remove(value)
        graph.initializer.append(onnx.numpy_helper.from_array(constants[value.name], value.name))


def _mend_tf2onnx() -> None:
    """Let tf2onnx write weights apart with NumPy 2, which has no `np.product`: Keras carries the mended function."""
    from keras.src.export.tf2onnx_lib import patch_tf2onnx

    patch_tf2onnx()


def _unknown(graph: GraphProto) -> Iterator[str]:
    """List operators that are in no standard: tf2onnx leaves what it cannot convert in the graph."""
    import onnx

    for node in graph.node:
        if not onnx.defs.has(node.op_type, node.domain):
            yield node.op_type
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                yield from _unknown(inner)


def recognises(path: Path) -> bool:
    """Say whether it is a SavedModel's folder, a .keras archive or an HDF5 file."""
    if path.is_dir():
        return (path / "saved_model.pb").is_file() or (path / "saved_model.pbtxt").is_file()
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(len(_HDF5))
    return head == _HDF5 or (head.startswith(b"PK\x03\x04") and (path.suffix == ".keras" or _has_config(path)))


def _has_config(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return {"config.json", "model.weights.h5"} <= set(archive.namelist())
    except zipfile.BadZipFile:
        return False


def load(path: Path, options: LoadOptions) -> SourceModel:
    """Read it. Raises: UnsupportedModel, Untrusted, Unreachable if TensorFlow is not installed."""
    if path.is_dir() and not options.trust:
        raise Untrusted(
            f"{path}: a SavedModel's graph may run when it is loaded, and read and write files: --trust it if you know "
            "who made it, or save the model as .keras"
        )
    _tensorflow()
    return TensorFlowModel(_load_saved(path) if path.is_dir() else form_of(_load_keras(path, options)))


def _load_saved(path: Path) -> Form:
    import tensorflow as tf

    try:
        return SavedForm(tf.saved_model.load(str(path)), str(path))
    except (*_FAILURES, OSError, tf.errors.OpError) as error:
        raise UnsupportedModel(f"{path}: TensorFlow {tf.__version__} does not load it: {error}") from error


def _load_keras(path: Path, options: LoadOptions) -> Any:
    import keras

    try:
        with quietly("tf2onnx"):
            return keras.models.load_model(path, compile=False, safe_mode=not options.trust)
    except (*_FAILURES, OSError, ImportError, pickle.UnpicklingError, zipfile.BadZipFile) as error:
        raise _refusal(path, str(error)) from error


def _refusal(path: Path, text: str) -> UnsupportedModel:
    if "safe_mode" in text or "arbitrary code" in text:
        return Untrusted(f"{path}: it has a Lambda layer, whose code runs when it is read: --trust it if you made it")
    if "No model config found" in text:
        return UnsupportedModel(f"{path}: weights without the model: save the whole model, model.save('m.keras')")
    if "Unknown layer" in text or "Could not locate class" in text or "could not be deserialized" in text:
        return UnsupportedModel(
            f"{path}: it has layers of your own, whose code is not here: publish the model from the process that has "
            f"it, or save it by model.export(folder): {_first_line(text)}"
        )
    return UnsupportedModel(f"{path}: Keras does not read it: {_first_line(text)}: save it again")


def adopt(model: object, options: LoadOptions) -> SourceModel | None:  # noqa: ARG001 - a framework's signature
    """Take a Keras model. Raises: UnsupportedModel for another object of TensorFlow's, and for Keras 2's models."""
    if not of_package(model, ("keras", "tensorflow", "tf_keras")):
        return None
    _tensorflow()
    import keras

    if isinstance(model, keras.Model):
        return TensorFlowModel(form_of(model))
    raise UnsupportedModel(
        f"{type(model).__module__}.{type(model).__qualname__}: expected a model of Keras 3; save this by "
        "tf.saved_model.save(model, folder), and publish the folder"
    )


def _tensorflow() -> None:
    """See that Keras is there, and computes with TensorFlow."""
    try:
        import keras
        import tensorflow  # noqa: F401 - it is needed, and lacks a name of its own here
    except ImportError as error:
        raise lacks(error, "tensorflow") from error
    if (backend := keras.backend.backend()) != "tensorflow":
        raise UnsupportedModel(
            f"Keras computes with {backend} here: set KERAS_BACKEND=tensorflow before Python starts, and publish the "
            ".keras file"
        )


def _numbers(name: str, array: Any) -> Any:
    if array.dtype.kind not in "biuf":
        raise InvalidSample(f"input {name!r}: expected numbers, got {array.dtype}")
    return array


def _as_array(tensor: Any) -> Any:
    import tensorflow as tf

    array = (tf.cast(tensor, tf.float32) if tensor.dtype == tf.bfloat16 else tensor).numpy()
    return np.asarray(array)


def _reason(text: str) -> str:
    """Take the line that says what is wrong: TensorFlow puts its trace before it, Keras the arguments behind."""
    named = re.search(r"^\s*(\w+(?:Error|Exception): .+)$", text, re.MULTILINE)
    return named.group(1)[:300] if named else _first_line(text)


def _first_line(text: str) -> str:
    return (text.strip() or "unknown").splitlines()[0][:300]
