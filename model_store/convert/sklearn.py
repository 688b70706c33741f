"""scikit-learn: a fitted estimator or pipeline, from skops, joblib, pickle or this process, to ONNX with skl2onnx."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from model_store.convert.boosting import register
from model_store.convert.graph import join_columns
from model_store.convert.pickles import load_saved, saved
from model_store.convert.sklearn_example import example_of
from model_store.convert.sklearn_inputs import Inputs, inputs_of
from model_store.convert.sklearn_outputs import answer, labels_of, outputs_of, shape_outputs
from model_store.convert.sklearn_parts import check_parts, described, options_of, parts_of
from model_store.convert.sklearn_target import append_inverse, without_target
from model_store.convert.source import Batch, Converted, LoadOptions, Origin, Sample, SourceModel, lacks, of_package
from warmstart.errors import UnsupportedModel

if TYPE_CHECKING:
    from onnx import ModelProto
    from sklearn.base import BaseEstimator

OPSET: Final[Mapping[str, int]] = {"": 18, "ai.onnx.ml": 3}
"""What skl2onnx's converters were written for, and every ONNX Runtime of the last years has."""
FAILURES: Final = (RuntimeError, ValueError, TypeError, NameError, AttributeError, LookupError, ArithmeticError)
"""skl2onnx and scikit-learn have no class of their own for "cannot": they fail with whatever they run into."""
_OTHERS: Final = ("xgboost", "lightgbm", "catboost", "torch", "keras", "tensorflow", "transformers", "mlflow")
"""Packages whose pickles are no estimators of scikit-learn's."""


class SklearnModel:
    """A fitted estimator. `framework` and `version` are those of the package that it is from.

    `warned` is what was said when it was read: that another version of scikit-learn wrote it. `stand_in` is converted
    in its place.
    """

    def __init__(
        self,
        estimator: BaseEstimator,
        *,
        framework: str,
        version: str,
        sample: Sample | None,
        warned: Sequence[str] = (),
        stand_in: BaseEstimator | None = None,
    ) -> None:
        self._estimator, self._framework, self._version = estimator, framework, version
        self._stand_in = estimator if stand_in is None else stand_in
        self._warned = "".join(f" ({text})" for text in warned)
        self._sample = sample
        self._inputs: Inputs | None = None

    @property
    def origin(self) -> Origin:
        """Name the estimator, a pipeline's steps included, and what was warned of when it was read."""
        return Origin(self._framework, self._version, described(self._estimator) + self._warned)

    @property
    def example(self) -> Batch | None:
        """Rows of what its encoders and vectorizers know; None where it takes numbers alone."""
        return example_of(self._estimator, self._find_inputs())

    def convert(self, folder: Path, sample: Sample | None) -> Converted:
        """Convert with skl2onnx.

        Inputs are the columns that it was fitted on, each (-1, 1), or `X` (-1, features), or `text` (-1, 1). Outputs
        are `label` and `probabilities` (or `scores`, of what has a decision function alone), `variable` of a regressor
        or a transformer, `probabilities_0`, ... of a classifier with several labels.
        """
        if sample is not None:
            self._sample, self._inputs = sample, None
        inputs = self._find_inputs()
        try:
            model = to_graph(self._stand_in, inputs)
        except UnsupportedModel as error:
            raise UnsupportedModel(error.message + self._warned) from error
        path = folder / "model.onnx"
        path.write_bytes(model.SerializeToString())
        return Converted(path, labels_of(self._estimator))

    def predict(self, inputs: Batch) -> Batch:
        """Ask the estimator, with a DataFrame if it was fitted on one."""
        rows = self._find_inputs().rows(inputs)
        try:
            return answer(self._estimator, rows, outputs_of(self._estimator))
        except FAILURES as error:
            raise UnsupportedModel(f"{type(self._estimator).__name__}: {error}{self._warned}") from error

    def _find_inputs(self) -> Inputs:
        if self._inputs is None:
            self._inputs = inputs_of(self._estimator, self._sample)
        return self._inputs


def recognises(path: Path) -> bool:
    """Say whether a file is one of skops, joblib or pickle, of no other framework's class."""
    found = saved(path)
    return found is not None and found.package not in _OTHERS


