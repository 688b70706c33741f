"""MLflow's folders, read without MLflow: an ONNX flavor, its signature and its input example."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from model_store.convert import mlflow
from model_store.convert.source import LoadOptions
from tests.build import models
from warmstart.errors import InvalidSample, UnsupportedModel

TABLE = {"columns": ["a", "b"], "data": [[1.5, 2.0], [None, 4.0]]}
COLUMNS = [{"name": "a", "type": "double"}, {"name": "b", "type": "float"}]


def logged(folder: Path, *, example: Any = None, kind: str = "dataframe", inputs: Any = None, **fields: Any) -> Path:
    """Write what `mlflow.onnx.log_model` does: sum = a + b."""
    (folder / "model.onnx").write_bytes(models.add())
    document = {"mlflow_version": "3.17.2", "flavors": {"onnx": {"data": "model.onnx"}, "python_function": {}}} | fields
    if inputs is not None:
        document["signature"] = {"inputs": json.dumps(inputs)}
    if example is not None:
        (folder / "input_example.json").write_text(json.dumps(example))
        document["saved_input_example_info"] = {"artifact_path": "input_example.json", "type": kind}
    (folder / "MLmodel").write_text(yaml.safe_dump(document))
    return folder


def test_a_folder_is_recognised_by_its_mlmodel(tmp_path: Path) -> None:
    assert not mlflow.recognises(tmp_path)
    assert mlflow.recognises(logged(tmp_path))


def test_the_frameworks_own_module_reads_what_the_flavor_names(tmp_path: Path) -> None:
    model = mlflow.load(logged(tmp_path), LoadOptions())

    assert model.origin.framework == "onnx"
    assert model.origin.kind.endswith(", by way of MLflow 3.17.2")


def test_a_tables_input_example_is_taken_over_with_the_signatures_types(tmp_path: Path) -> None:
    model = mlflow.load(logged(tmp_path, example=TABLE, inputs=COLUMNS), LoadOptions())

    assert model.example is not None
    np.testing.assert_array_equal(model.example["a"], np.array([1.5, np.nan]))
    assert [(name, column.dtype.name) for name, column in model.example.items()] == [("a", "float64"), ("b", "float32")]


def test_text_stays_text(tmp_path: Path) -> None:
    table = {"columns": ["city"], "data": [["Paris"], ["Köln"]]}

    model = mlflow.load(logged(tmp_path, example=table), LoadOptions())

    assert model.example is not None
    assert model.example["city"].tolist() == ["Paris", "Köln"]
    assert model.example["city"].dtype == object


def test_a_tensor_is_taken_over_with_the_signatures_type(tmp_path: Path) -> None:
    inputs = [{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 2]}}]

    model = mlflow.load(logged(tmp_path, example=[[1, 2]], kind="ndarray", inputs=inputs), LoadOptions())

    assert model.example is not None
    assert model.example["input"].dtype == np.float32
    assert model.example["input"].tolist() == [[1.0, 2.0]]


def test_without_an_example_there_is_none(tmp_path: Path) -> None:
    assert mlflow.load(logged(tmp_path, inputs=COLUMNS), LoadOptions()).example is None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"flavors": {"python_function": {}}}, "expected one of the flavors .* got python_function: log the model"),
        ({"flavors": {"onnx": {"data": "../../etc/passwd"}}}, "lies outside of the model's folder"),
        ({"flavors": {"onnx": {"data": "gone.onnx"}}}, r"onnx\.data names 'gone\.onnx', which is missing"),
        ({"flavors": "none"}, "expected a mapping with flavors"),
        ({"signature": {"inputs": "{"}}, "its signature cannot be read"),
        ({"signature": {"inputs": '[{"name": "when", "type": "datetime"}]'}}, "the type 'datetime'; expected boolean"),
    ],
    ids=["any code", "outside", "missing", "no mapping", "broken signature", "datetime"],
)
def test_what_cannot_be_published_is_refused(tmp_path: Path, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(UnsupportedModel, match=message):
        mlflow.load(logged(tmp_path, **fields), LoadOptions())


def test_a_broken_example_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(InvalidSample, match=r"cannot be read as MLflow's input example: .*; give --sample"):
        mlflow.load(logged(tmp_path, example={"columns": ["a"]}), LoadOptions())


def test_a_mlmodel_that_is_no_yaml_is_refused(tmp_path: Path) -> None:
    (tmp_path / "MLmodel").write_text("a: [")

    with pytest.raises(UnsupportedModel, match="not YAML"):
        mlflow.load(tmp_path, LoadOptions())
