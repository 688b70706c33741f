"""The OpenAPI description."""

import inspect
import re
from pathlib import Path
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from handlers.control.problems import status_of
from tests.build.control_plane import ControlPlane, rest_event
from warmstart import errors

DOCS: Final = Path(__file__).resolve().parents[4] / "docs" / "control-plane.md"


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


def test_the_documentation_has_every_route_and_no_other(description: dict[str, Any]) -> None:
    text = DOCS.read_text(encoding="utf-8")
    described = {(method.upper(), path) for path, methods in description["paths"].items() for method in methods}
    pages = {("GET", "/admin/openapi.json"), ("GET", "/admin/docs")}

    assert set(re.findall(r"^\| `([A-Z]+) (/admin\S*)`", text, re.MULTILINE)) == described | pages


def test_the_documentation_has_only_codes_that_exist_each_under_its_status() -> None:
    rows = re.findall(r"^\| (\d{3}) \| ([^|]+) \|", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    known = {(status_of(error("")), error.code) for error in _errors() if error is not errors.MethodNotAllowed}
    known |= {(405, "method_not_allowed"), (422, "invalid_request")}

    assert {(int(status), code) for status, codes in rows for code in re.findall(r"`(\w+)`", codes)} <= known


def _errors() -> list[type[errors.WarmstartError]]:
    found = [cls for _, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, errors.WarmstartError)]
    return [cls for cls in found if cls.__init__ is errors.WarmstartError.__init__]