def load(path: Path, options: LoadOptions) -> SourceModel:
    """Read a file. Raises: Untrusted, UnsupportedModel, Unreachable."""
    model, warned = load_saved(path, options)
    adopted = adopt(model, options, warned=warned)
    if adopted is None:
        raise UnsupportedModel(
            f"{path}: expected a fitted estimator of scikit-learn, got {type(model).__module__}."
            f"{type(model).__qualname__}: save the estimator alone"
        )
    return adopted


def adopt(model: object, options: LoadOptions, *, warned: Sequence[str] = ()) -> SourceModel | None:
    """Take an estimator, or anything else that derives from scikit-learn's. Raises: UnsupportedModel if not fitted."""
    if not of_package(model, ("sklearn",)):
        return None
    try:
        import skl2onnx  # noqa: F401 - without it nothing can be converted: say so before the model is asked
        import sklearn
        from sklearn.exceptions import NotFittedError
        from sklearn.utils.validation import check_is_fitted
    except ImportError as error:
        raise lacks(error, "sklearn") from error
    try:
        check_is_fitted(model)
    except NotFittedError as error:
        raise UnsupportedModel(f"{type(model).__name__}: expected a fitted estimator: call fit first") from error
    except TypeError:
        return None  # derives from something of scikit-learn's, and is no estimator
    return SklearnModel(
        model, framework="scikit-learn", version=sklearn.__version__, sample=options.sample, warned=warned
    )


def to_graph(estimator: BaseEstimator, inputs: Inputs) -> ModelProto:
    """Convert an estimator that takes these inputs. Raises: UnsupportedModel, naming the part that cannot be."""
    check_parts(estimator)
    plain, inverse = without_target(estimator)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what skl2onnx is not sure of, parity shows
        model = _convert(plain, inputs)
    shape_outputs(model, plain, outputs_of(plain))
    append_inverse(model.graph, inverse)
    if inputs.joined:
        join_columns(model, "X", [(name, _code(kind)) for name, kind in inputs.specs])
    return model


def _convert(estimator: BaseEstimator, inputs: Inputs) -> ModelProto:
    from skl2onnx import convert_sklearn
    from skl2onnx.common.exceptions import MissingConverter, MissingShapeCalculator

    from model_store.convert.sklearn_corrections import corrected_converters, corrected_shapes

    parts = parts_of(estimator)
    register(parts)
    try:
        model: ModelProto = convert_sklearn(
            estimator,
            "model",
            _initial_types(inputs),
            target_opset=dict(OPSET),
            options=options_of(estimator),
            custom_conversion_functions=corrected_converters(parts),
            custom_shape_calculators=corrected_shapes(parts),
        )
        return model
    except (MissingShapeCalculator, MissingConverter) as error:
        raise UnsupportedModel(_missing(estimator, str(error))) from error
    except FAILURES as error:
        raise UnsupportedModel(f"{described(estimator)}: skl2onnx does not convert it: {_first(error)}") from error


def _missing(estimator: BaseEstimator, text: str) -> str:
    name = text.partition("<class '")[2].partition("'")[0] or type(estimator).__name__
    return f"{name}: skl2onnx has no converter for it: leave it out, or do what it does before the model"


def _first(error: Exception) -> str:
    """Take a message without the advice and the data that skl2onnx puts behind it."""
    text = " ".join(str(error).partition("You may raise an issue")[0].split())
    return text if len(text) < 400 else f"{text[:400]}..."


def _initial_types(inputs: Inputs) -> list[tuple[str, Any]]:
    from skl2onnx.common import data_types

    types = {
        "FP32": data_types.FloatTensorType,
        "INT64": data_types.Int64TensorType,
        "BOOL": data_types.BooleanTensorType,
        "BYTES": data_types.StringTensorType,
    }
    if inputs.joined:
        return [("X", data_types.FloatTensorType([None, len(inputs.specs)]))]
    return [(name, types[kind]([None, inputs.width])) for name, kind in inputs.specs]


def _code(kind: str) -> int:
    from warmstart.datatypes import DATATYPES

    return DATATYPES[kind].onnx_code
