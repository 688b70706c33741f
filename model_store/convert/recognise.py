"""Which framework a source belongs to: by its content, whatever it is called."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Final, cast

from model_store.convert.archive import MOST_BYTES, unpacked_bytes
from model_store.convert.source import Framework, LoadOptions, SourceModel
from warmstart.errors import UnsupportedModel

FRAMEWORKS: Final = ("onnx_file", "mlflow", "huggingface", "tensorflow", "torch", "xgboost", "lightgbm", "sklearn")
"""Modules of this folder, in the order in which they are asked: what is more particular comes first."""
ADDRESSES: Final = {
    "mlflow": re.compile(r"(models|runs|mlflow-artifacts|s3|https?):/"),
    "torch": re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*\Z"),
}
"""What is no path: `models:/iris/3`, `package.module:factory`."""


def load(source: object, options: LoadOptions) -> SourceModel:
    """Read a source: a path, an address (`models:/iris/3`, `package.module:factory`), or a model.

    Raises: UnsupportedModel if nobody knows it; what the framework's `load` raises.
    """
    if isinstance(source, str | Path):
        return _load_path(Path(source), str(source), options)
    for framework in _frameworks():
        if (model := framework.adopt(source, options)) is not None:
            return model
    raise UnsupportedModel(
        f"{type(source).__module__}.{type(source).__qualname__}: expected a model of scikit-learn, XGBoost, LightGBM, "
        "PyTorch, Keras or transformers, or a path to one"
    )


def _load_path(path: Path, text: str, options: LoadOptions) -> SourceModel:
    if not text.isprintable():
        raise UnsupportedModel(f"{text!r}: expected a name of printable characters in UTF-8: rename it")
    if not path.exists():
        for framework, address in ADDRESSES.items():
            if address.match(text):
                return _framework(framework).load(Path(text), options)
        raise UnsupportedModel(f"{text}: expected a model's file or folder, found nothing")
    _refuse_what_never_ends(path)
    for known in _frameworks():
        if known.recognises(path):
            return known.load(path, options)
    raise UnsupportedModel(
        f"{text}: expected a model of ONNX, scikit-learn (skops, joblib, pickle), XGBoost, LightGBM, PyTorch (.pt2, "
        "TorchScript), Keras, TensorFlow (SavedModel), MLflow or Hugging Face; its content is none of these"
    )


def _refuse_what_never_ends(path: Path) -> None:
    """Refuse an archive that would fill the memory, and a folder with something that is no file: a pipe, a device."""
    if path.is_dir():
        for found in (*path.glob("*"), *path.glob("*/*")):
            if found.exists() and not found.is_file() and not found.is_dir():
                raise UnsupportedModel(f"{found}: expected files and folders alone: a pipe or a device is none")
    elif (size := unpacked_bytes(path)) > MOST_BYTES:
        raise UnsupportedModel(
            f"{path}: an archive of {size / 2**20:,.0f} MB once unpacked: expected at most {MOST_BYTES // 2**20:,}, "
            "the memory of the largest function"
        )


def _frameworks() -> Iterator[Framework]:
    return (_framework(name) for name in FRAMEWORKS)


def _framework(name: str) -> Framework:
    return cast("Framework", import_module(f"model_store.convert.{name}"))
