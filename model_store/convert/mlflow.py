"""An MLflow model: a folder with an `MLmodel` file, or an address of a registry (`models:/iris/3`, `runs:/<id>/model`).

The folder names the framework's own file, which that framework's module reads; the signature and the input example are
taken over. Only an address needs MLflow installed. Source: mlflow.org, "MLflow Model", "Storage Format".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model_store.convert.source import Batch, Converted, LoadOptions, Origin, Sample, SourceModel, lacks, of_package
from warmstart.errors import InvalidSample, UnsupportedModel

MLMODEL: Final = "MLmodel"
_DATA: Final[Mapping[str, str]] = {
    "onnx": "data",
    "sklearn": "pickled_model",
    "xgboost": "data",
    "lightgbm": "data",
    "pytorch": "model_data",
    "keras": "data",
    "tensorflow": "data",
    "transformers": "model_binary",
}
"""Flavors that can be published, the more particular first, and the field of each that names its file or folder."""
_TWO_SLASHES: Final = re.compile(r"^((?:s3|https?|mlflow-artifacts):)/(?!/)")
_INSIDE: Final = ("model.pt2", "model.pth", "model.keras", "model.h5", "model")
"""What a flavor's folder may hold."""
_TYPES: Final[Mapping[str, type[np.generic]]] = {
    "boolean": np.bool_,
    "integer": np.int32,
    "long": np.int64,
    "float": np.float32,
    "double": np.float64,
    "string": np.object_,
}
"""MLflow's column types that a request can carry."""


class MlflowModel:
    """The framework's model, with the rows and the column types that MLflow has of it."""

    def __init__(
        self,
        inner: SourceModel,
        *,
        version: str,
        example: Batch | None,
        typed: Sample | None,
        keeps: tuple[TemporaryDirectory[str] | None, ...],
    ) -> None:
        self._inner, self._version, self._example, self._typed = inner, version, example, typed
        self._keeps = keeps  # what the framework may still read from lives as long as this

    @property
    def origin(self) -> Origin:
        """The framework's own, and that it came by way of MLflow."""
        framework, version, kind = self._inner.origin
        return Origin(framework, version, f"{kind}, by way of MLflow {self._version}")

    @property
    def example(self) -> Batch | None:
        """The framework's own, else MLflow's input example: a table's columns, or one tensor."""
        return self._example if self._inner.example is None else self._inner.example

    def convert(self, folder: Path, sample: Sample | None) -> Converted:
        """Convert as the framework does; without a sample, by the column types of MLflow's signature."""
        return self._inner.convert(folder, sample or self._typed)

    def predict(self, inputs: Batch) -> Batch:
        """Answer as the framework does."""
        return self._inner.predict(inputs)


def recognises(path: Path) -> bool:
    """Say whether a folder has an `MLmodel` file."""
    return (path / MLMODEL).is_file()


def load(path: Path, options: LoadOptions) -> SourceModel:
    """Read a model's folder, or fetch the model behind an address first.

    Raises: UnsupportedModel, Untrusted, Unreachable if PyYAML, MLflow or the framework is not installed.
    """
    from model_store.convert.recognise import load as load_source

    fetched = None if path.is_dir() else TemporaryDirectory(prefix="warmstart-mlflow-")
    folder = path if fetched is None else _fetch(str(path), fetched.name)
    described = _read(folder)
    flavors = described.get("flavors", {})
    flavor = next((flavor for flavor in _DATA if flavor in flavors), None)
    if flavor is None:
        raise UnsupportedModel(
            f"{path}: expected one of the flavors {', '.join(_DATA)}; got {', '.join(flavors) or 'none'}: "
            "log the model with one of these, python_function alone is any code"
        )
    columns = _columns(described)
    example = _example(folder, described, columns)
    typed = Sample(example, "MLflow's input example") if example else _typed(columns)
    place = _place(folder, flavor, flavors[flavor])
    joined = _joined(folder, place) if flavor == "transformers" else None
    inner = load_source(
        place if joined is None else Path(joined.name), options._replace(sample=options.sample or typed)
    )
    version = found if isinstance(found := described.get("mlflow_version"), str) else "unknown"
    return MlflowModel(inner, version=version, example=example, typed=typed, keeps=(fetched, joined))


def adopt(model: object, options: LoadOptions) -> SourceModel | None:  # noqa: ARG001 - a framework's signature
    """Take no live object: MLflow's `PyFuncModel` wraps a framework's model; give that one.

    Raises: UnsupportedModel for a `PyFuncModel`.
    """
    if of_package(model, ("mlflow",)):
        raise UnsupportedModel(
            f"{type(model).__name__}: expected the framework's own model, or its address; "
            "unwrap it with .unwrap_python_model() or .get_raw_model(), or publish models:/<name>/<version>"
        )
    return None


def _fetch(address: str, folder: str) -> Path:
    """Download what an address names into a folder."""
    address = _TWO_SLASHES.sub(r"\1//", address)  # of `s3://`, pathlib left one
    try:
        from mlflow.artifacts import download_artifacts
    except ImportError as error:
        raise lacks(error, "mlflow") from error
    try:
        return Path(download_artifacts(address, dst_path=folder))
    except Exception as error:  # behind an address is any storage's SDK, which fails with classes of its own
        raise UnsupportedModel(f"{address}: MLflow does not find it: {error}; is MLFLOW_TRACKING_URI set?") from error


