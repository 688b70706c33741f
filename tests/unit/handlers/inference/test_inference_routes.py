"""Paths to what is done about them."""

from __future__ import annotations

import json

import pytest

from handlers.inference.routes.route import Operation
from handlers.inference.routes.table import Routes
from warmstart.errors import InvalidReference, MethodNotAllowed, RouteNotFound
from warmstart.refs import ModelRef

LIVE = ModelRef("iris", None, "live")
THIRD = ModelRef("iris", 3, None)
CANARY = ModelRef("iris", None, "canary")


@pytest.mark.parametrize(
    ("method", "path", "protocol", "operation", "ref"),
    [
        ("GET", "/v2", "oip", Operation.SERVER, None),
        ("GET", "/v2/health/live", "oip", Operation.LIVE, None),
        ("GET", "/v2/health/ready", "oip", Operation.READY, None),
        ("GET", "/v2/models/iris", "oip", Operation.MODEL, LIVE),
        ("GET", "/v2/models/iris/ready", "oip", Operation.MODEL_READY, LIVE),
        ("POST", "/v2/models/iris/infer", "oip", Operation.INFER, LIVE),
        ("GET", "/v2/models/iris/versions/3", "oip", Operation.MODEL, THIRD),
        ("GET", "/v2/models/iris/versions/3/ready", "oip", Operation.MODEL_READY, THIRD),
        ("POST", "/v2/models/iris/versions/3/infer", "oip", Operation.INFER, THIRD),
        ("POST", "/v2/models/iris:3/infer", "oip", Operation.INFER, THIRD),
        ("POST", "/v2/models/iris@canary/infer", "oip", Operation.INFER, CANARY),
        ("POST", "/v2/models/iris%40canary/infer", "oip", Operation.INFER, CANARY),
        ("POST", "/v2/repository/index", "oip", Operation.INDEX, None),
        ("GET", "/v2/models/stats", "oip", Operation.STATISTICS, None),
        ("GET", "/v2/models/iris/stats", "oip", Operation.STATISTICS, LIVE),
        ("GET", "/v2/models/iris/versions/3/stats", "oip", Operation.STATISTICS, THIRD),
        ("POST", "/predict/iris", "plain", Operation.INFER, LIVE),
        ("POST", "/predict", "plain", Operation.INFER, None),
        ("POST", "/invocations", "mlflow", Operation.INFER, None),
        ("GET", "/ping", "mlflow", Operation.READY, None),
        ("GET", "/health", "mlflow", Operation.READY, None),
        ("GET", "/version", "mlflow", Operation.SERVER, None),
        ("POST", "/endpoints/iris/invocations", "sagemaker", Operation.INFER, LIVE),
        ("POST", "/endpoints/iris%40canary/invocations", "sagemaker", Operation.INFER, CANARY),
        ("POST", "/predictions/iris", "torchserve", Operation.INFER, LIVE),
        ("POST", "/predictions/iris/3", "torchserve", Operation.INFER, THIRD),
        ("POST", "/predictions/iris/3.0", "torchserve", Operation.INFER, THIRD),
        ("GET", "/models", "torchserve", Operation.INDEX, None),
        ("GET", "/models/iris", "torchserve", Operation.MODEL, LIVE),
        ("GET", "/models/iris/3", "torchserve", Operation.MODEL, THIRD),
        ("POST", "/score", "azure_ml", Operation.INFER, None),
    ],
)
def test_a_path_is_an_operation_on_a_model_in_a_protocol(
    method: str, path: str, protocol: str, operation: Operation, ref: ModelRef | None
) -> None:
    found = Routes().find(method, path)
    assert (found.protocol, found.operation, found.ref) == (protocol, operation, ref)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/v3",
        "/v2/models",
        "/v2/health",
        "/v2/models/iris/explain",
        "/v2/models/a/versions",
        "/predict/a/b",
        "/invocations/a",
        "/ping/a",
        "/endpoints",
        "/endpoints/iris",
        "/predictions",
        "/predictions/a/1/b",
        "/models/a/1/b",
        "/score/a",
        "v2",
    ],
)
def test_a_path_that_is_none_is_not_found(path: str) -> None:
    with pytest.raises(RouteNotFound):
        Routes().find("GET", path)


@pytest.mark.parametrize(
    ("method", "path", "allowed"), [("GET", "/predict/a", "POST"), ("POST", "/v2", "GET"), ("HEAD", "/v2", "GET")]
)
def test_a_method_that_is_not_the_paths_is_refused_with_those_that_are(method: str, path: str, allowed: str) -> None:
    with pytest.raises(MethodNotAllowed) as caught:
        Routes().find(method, path)
    assert caught.value.allowed == (allowed,)


@pytest.mark.parametrize("path",
    ["/v2/models/Iris/infer", "/v2/models/iris@canary/versions/3/infer", "/v2/models/iris/versions/x/infer",
     "/predict/%2e%2e"],
)  # fmt: skip
def test_a_malformed_reference_is_refused(path: str) -> None:
    with pytest.raises(InvalidReference):
        Routes().find("POST", path)


def test_an_error_has_the_shape_of_the_protocol_whose_path_it_is() -> None:
    shapes = {
        path: json.loads(Routes().render_error(path)(404, "not_found", "no").body)
        for path in ("/predict/a/b", "/v2/nothing", "/elsewhere", "")
    }
    assert shapes == {
        "/predict/a/b": {"error": {"code": "not_found", "message": "no"}},
        "/v2/nothing": {"error": "no"},
        "/elsewhere": {"error": "no"},
        "": {"error": "no"},
    }
