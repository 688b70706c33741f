"""What Keras's and TensorFlow's models are called in ONNX, and what of them is refused, with the remedy."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
import tensorflow as tf
from keras import layers
from tensorflow.python.trackable.resource import TrackableResource

from model_store.convert import tensorflow
from model_store.convert.source import LoadOptions, SourceModel
from model_store.convert.tensorflow import write
from model_store.convert.tensorflow_forms import KerasForm
from warmstart.errors import UnsupportedModel, Untrusted


class Subclassed(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.score = layers.Dense(2)

    def call(self, x: Any) -> Any:
        return {"score": self.score(x)}


def sequential(*inner: Any, shape: tuple[int, ...] = (4,), **named: Any) -> Any:
    return keras.Sequential([layers.Input(shape, **named), *inner])


def adopt(model: object) -> SourceModel:
    adopted = tensorflow.adopt(model, LoadOptions())
    assert adopted is not None
    return adopted


def names_of(model: object, folder: Path) -> tuple[list[str], list[str]]:
    graph = onnx.load(adopt(model).convert(folder, None).graph).graph
    return [value.name for value in graph.input], [value.name for value in graph.output]


def saved(model: Any, path: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(path)
    return path


def test_inputs_that_keras_numbered_are_called_input(tmp_path: Path) -> None:
    assert names_of(sequential(layers.Dense(2)), tmp_path) == (["input"], ["output"])


def test_several_inputs_and_outputs_are_called_as_their_layers(tmp_path: Path) -> None:
    a, b = layers.Input((2,), name="age"), layers.Input((3,))
    model = keras.Model([a, b], [layers.Dense(1, name="price")(a), layers.Dense(1, name="risk")(b)])
    assert names_of(model, tmp_path) == (["age", "input_1"], ["price", "risk"])


def test_inputs_and_outputs_in_a_dict_are_called_by_its_keys(tmp_path: Path) -> None:
    a, b = layers.Input((2,), name="rooms"), layers.Input((3,), name="age")
    model = keras.Model({"rooms": a, "age": b}, {"price": layers.Dense(1)(a), "age": layers.Dense(1)(b)})
    inputs, outputs = names_of(model, tmp_path)
    assert (sorted(inputs), sorted(outputs)) == (["age", "rooms"], ["age_out", "price"])


def test_a_subclassed_model_that_saw_rows_is_taken(tmp_path: Path) -> None:
    model = Subclassed()
    model(np.ones((2, 3), np.float32))
    _, outputs = names_of(model, tmp_path)
    assert outputs == ["score"]


def test_a_subclassed_model_that_saw_none_is_refused() -> None:
    with pytest.raises(UnsupportedModel, match="its inputs are unknown: add an Input, or call it on a batch"):
        adopt(Subclassed())


@pytest.mark.parametrize("activation", ["gelu", "silu", "mish", "hard_silu", "selu", "softplus", "log_softmax"])
def test_activations_are_exact(activation: str, tmp_path: Path) -> None:
    model = adopt(sequential(layers.Activation(activation)))
    rows = np.linspace(-6, 6, 40, dtype=np.float32).reshape(10, 4)
    session = onnxruntime.InferenceSession(str(model.convert(tmp_path, None).graph))
    np.testing.assert_allclose(
        session.run(None, {"input": rows})[0], model.predict({"input": rows})["output"], atol=2e-6
    )


def test_weights_may_lie_beside_the_graph(tmp_path: Path) -> None:
    form = KerasForm(sequential(layers.Dense(64), layers.Dense(30), shape=(40,)))
    graph = write(form, tmp_path, apart=True)
    beside = [path for path in tmp_path.iterdir() if path != graph]
    assert sorted(path.stat().st_size for path in beside) == [64 * 30 * 4, 40 * 64 * 4]
    rows = np.ones((3, 40), np.float32)
    answer = onnxruntime.InferenceSession(str(graph)).run(None, {"input": rows})[0]
    np.testing.assert_allclose(answer, form.answer({"input": tf.constant(rows)})["output"].numpy(), atol=1e-5)


def test_an_operator_that_onnx_has_not_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModel, match="ONNX has no operator for TensorFlow's Expm1"):
        adopt(sequential(layers.Activation("celu"))).convert(tmp_path, None)


def test_a_fixed_number_of_rows_is_refused() -> None:
    model = keras.Sequential([layers.Input(batch_shape=(8, 4), name="x"), layers.Dense(2)])
    with pytest.raises(UnsupportedModel, match="input 'x' takes 8 rows alone: give Input its shape without the batch"):
        adopt(model)


def test_text_is_refused() -> None:
    model = sequential(layers.StringLookup(vocabulary=["a", "b"]), shape=(1,), dtype="string", name="word")
    with pytest.raises(UnsupportedModel, match="input 'word' is text, and TensorFlow's operators for text are not in"):
        adopt(model)


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_a_lambda_is_not_read_without_leave(name: str, tmp_path: Path) -> None:
    path = saved(sequential(layers.Lambda(lambda x: x * 2, output_shape=(4,))), tmp_path / name)
    with pytest.raises(Untrusted, match="it has a Lambda layer, whose code runs when it is read"):
        tensorflow.load(path, LoadOptions())
    assert tensorflow.load(path, LoadOptions(trust=True)).origin.framework == "keras"


def test_layers_of_ones_own_are_refused_with_two_remedies(tmp_path: Path) -> None:
    plus = type("Plus", (layers.Layer,), {"call": lambda _, x: x + 1})
    path = saved(sequential(plus()), tmp_path / "model.keras")
    with pytest.raises(UnsupportedModel, match=r"it has layers of your own.*from the process that has it, or save it"):
        tensorflow.load(path, LoadOptions())


def test_weights_alone_are_refused(tmp_path: Path) -> None:
    model = sequential(layers.Dense(2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save_weights(tmp_path / "model.weights.h5")
    with pytest.raises(UnsupportedModel, match="weights without the model: save the whole model"):
        tensorflow.load(tmp_path / "model.weights.h5", LoadOptions())


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_a_cut_off_file_is_refused(name: str, tmp_path: Path) -> None:
    path = saved(sequential(layers.Dense(2)), tmp_path / name)
    path.write_bytes(path.read_bytes()[:900])
    with pytest.raises(UnsupportedModel, match="Keras does not read it"):
        tensorflow.load(path, LoadOptions())


class Squares(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([5, 2], tf.float32, name="x")])  # type: ignore[untyped-decorator]
    def five_rows(self, x: Any) -> Any:
        return {"square": x * x}

    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32, name="x")])  # type: ignore[untyped-decorator]
    def rows(self, x: Any) -> Any:
        return {"square": x * x}


def exported(folder: Path, **signatures: Any) -> Path:
    module = Squares()
    chosen = {name: getattr(module, function) for name, function in signatures.items()}
    tf.saved_model.save(module, str(folder), signatures=chosen)
    return folder


def test_a_signature_for_a_fixed_number_of_rows_is_refused(tmp_path: Path) -> None:
    path = exported(tmp_path / "m", serving_default="five_rows")
    with pytest.raises(UnsupportedModel, match=r"input 'x' takes 5 rows alone: save it with tf.function"):
        tensorflow.load(path, LoadOptions(trust=True))


def test_a_single_signature_may_have_any_name(tmp_path: Path) -> None:
    path = exported(tmp_path / "m", score="rows")
    assert tensorflow.load(path, LoadOptions(trust=True)).origin.kind == "SavedModel, score"


def test_several_signatures_without_a_default_are_refused(tmp_path: Path) -> None:
    path = exported(tmp_path / "m", a="rows", b="rows")
    with pytest.raises(UnsupportedModel, match="expected the signature serving_default, got a, b"):
        tensorflow.load(path, LoadOptions(trust=True))


class WritesAFile(TrackableResource):
    """What an attacker's graph does."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = str(path)

    def _create_resource(self) -> Any:
        return tf.constant(0.0)

    def _initialize(self) -> None:
        tf.io.write_file(self._path, "written")


def test_a_saved_model_can_bring_code_so_it_is_not_opened_without_leave(tmp_path: Path) -> None:
    module = Squares()
    module.resource = WritesAFile(tmp_path / "made")
    tf.saved_model.save(module, str(tmp_path / "m"), signatures=module.rows)
    (tmp_path / "made").unlink(missing_ok=True)
    with pytest.raises(Untrusted):
        tensorflow.load(tmp_path / "m", LoadOptions())
    assert not (tmp_path / "made").exists()
    tensorflow.load(tmp_path / "m", LoadOptions(trust=True))
    assert (tmp_path / "made").read_text() == "written"


def test_a_module_of_tensorflow_is_to_be_saved_first() -> None:
    with pytest.raises(UnsupportedModel, match=r"expected a model of Keras 3; save this by tf.saved_model.save"):
        tensorflow.adopt(Squares(), LoadOptions())
