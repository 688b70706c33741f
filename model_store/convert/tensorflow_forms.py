"""What TensorFlow's and Keras's models take and answer, by name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from model_store.convert.source import Origin
from model_store.workplace import workplace
from warmstart.errors import UnsupportedModel

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

Tensors: TypeAlias = "Mapping[str, tf.Tensor]"
SIGNATURE: Final = "serving_default"
_NUMBERED: Final = re.compile(r"(keras_tensor|input_layer|input)(_\d+)?")
"""Names that Keras counts up in each process: keras/src/utils/naming.py."""


class Form(Protocol):
    """A model of TensorFlow."""

    @property
    def origin(self) -> Origin:
        """Its framework, and what it is there."""
        ...

    @property
    def inputs(self) -> Mapping[str, tf.TensorSpec]:
        """Datatype and shape by name, the first axis free."""
        ...

    @property
    def weights_bytes(self) -> int:
        """Bytes of its variables."""
        ...

    def answer(self, inputs: Tensors) -> Tensors:
        """Compute its outputs, by name."""
        ...


class KerasForm:
    """A Keras model that knows its inputs: Sequential with an Input, or functional."""

    def __init__(self, model: keras.Model) -> None:
        import keras
        import tensorflow as tf

        self._model: Any = model
        count = f"{model.count_params():,} parameters"
        self.origin = Origin("keras", keras.__version__, f"{type(model).__name__}, {count}")
        self._structure = model.inputs[0] if isinstance(model, keras.Sequential) else self._model.input
        tensors = keras.tree.flatten(self._structure)
        names = _input_names(self._structure, tensors)
        self.inputs = {
            name: tf.TensorSpec(tensor.shape, tensor.dtype, name=name)
            for name, tensor in zip(names, tensors, strict=True)
        }
        _refuse_fixed(self.origin.kind, self.inputs, "give Input its shape without the batch: Input((4,))")

    @property
    def weights_bytes(self) -> int:
        """Count the weights."""
        return _bytes_of(self._model.variables)

    def answer(self, inputs: Tensors) -> Tensors:
        """Call the model, not in training."""
        import keras

        given = keras.tree.pack_sequence_as(self._structure, [inputs[name] for name in self.inputs])
        answer = self._model(given, training=False)
        if isinstance(answer, Mapping):
            return _apart(answer, self.inputs)
        if isinstance(answer, list | tuple):
            return _apart(dict(zip(_unique(self._model.output_names), answer, strict=True)), self.inputs)
        return _apart({"output": answer}, self.inputs)


class SavedForm:
    """A SavedModel's signature: `serving_default`, or the only one that it has."""

    def __init__(self, loaded: Any, label: str, origin: Origin | None = None) -> None:
        import tensorflow as tf

        self._loaded = loaded  # it owns the variables that the signature reads
        name = _signature_of(label, list(loaded.signatures))
        self._signature: Any = loaded.signatures[name]
        self.origin = origin or Origin("tensorflow", tf.__version__, f"SavedModel, {name}")
        self.inputs: Mapping[str, tf.TensorSpec] = dict(self._signature.structured_input_signature[1])
        remedy = 'save it with tf.function(input_signature=[tf.TensorSpec([None, 4], name="x")]), None for the rows'
        _refuse_fixed(self.origin.kind, self.inputs, remedy)

    @property
    def weights_bytes(self) -> int:
        """Count the variables that the signature reads."""
        return _bytes_of(self._signature.variables)

    def answer(self, inputs: Tensors) -> Tensors:
        """Call the signature."""
        return _apart(self._signature(**inputs), self.inputs)


def form_of(model: keras.Model) -> Form:
    """Find how a Keras model is called; a subclassed one by way of the SavedModel that Keras makes of it.

    Raises: UnsupportedModel if it never saw a row, and so has no shapes.
    """
    import keras
    import tensorflow as tf

    if getattr(model, "inputs", None):
        return KerasForm(model)
    kind = type(model).__name__
    with workplace() as folder:
        try:
            model.export(str(folder / "model"), verbose=False)
            loaded = tf.saved_model.load(str(folder / "model"))
        except (ValueError, AttributeError, TypeError, RuntimeError) as error:
            raise UnsupportedModel(
                f"{kind}: its inputs are unknown: add an Input, or call it on a batch before it is saved: {error}"
            ) from error
    return SavedForm(loaded, kind, Origin("keras", keras.__version__, f"{kind}, {model.count_params():,} parameters"))


def _signature_of(label: str, names: Sequence[str]) -> str:
    if SIGNATURE in names:
        return SIGNATURE
    if len(names) == 1:
        return names[0]
    raise UnsupportedModel(
        f"{label}: expected the signature {SIGNATURE}, got {', '.join(names) or 'none'}: save it with "
        "tf.saved_model.save(module, folder, signatures=function)"
    )


def _refuse_fixed(kind: str, inputs: Mapping[str, tf.TensorSpec], remedy: str) -> None:
    for name, spec in inputs.items():
        if spec.dtype.name == "string":
            raise UnsupportedModel(
                f"{kind}: input {name!r} is text, and TensorFlow's operators for text are not in ONNX: take "
                "TextVectorization or StringLookup out of the model, and publish what takes their ids"
            )
        if spec.shape.rank is None or not spec.shape.rank:
            raise UnsupportedModel(f"{kind}: input {name!r}: expected a known number of axes, the first of them rows")
        if spec.shape[0] is not None:
            raise UnsupportedModel(f"{kind}: input {name!r} takes {spec.shape[0]} rows alone: {remedy}")


def _input_names(structure: object, tensors: Sequence[Any]) -> list[str]:
    """Name the inputs as the model's author did: by a dict's keys, else by the layers; numbered ones anew."""
    import keras

    if isinstance(structure, Mapping) and len(structure) == len(tensors):
        names: list[str] = keras.tree.flatten({key: key for key in structure})
        return names
    if len(tensors) == 1:
        return ["input" if _NUMBERED.fullmatch(tensors[0].name) else tensors[0].name]
    return [
        f"input_{place}" if _NUMBERED.fullmatch(tensor.name) else tensor.name for place, tensor in enumerate(tensors)
    ]


def _unique(names: Sequence[str]) -> list[str]:
    return [name if names.count(name) == 1 else f"{name}_{place}" for place, name in enumerate(names)]


def _apart(outputs: Mapping[str, Any], inputs: Mapping[str, object]) -> Tensors:
    """Keep outputs' names apart from inputs': a graph has one name for one thing."""
    return {f"{name}_out" if name in inputs else str(name): tensor for name, tensor in outputs.items()}


def _bytes_of(variables: Sequence[Any]) -> int:
    import tensorflow as tf

    return sum(variable.shape.num_elements() * tf.as_dtype(variable.dtype).size for variable in variables)
