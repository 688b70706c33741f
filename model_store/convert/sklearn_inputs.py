"""What a fitted estimator takes: one matrix, named columns, or texts; and the datatype of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model_store.convert.source import Batch, Sample, lacks
from warmstart.errors import InvalidSample, UnsupportedModel

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

Kind = Literal["FP32", "INT64", "BOOL", "BYTES"]
MATRIX: Final = "X"
TEXT: Final = "text"
_TEXT_VECTORIZERS: Final = ("TfidfVectorizer", "CountVectorizer")
_ENCODERS: Final = ("OneHotEncoder", "OrdinalEncoder", "TargetEncoder")


class Inputs(NamedTuple):
    """The graph's inputs: a `matrix` (rows, features), `texts` (rows, 1), or `columns`, each (rows, 1).

    With `joined` all columns go into one step, side by side, as FP32; else each goes its own way.
    """

    form: Literal["matrix", "texts", "columns"]
    specs: tuple[tuple[str, Kind], ...]
    width: int = 1
    joined: bool = False

    def rows(self, batch: Batch) -> Any:
        """Give rows as the estimator's user would: an array, a DataFrame, or a list of texts. Raises: Unreachable."""
        if self.form == "matrix":
            return batch[self.specs[0][0]]
        if self.form == "texts":
            return batch[self.specs[0][0]].ravel().tolist()
        try:
            import pandas as pd
        except ImportError as error:
            raise lacks(error, "sklearn") from error
        return pd.DataFrame({name: np.asarray(batch[name]).reshape(-1) for name, _ in self.specs})


class Group(NamedTuple):
    """Columns that one transformer of a ColumnTransformer takes together."""

    transformer: Any
    columns: tuple[str, ...]


def inputs_of(estimator: BaseEstimator, sample: Sample | None) -> Inputs:
    """Find what an estimator was fitted on. Raises: UnsupportedModel, InvalidSample."""
    first = first_step(estimator)
    if type(first).__name__ in _TEXT_VECTORIZERS:
        return Inputs("texts", ((TEXT, "BYTES"),))
    names = getattr(estimator, "feature_names_in_", None)
    if names is None:
        names = getattr(first, "feature_names_in_", None)
    if names is None or _are_made_up(names):
        return _matrix(estimator, first, sample)
    columns = tuple(str(name) for name in names)
    if type(first).__name__ != "ColumnTransformer":
        _refuse_text(columns, sample)
        return Inputs("columns", tuple((name, "FP32") for name in columns), joined=True)
    kinds = _kinds(first, columns, sample)
    return Inputs("columns", tuple((name, kinds[name]) for name in columns))


def _are_made_up(names: Sequence[str]) -> bool:
    """Say whether these are the names that LightGBM gives to the columns of an array."""
    return all(name == f"Column_{index}" for index, name in enumerate(names))


def _matrix(estimator: BaseEstimator, first: Any, sample: Sample | None) -> Inputs:
    width = getattr(estimator, "n_features_in_", None) or getattr(first, "n_features_in_", None) or _width(sample)
    if width is None:
        raise InvalidSample(
            f"{type(estimator).__name__}: it does not know how many columns it was fitted on: give rows with --sample"
        )
    encodes = type(first).__name__ in _ENCODERS
    kinds: set[Kind] = {_of_encoder(first, index) for index in range(width)} if encodes else {"FP32"}
    if len(kinds) > 1:
        raise UnsupportedModel(
            f"{type(first).__name__}: its columns have several datatypes; fit on a DataFrame with a ColumnTransformer"
        )
    return Inputs("matrix", ((MATRIX, kinds.pop()),), width)


def _width(sample: Sample | None) -> int | None:
    """Count a sample's columns: a table's, or its one matrix's."""
    if sample is None:
        return None
    first = next(iter(sample.columns.values()))
    return len(sample.columns) if first.ndim == 1 else int(first.shape[1])


