"""Azure Machine Learning's scoring protocol, through the data plane."""

from __future__ import annotations

import pytest

from tests.build import scoring
from tests.build.inference import World
from tests.build.scoring import ask


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return scoring.world(tmp_path_factory.mktemp("azure-ml"))


@pytest.mark.parametrize(
    "body",
    [
        {"input_data": {"columns": ["w", "h"], "index": [0, 1], "data": [[1, 2], [3, 4]]}},
        {"input_data": {"columns": [0, 1], "data": [[1, 2], [3, 4]]}, "params": {}},
        {"input_data": [[1, 2], [3, 4]]},
        {"input_data": {"x": [[1, 2], [3, 4]]}},
        {"data": [[1, 2], [3, 4]]},
        {"data": [{"w": 1, "h": 2}, {"w": 3, "h": 4}]},
    ],
)
def test_each_form_is_answered_by_a_list(world: World, body: object) -> None:
    answered = ask(world, "/score", body)
    assert (answered.status, answered.json) == (200, [[2.0, 4.0], [6.0, 8.0]])


@pytest.mark.parametrize(("body", "status", "failed"), [([1], 400, "False"), ({"data": [[3e38, 3e38]]}, 422, "True")])
def test_an_error_says_whether_the_model_failed(world: World, body: object, status: int, failed: str) -> None:
    answered = ask(world, "/score", body)
    assert (answered.status, answered.headers["x-ms-run-function-failed"]) == (status, failed)
    assert list(answered.json) == ["message"]
