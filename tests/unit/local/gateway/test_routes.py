"""Which resource and method a request is for."""

import pytest

from local.gateway.failures import Failure
from local.gateway.routes import Routes
from tests.build.gateway import proxy, route


def test_an_exact_part_wins_over_a_parameter_and_that_over_a_greedy_one() -> None:
    routes = Routes([route("/{proxy+}"), route("/models/{model}"), route("/models/health")])
    assert routes.match("/models/health", "GET").route.path == "/models/health"
    assert routes.match("/models/iris", "GET").route.path == "/models/{model}"
    assert routes.match("/models/iris/infer", "GET").route.path == "/{proxy+}"


def test_an_early_exact_part_wins_over_a_later_one() -> None:
    routes = Routes([route("/{a}/b"), route("/a/{b}")])
    assert routes.match("/a/b", "GET").route.path == "/a/{b}"


def test_path_parameters_stay_percent_encoded_as_on_aws() -> None:
    match = Routes([route("/v2/models/{model}/infer")]).match("/v2/models/iris%40canary/infer", "GET")
    assert match.parameters == {"model": "iris%40canary"}


def test_a_greedy_parameter_takes_the_rest_with_its_empty_parts() -> None:
    match = Routes([route("/admin/{proxy+}")]).match("/admin/a//b%2Bc", "GET")
    assert match.parameters == {"proxy": "a//b%2Bc"}


def test_a_greedy_parameter_needs_something() -> None:
    with pytest.raises(Failure, match="Missing Authentication Token"):
        Routes([route("/admin/{proxy+}")]).match("/admin", "GET")


def test_a_slash_at_the_end_is_ignored() -> None:
    match = Routes([route("/admin/{proxy+}")]).match("/admin/models/", "GET")
    assert match.parameters == {"proxy": "models"}


def test_the_root_is_a_resource() -> None:
    assert Routes([route("/")]).match("/", "GET").route.path == "/"
    assert Routes([route("/")]).match("", "GET").route.path == "/"


def test_a_method_of_its_own_wins_over_any() -> None:
    own = proxy("GET", operation_name="own")
    match = Routes([route("/a", proxy("ANY"), own)]).match("/a", "GET")
    assert match.method.operation_name == "own"


@pytest.mark.parametrize("method", ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"])
def test_any_stands_for_seven_methods(method: str) -> None:
    assert Routes([route("/a", proxy("ANY"))]).match("/a", method).method.http_method == "ANY"


@pytest.mark.parametrize(("path", "method"), [("/b", "GET"), ("/a", "POST"), ("/a", "TRACE"), ("/a/b", "GET")])
def test_an_unknown_path_or_method_is_a_missing_authentication_token(path: str, method: str) -> None:
    with pytest.raises(Failure, match="Missing Authentication Token"):
        Routes([route("/a", proxy("GET"))]).match(path, method)


def test_a_resource_without_methods_matches_nothing() -> None:
    routes = Routes([route("/{proxy+}"), route("/models").__class__(resource_id="r", path="/models", methods=())])
    assert routes.match("/models", "GET").route.path == "/{proxy+}"