def first_step(estimator: Any) -> Any:
    """Find the part that the rows come to first, through pipelines, searches and ensembles of estimators."""
    steps = getattr(estimator, "steps", None)
    if steps is not None:
        return next((first_step(step) for _, step in steps if step not in (None, "passthrough")), estimator)
    if (union := getattr(estimator, "transformer_list", None)) is not None:
        return first_step(union[0][1])
    for inner in ("best_estimator_", "regressor_", "estimator_"):
        if (found := getattr(estimator, inner, None)) is not None:
            return first_step(found)
    if (calibrated := getattr(estimator, "calibrated_classifiers_", None)) is not None:
        return first_step(calibrated[0].estimator)
    several = getattr(estimator, "estimators_", None)
    if isinstance(several, list) and several and hasattr(several[0], "steps"):
        return first_step(several[0])
    return estimator


def _kinds(transformer: Any, columns: tuple[str, ...], sample: Sample | None) -> dict[str, Kind]:
    """Give each column's datatype, by what its transformer was fitted on; of columns that are dropped, the sample's.

    Numbers are FP32, whole ones too: they meet others in one matrix, and a mean or a missing value is no whole number.
    """
    kinds = dict[str, Kind]()
    numbers = list[str]()
    for group in groups_of(transformer, columns):
        if isinstance(group.transformer, str) and group.transformer == "drop":
            continue
        for index, name in enumerate(group.columns):
            kind = _fitted(group.transformer, index)
            numbers += [name] if kind == "FP32" else []
            kinds[name] = kind if kinds.get(name, kind) == kind else "FP32"
    _refuse_text(numbers, sample)
    return {name: kinds.get(name) or _raw(name, sample) or _ask(name) for name in columns}


def _ask(name: str) -> Kind:
    raise InvalidSample(
        f"column {name!r}: the model does not use it, and so does not know its datatype: give rows with --sample"
    )


def groups_of(transformer: Any, columns: tuple[str, ...]) -> Iterator[Group]:
    """List a ColumnTransformer's transformers, each with its columns' names."""
    for _, part, chosen in transformer.transformers_:
        yield Group(part, _chosen(chosen, columns))


def _chosen(chosen: Any, columns: tuple[str, ...]) -> tuple[str, ...]:
    if isinstance(chosen, str):
        return (chosen,)
    if isinstance(chosen, slice):
        if isinstance(chosen.start, str) or isinstance(chosen.stop, str):
            start = 0 if chosen.start is None else columns.index(chosen.start)
            stop = len(columns) if chosen.stop is None else columns.index(chosen.stop) + 1
            return columns[start:stop]
        return columns[chosen]
    picked = list(np.atleast_1d(np.asarray(chosen)).tolist())
    if picked and all(isinstance(item, bool) for item in picked):
        return tuple(name for name, used in zip(columns, picked, strict=True) if used)
    return tuple(columns[item] if isinstance(item, int) else str(item) for item in picked)


def _fitted(transformer: Any, index: int) -> Kind:
    """Say what a fitted transformer takes."""
    first = first_step(transformer)
    kind = type(first).__name__
    if kind in _TEXT_VECTORIZERS:
        return "BYTES"
    if kind in _ENCODERS:
        return _of_encoder(first, index)
    if kind == "SimpleImputer" and first.statistics_.dtype.kind in "OUS":
        return "BYTES"
    return "FP32"


def _of_encoder(encoder: Any, index: int) -> Kind:
    categories: NDArray[Any] = encoder.categories_[index]
    match categories.dtype.kind:
        case "i" | "u":
            return "INT64"
        case "b":
            return "BOOL"
        case "f":
            return "FP32"
        case _:
            texts = sum(isinstance(value, str) for value in categories.tolist())
            return "BYTES" if texts else "INT64"


def _raw(name: str, sample: Sample | None) -> Kind | None:
    """Give the datatype of a sample's column. Raises: InvalidSample for what no request can carry."""
    if sample is None or name not in sample.columns:
        return None
    dtype = sample.columns[name].dtype
    match dtype.kind:
        case "O" | "U" | "S" | "T":
            return "BYTES"
        case "i" | "u":
            return "INT64"
        case "b":
            return "BOOL"
        case "f":
            return "FP32"
        case _:
            raise InvalidSample(f"column {name!r}: expected numbers, truth values or text, got {dtype}")


def _refuse_text(columns: Sequence[str], sample: Sample | None) -> None:
    texts = [name for name in columns if _raw(name, sample) == "BYTES"]
    if texts:
        raise InvalidSample(
            f"columns {', '.join(map(repr, texts))}: the model takes numbers, the sample has text; "
            "expected rows as those that the model was fitted on"
        )
