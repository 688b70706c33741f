"""The estimators inside an estimator: what they are called, whether they can be converted, and with which options."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from model_store.convert.sklearn_corrections import refuse, text_options
from model_store.convert.sklearn_outputs import last_step

_MOST: Final = 64
"""Of a list of estimators so many are looked at: a forest's trees are all of a kind."""


def described(estimator: Any) -> str:
    """Name an estimator: a pipeline by its steps, a search by what it found."""
    kind = type(estimator).__name__
    if (steps := getattr(estimator, "steps", None)) is not None:
        return f"{kind}({', '.join(described(step) for _, step in steps)})"
    for inner in ("best_estimator_", "regressor_"):
        if (found := getattr(estimator, inner, None)) is not None:
            return f"{kind}({described(found)})"
    return estimator if isinstance(estimator, str) else kind


def parts_of(estimator: Any) -> tuple[Any, ...]:
    """List an estimator and all that are in it, each once."""
    found = dict[int, Any]()
    _collect(estimator, found)
    return tuple(found.values())


def _collect(part: Any, found: dict[int, Any]) -> None:
    if id(part) in found:
        return
    found[id(part)] = part
    for inner in _inside(list(vars(part).values())):
        _collect(inner, found)


def _inside(values: Sequence[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, list | tuple):
            yield from _inside(value[:_MOST])
        elif hasattr(value, "get_params") and hasattr(value, "__dict__") and not isinstance(value, type):
            yield value


def check_parts(estimator: Any) -> None:
    """Refuse what is known to fail only when it runs. Raises: UnsupportedModel."""
    for part in parts_of(estimator):
        refuse(part)


def options_of(estimator: Any) -> dict[int, dict[str, Any]]:
    """Give skl2onnx's options, by the part's id: no ZipMap where it may be left out, and the words of texts."""
    options = dict[int, dict[str, Any]]()
    if _knows_zipmap(last_step(estimator)):
        options[id(estimator)] = {"zipmap": False}
        options[id(last_step(estimator))] = {"zipmap": False}
    for part in parts_of(estimator):
        if type(part).__name__ in ("TfidfVectorizer", "CountVectorizer"):
            options[id(part)] = dict(text_options(part))
    return options


def _knows_zipmap(classifier: Any) -> bool:
    from skl2onnx._supported_operators import sklearn_operator_name_map
    from skl2onnx.common._registration import get_converter
    from sklearn.base import is_classifier

    alias = sklearn_operator_name_map.get(type(classifier))
    if alias is None or not is_classifier(classifier):
        return False
    return "zipmap" in (get_converter(alias).get_allowed_options() or ())
