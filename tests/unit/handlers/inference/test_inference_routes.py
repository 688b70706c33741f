"""Paths to operations."""

from __future__ import annotations

import pytest

from handlers.inference.routes import Operation, Route, find_route, speaks_records
from warmstart.errors import InvalidReference, MethodNotAllowed, RouteNotFound
from warmstart.refs import ModelRef

LIVE = ModelRef("iris", None, "live")
THIRD = ModelRef("iris", 3, None)


@pytest.mark.parametrize(
    ("method", "path", "route"),
    [
        ("GET", "/v2", Route(Operation.SERVER, None)),
        ("GET", "/v2/health/live", Route(Operation.LIVE, None)),
        ("GET", "/v2/health/ready", Route(Operation.READY, None)),
        ("GET", "/v2/models/iris", Route(Operation.MODEL, LIVE)),
        ("GET", "/v2/models/iris/ready", Route(Operation.MODEL_READY, LIVE)),
        ("POST", "/v2/models/iris/infer", Route(Operation.INFER, LIVE)),
        ("GET", "/v2/models/iris/versions/3", Route(Operation.MODEL, THIRD)),
        ("GET", "/v2/models/iris/versions/3/ready", Route(Operation.MODEL_READY, THIRD)),
        ("POST", "/v2/models/iris/versions/3/infer", Route(Operation.INFER, THIRD)),
        ("POST", "/v2/models/iris:3/infer", Route(Operation.INFER, THIRD)),
        ("POST", "/v2/models/iris@canary/infer", Route(Operation.INFER, ModelRef("iris", None, "canary"))),
        ("POST", "/v2/models/iris%40canary/infer", Route(Operation.INFER, ModelRef("iris", None, "canary"))),
        ("POST", "/predict/iris", Route(Operation.PREDICT, LIVE)),
    ],
)
def test_a_path_is_an_operation_on_a_model(method: str, path: str, route: Route) -> None:
    assert find_route(method, path) == route


@pytest.mark.parametrize(
    "path",
    ["", "/", "/v1", "/v2/models", "/v2/health", "/v2/models/iris/explain", "/v2/models/a/versions", "/predict",
     "/predict/a/b", "v2"],
)  # fmt: skip
def test_a_path_that_is_none_is_not_found(path: str) -> None:
    with pytest.raises(RouteNotFound):
        find_route("GET", path)


@pytest.mark.parametrize(
    ("method", "path", "allowed"), [("GET", "/predict/a", "POST"), ("POST", "/v2", "GET"), ("HEAD", "/v2", "GET")]
)
def test_a_method_that_is_not_the_paths_is_refused_with_those_that_are(method: str, path: str, allowed: str) -> None:
    with pytest.raises(MethodNotAllowed) as caught:
        find_route(method, path)
    assert caught.value.allowed == (allowed,)


@pytest.mark.parametrize("path",
    ["/v2/models/Iris/infer", "/v2/models/iris@canary/versions/3/infer", "/v2/models/iris/versions/x/infer",
     "/predict/%2e%2e"],
)  # fmt: skip
def test_a_malformed_reference_is_refused(path: str) -> None:
    with pytest.raises(InvalidReference):
        find_route("POST", path)


def test_only_predict_speaks_records() -> None:
    assert (speaks_records("/predict/a"), speaks_records("/v2/models/predict")) == (True, False)