def _read(folder: Path) -> Mapping[str, Any]:
    try:
        import yaml
    except ImportError as error:
        raise lacks(error, "mlflow") from error
    try:
        document = yaml.load((folder / MLMODEL).read_bytes(), _loader())  # noqa: S506 - the safe one
    except (yaml.YAMLError, ValueError, RecursionError, TypeError, KeyError, AttributeError) as error:
        raise UnsupportedModel(f"{folder / MLMODEL}: not YAML: {error}; log the model again") from error
    except FileNotFoundError as error:
        raise UnsupportedModel(f"{folder}: expected an MLflow model, its MLmodel file is missing") from error
    if not isinstance(document, dict) or not _is_described(document):
        raise UnsupportedModel(f"{folder / MLMODEL}: expected a mapping with flavors; log the model again")
    return document


def _loader() -> Any:
    """Give YAML's safe loader without merge keys, which MLflow does not write: a few of them fill the memory."""
    import yaml

    class Loader(yaml.SafeLoader):
        def flatten_mapping(self, node: yaml.MappingNode) -> None:
            """Leave a merge key as it is: then it has no constructor, which is an error."""

    return Loader


def _is_described(document: Mapping[Any, Any]) -> bool:
    """Say whether flavors, signature and example are mappings, and the names of flavors text."""
    flavors = document.get("flavors", {})
    parts = [flavors, document.get("signature") or {}, document.get("saved_input_example_info") or {}]
    if not all(isinstance(part, dict) for part in parts):
        return False
    return all(isinstance(name, str) and isinstance(flavor, dict) for name, flavor in flavors.items())


def _place(folder: Path, flavor: str, described: Mapping[str, Any]) -> Path:
    """Find the framework's own file or folder. Raises: UnsupportedModel if it is missing or outside."""
    field = _DATA[flavor]
    name = described.get(field) or ("model" if flavor == "transformers" else "data")
    if not isinstance(name, str):  # not shown: YAML's references make short ones very long
        raise UnsupportedModel(f"{folder / MLMODEL}: {flavor}.{field}: expected the name of a file or folder")
    place = (folder / name).resolve()
    if not place.is_relative_to(folder.resolve()):
        raise UnsupportedModel(f"{folder / MLMODEL}: {flavor}.{field} {name!r} lies outside of the model's folder")
    if not place.exists():
        raise UnsupportedModel(f"{folder / MLMODEL}: {flavor}.{field} names {name!r}, which is missing")
    if place.is_dir() and flavor != "transformers" and not (place / "saved_model.pb").exists():
        return next((place / name for name in _INSIDE if (place / name).exists()), place)
    return place


def _joined(folder: Path, model: Path) -> TemporaryDirectory[str]:
    """Lay a transformers model and its tokenizer or processor, which MLflow keeps apart, into one folder of links."""
    joined = TemporaryDirectory(prefix="warmstart-mlflow-")
    parts = [part for part in (folder / "components").glob("*") if part.is_dir()]
    for part in (model, *parts):
        for file in part.iterdir():
            link = Path(joined.name, file.name)
            if not link.exists():
                link.symlink_to(file)
    return joined


def _columns(described: Mapping[str, Any]) -> Mapping[str, np.dtype[Any]] | None:
    """Read the named columns of the signature's inputs, None if it has none, or takes tensors."""
    try:
        inputs = json.loads((described.get("signature") or {}).get("inputs") or "[]")
        if not inputs or any("name" not in column or column["type"] == "tensor" for column in inputs):
            return None
        return {column["name"]: np.dtype(_TYPES[column["type"]]) for column in inputs}
    except KeyError as error:
        raise UnsupportedModel(
            f"{MLMODEL}: a column of the signature has the type {error}; expected {', '.join(_TYPES)}"
        ) from error
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise UnsupportedModel(f"{MLMODEL}: its signature cannot be read: {error}; log the model again") from error


def _typed(columns: Mapping[str, np.dtype[Any]] | None) -> Sample | None:
    """Make one row of the signature's types, for the converter: its values say nothing."""
    if columns is None:
        return None
    values = {name: np.array([""] if dtype.kind == "O" else [0], dtype) for name, dtype in columns.items()}
    return Sample(values, "MLflow's signature")


def _example(folder: Path, described: Mapping[str, Any], columns: Mapping[str, np.dtype[Any]] | None) -> Batch | None:
    """Read the input example: a table's columns, or one tensor called `input`; None if there is none."""
    info = described.get("saved_input_example_info") or {}
    if not (name := info.get("artifact_path")):
        return None
    if not isinstance(name, str) or not (folder / name).resolve().is_relative_to(folder.resolve()):
        raise InvalidSample(f"{folder / MLMODEL}: its input example lies outside of the model's folder; give --sample")
    path = folder / name
    try:
        document = json.loads(path.read_bytes())
        if info.get("type") == "dataframe":
            return _table(document, columns or {})
        if isinstance(document, list):
            return {"input": np.asarray(document, _tensor_type(described))}
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidSample(f"{path}: cannot be read as MLflow's input example: {error}; give --sample") from error
    return None  # an object of parameters, or text: nothing that rows could be made of


def _table(document: Mapping[str, Any], columns: Mapping[str, np.dtype[Any]]) -> Batch:
    rows: Sequence[Sequence[Any]] = document["data"]
    names = [str(name) for name in document["columns"]]
    return {name: _column([row[index] for row in rows], columns.get(name)) for index, name in enumerate(names)}


def _column(values: Sequence[Any], dtype: np.dtype[Any] | None) -> NDArray[Any]:
    if dtype is None:
        dtype = np.dtype(object) if any(isinstance(value, str) for value in values) else np.asarray(values).dtype
    if dtype.kind == "f":
        return np.array([np.nan if value is None else value for value in values], dtype)
    return np.array(list(values), dtype)


def _tensor_type(described: Mapping[str, Any]) -> str | None:
    inputs = json.loads((described.get("signature") or {}).get("inputs") or "[]")
    return inputs[0]["tensor-spec"]["dtype"] if inputs and inputs[0].get("type") == "tensor" else None
