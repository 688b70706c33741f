"""Where skl2onnx's converters are wrong with current versions, or say no without need: what is done instead.

Each was seen with skl2onnx 1.20, scikit-learn 1.9, onnx 1.23 and protobuf 7, and goes when its test passes without it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from model_store.convert.sklearn_functions import convert_function, shape_function
from warmstart.errors import UnsupportedModel

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

Convert = Callable[[Any, Any, Any], None]
"""skl2onnx's form of a converter: scope, operator, container."""

TEXT_LOCALE: Final = "C.UTF-8"
"""skl2onnx's graphs say en_US.UTF-8, which Lambda's images do not have: ONNX Runtime would not load them."""
WORDS: Final = r"[\pL\pN_]{2,}"
"""RE2's words for Python's default `\\b\\w\\w+\\b`; skl2onnx's own are ASCII alone, and of one letter too."""
_DEFAULT_PATTERN: Final = r"(?u)\b\w\w+\b"


def text_options(vectorizer: Any) -> dict[str, str]:
    """Give the options of a text vectorizer: a locale that Lambda has, and Unicode's words."""
    options = {"locale": TEXT_LOCALE}
    if vectorizer.analyzer == "word" and vectorizer.token_pattern == _DEFAULT_PATTERN:
        options["tokenexp"] = WORDS
    return options


def corrected_converters(parts: Sequence[Any]) -> dict[type[Any], Convert]:
    """Give converters for those of the parts that need another than skl2onnx's own."""
    corrected: Mapping[str, Convert] = {
        "HistGradientBoostingClassifier": _plain_numbers("SklearnHistGradientBoostingClassifier"),
        "HistGradientBoostingRegressor": _plain_numbers("SklearnHistGradientBoostingRegressor"),
        "VotingClassifier": _as_other("SklearnVotingClassifier", _without_flatten),
        "LinearDiscriminantAnalysis": _as_other("SklearnLinearClassifier", _as_logistic),
        "FunctionTransformer": convert_function,
    }
    return {type(part): corrected[name] for part in parts if (name := type(part).__name__) in corrected}


def corrected_shapes(parts: Sequence[Any]) -> dict[type[Any], Callable[[Any], None]]:
    """Give what finds the output's shape, where skl2onnx's own refuses."""
    return {type(part): shape_function for part in parts if type(part).__name__ == "FunctionTransformer"}


def _plain_numbers(alias: str) -> Convert:
    """Write truth values as whole numbers: protobuf 7 no longer takes `True` for 1."""

    def convert(scope: Any, operator: Any, container: Any) -> None:
        _registered(alias)(scope, operator, _PlainNumbers(container))

    return convert


class _PlainNumbers:
    """skl2onnx's container, which takes attributes whose lists hold truth values."""

    def __init__(self, container: Any) -> None:
        self._container = container

    def __getattr__(self, name: str) -> Any:
        return getattr(self._container, name)

    def add_node(self, *args: Any, **attributes: Any) -> None:
        plain = {name: _whole(value) if isinstance(value, list) else value for name, value in attributes.items()}
        self._container.add_node(*args, **plain)


def _whole(values: list[Any]) -> list[Any]:
    return [int(value) if isinstance(value, bool | np.bool_) else value for value in values]


def _as_other(alias: str, change: Callable[[Any], Any]) -> Convert:
    """Convert a changed copy of the estimator in its place."""

    def convert(scope: Any, operator: Any, container: Any) -> None:
        original = operator.raw_operator
        operator.raw_operator = change(original)
        try:
            _registered(alias)(scope, operator, container)
        finally:
            operator.raw_operator = original

    return convert


def _without_flatten(voting: BaseEstimator) -> BaseEstimator:
    """Drop `flatten_transform`, which concerns `transform` alone; skl2onnx refuses it for `predict`, too."""
    changed = copy.copy(voting)
    changed.flatten_transform = False
    return changed


def _as_logistic(analysis: Any) -> Any:
    """Answer as a logistic regression of the same weights: skl2onnx applies softmax to a single score, not logistic."""
    from sklearn.linear_model import LogisticRegression

    logistic = LogisticRegression()
    logistic.coef_, logistic.intercept_, logistic.classes_ = analysis.coef_, analysis.intercept_, analysis.classes_
    return logistic


def _registered(alias: str) -> Convert:
    from skl2onnx.common._registration import get_converter

    found: Convert = get_converter(alias)
    return found


def refuse(part: Any) -> None:
    """Refuse a part whose conversion is known to fail only when it runs. Raises: UnsupportedModel."""
    kind = type(part).__name__
    if kind == "KNNImputer":
        raise UnsupportedModel(
            f"{kind}: what skl2onnx makes of it ends ONNX Runtime's process (a division by zero); use SimpleImputer"
        )
    if kind in ("TfidfVectorizer", "CountVectorizer") and part.stop_words is not None and part.ngram_range[1] > 1:
        raise UnsupportedModel(
            f"{kind}: skl2onnx does not leave out stop words, which changes what n-grams of several words are; "
            "fit it with stop_words=None, or with ngram_range=(1, 1)"
        )
