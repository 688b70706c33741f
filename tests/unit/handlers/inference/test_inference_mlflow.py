"""MLflow's scoring protocol, through the data plane."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.build import scoring
from tests.build.inference import World
from tests.build.scoring import ask
from warmstart import __version__

ROOT = Path(__file__).parents[4]
INVOKE = "/invocations"
CHILD = """
import sys
from handlers.inference.routes.table import Routes
from warmstart.protocols.wire import Request
body = b'{"inputs": [[1, 2]]}'
Routes().find("POST", "/invocations").act.read(Request("POST", "/invocations", {}, body))
print(*(name for name in sys.modules if name.startswith("warmstart.protocols.")))
"""
TWO = {"predictions": [[2.0, 4.0], [6.0, 8.0]]}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return scoring.world(tmp_path_factory.mktemp("mlflow"))


@pytest.fixture(scope="module")
def adder(tmp_path_factory: pytest.TempPathFactory) -> World:
    return scoring.world(tmp_path_factory.mktemp("adder"), default="adder")


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_split": {"columns": ["w", "h"], "index": [0, 1], "data": [[1, 2], [3, 4]]}},
        {"dataframe_split": {"data": [[1, 2], [3, 4]]}},
        {"dataframe_records": [{"w": 1, "h": 2}, {"w": 3, "h": 4}]},
        {"instances": [[1, 2], [3, 4]]},
        {"instances": [{"x": [1, 2]}, {"x": [3, 4]}]},
        {"inputs": [[1, 2], [3, 4]]},
        {"inputs": {"x": [[1, 2], [3, 4]]}},
        {"inputs": {"w": [1, 3], "h": [2, 4]}, "params": {}},
        {"inputs": [[1, 2], [3, 4]], "params": None, "client_request_id": "a"},
    ],
)
def test_each_form_is_read(world: World, body: object) -> None:
    answered = ask(world, INVOKE, body)
    assert (answered.status, answered.json, answered.headers["content-type"]) == (200, TWO, "application/json")


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_split": {"columns": ["b", "a"], "data": [[1, 2], [3, 4]]}},
        {"dataframe_records": [{"b": 1, "a": 2}, {"a": 4, "b": 3}]},
        {"instances": [[2, 1], [4, 3]]},
        {"inputs": {"a": [2, 4], "b": [1, 3]}},
    ],
)
def test_columns_are_the_inputs_by_name(adder: World, body: object) -> None:
    assert ask(adder, INVOKE, body).json == {"predictions": [3.0, 7.0]}


def test_a_table_is_read_as_pandas_writes_it(world: World, adder: World) -> None:
    assert ask(world, INVOKE, b"w,h\n1,2\n3,4\n", content_type="text/csv").json == TWO
    assert ask(adder, INVOKE, b"b,a\n1,2\n3,4\n", content_type="text/csv; charset=UTF-8").json["predictions"] == [3, 7]


def test_a_missing_value_comes_as_python_writes_it(tmp_path: Path) -> None:
    body = json.dumps({"inputs": {"a": [1.0, float("nan")], "b": [2.0, 1.0]}})
    answered = ask(scoring.world(tmp_path, default="divider"), INVOKE, body)
    assert answered.status == 422
    assert answered.json["message"].startswith("output 'y': expected finite FP32 values, got nan at index 1")


def test_several_outputs_are_records(tmp_path: Path) -> None:
    answered = ask(scoring.world(tmp_path, default="iris"), INVOKE, {"instances": [[5.1, 3.5, 1.4, 0.2]]})
    scores = {"setosa": 0.75, "versicolor": 0.25, "virginica": 0.0}
    assert answered.json == {"predictions": [{"label": "setosa", "probabilities": scores}]}


def test_text_is_an_array_of_strings(tmp_path: Path) -> None:
    answered = ask(scoring.world(tmp_path, default="text"), INVOKE, {"inputs": ["a", "b"]})
    assert answered.json == {"predictions": ["a", "b"]}


@pytest.mark.parametrize("path", ["/ping", "/health"])
def test_the_server_says_that_it_lives_without_the_store(world: World, path: str) -> None:
    requests = len(world.store.requests)
    answered = world.ask("GET", path)
    assert (answered.status, answered.json, len(world.store.requests)) == (200, {"status": "Healthy"}, requests)


def test_the_version_is_text(world: World) -> None:
    answered = world.ask("GET", "/version")
    assert (answered.text, answered.headers["content-type"]) == (__version__, "text/plain; charset=utf-8")


def test_without_a_default_model_it_says_which_setting_is_missing(tmp_path: Path) -> None:
    answered = World(tmp_path).ask("POST", INVOKE, {"inputs": [[1, 2]]})
    expected: dict[str, Any] = {
        "error_code": "BAD_REQUEST",
        "message": "model: expected one in the path, or the setting default_model of this stage; got neither",
    }
    assert (answered.status, answered.json) == (400, expected)


def test_an_unsupported_body_is_answered_in_text_as_mlflow_does(world: World) -> None:
    answered = ask(world, INVOKE, b"PAR1", content_type="application/x-parquet")
    assert (answered.status, answered.headers["content-type"]) == (415, "text/plain; charset=utf-8")
    assert answered.text == "content-type: expected application/json or text/csv, got 'application/x-parquet'"


def test_a_store_that_is_down_is_temporary(tmp_path: Path) -> None:
    world = scoring.world(tmp_path)
    world.store.is_down = True
    answered = ask(world, INVOKE, {"inputs": [[1, 2]]})
    assert (answered.status, answered.json["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")


def test_json_waits_for_no_other_format_and_no_other_protocol() -> None:
    found = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    imported = {name.removeprefix("warmstart.protocols.") for name in found.split()}
    assert {"mlflow", "tables"} <= imported
    assert imported.isdisjoint({"azure_ml", "csv_table", "multipart", "npy", "plain", "torchserve"})
