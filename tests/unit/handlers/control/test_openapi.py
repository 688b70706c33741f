"""The OpenAPI description."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.build.control_plane import ControlPlane, rest_event


@pytest.fixture
def description(plane: ControlPlane) -> dict[str, Any]:
    """Give the description as it is served."""
    document = plane.call("GET", "/admin/openapi.json").json
    assert isinstance(document, dict)
    return document


def test_it_is_valid_openapi_3_1(description: dict[str, Any]) -> None:
    assert list(OpenAPIV31SpecValidator(description).iter_errors()) == []


def test_it_has_every_route(description: dict[str, Any]) -> None:
    assert sorted((method, path) for path, methods in description["paths"].items() for method in methods) == [
        ("get", "/admin/models"),
        ("get", "/admin/models/{name}"),
        ("get", "/admin/models/{name}/aliases"),
        ("get", "/admin/models/{name}/aliases/{alias}"),
        ("get", "/admin/models/{name}/history"),
        ("get", "/admin/models/{name}/versions/{version}"),
        ("put", "/admin/models/{name}/aliases/{alias}"),
    ]


def test_its_server_is_the_stage_that_the_caller_reached(description: dict[str, Any]) -> None:
    assert description["servers"] == [{"url": "https://abc123.execute-api.us-east-1.amazonaws.com/prod"}]


def test_behind_a_custom_domain_its_server_has_no_stage(plane: ControlPlane) -> None:
    event = rest_event("GET", "/admin/openapi.json", body=None, headers={"Host": "models.example.com"})
    event["requestContext"]["path"] = "/admin/openapi.json"

    assert plane.send(event).json["servers"] == [{"url": "https://models.example.com"}]


def test_every_error_is_a_problem_document(description: dict[str, Any]) -> None:
    media_types = {
        media_type
        for methods in description["paths"].values()
        for operation in methods.values()
        for status, response in operation["responses"].items()
        if int(status) >= 400
        for media_type in response["content"]
    }

    assert media_types == {"application/problem+json"}
    assert "HTTPValidationError" not in description["components"]["schemas"]


def test_every_request_is_signed(description: dict[str, Any]) -> None:
    assert description["security"] == [{"sigv4": []}]
    assert description["components"]["securitySchemes"]["sigv4"]["x-amazon-apigateway-authtype"] == "awsSigv4"


def test_every_document_has_an_example_that_fits_its_schema(description: dict[str, Any]) -> None:
    schemas = description["components"]["schemas"]
    own = {name: schema for name, schema in schemas.items() if name != "ProblemValue"}

    for name in own:
        examples = schemas[name]["examples"]
        assert examples, name
        for example in examples:
            _validate(example, f"#/components/schemas/{name}", description)


def _validate(instance: object, reference: str, description: dict[str, Any]) -> None:
    Draft202012Validator({**description, "$ref": reference}).validate(instance)
