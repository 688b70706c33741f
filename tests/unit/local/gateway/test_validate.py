"""The request validator: bodies against models, required parameters."""

import json
from typing import Any

import pytest

from local.gateway.api import Api, GatewayResponse, Model, Validator
from local.types import HttpResponse
from tests.build.gateway import FakeLambda, api, gateway, header, proxy, request, route

INFER = Model(
    name="Infer",
    schema='{"type":"object","required":["inputs"],"properties":{"inputs":{"type":"array","minItems":1}}}',
)
DETAIL = GatewayResponse(templates={"application/json": '{"error": "$context.error.validationErrorString"}'})
JSON = ("Content-Type", "application/json")


def validated(model: Model = INFER, **settings: Any) -> Api:
    method = proxy("POST", validator=Validator(body=True), models={model.content_type: model})
    return api(route("/infer", method), models=(model, *settings.pop("others", ())), **settings)


def post(body: str | bytes, deployed: Api | None = None, content_type: str | None = "application/json") -> HttpResponse:
    headers = (("Content-Type", content_type),) if content_type else ()
    return gateway(deployed or validated()).handle(request("POST", "/prod/infer", headers, body))


def detail(body: str, model: Model = INFER) -> Any:
    response = post(body, validated(model, gateway_responses={"BAD_REQUEST_BODY": DETAIL}))
    assert response.status == 400
    return json.loads(response.body)["error"]


def test_a_body_that_fits_its_model_passes() -> None:
    assert post('{"inputs":[1]}').status == 200


@pytest.mark.parametrize("body", ["{}", "[]", '"text"', "3", '{"inputs":[]}', '{"inputs":{}}', "{not json", "NaN", ""])
def test_a_body_that_does_not_fit_never_reaches_the_function(body: str) -> None:
    function = FakeLambda()
    response = gateway(validated(), function).handle(request("POST", "/prod/infer", (JSON,), body))
    assert (response.status, response.body) == (400, b'{"message":"Invalid request body"}')
    assert header(response, "x-amzn-errortype") == "BadRequestException"
    assert function.calls == []


def test_bytes_that_are_no_text_are_an_invalid_body() -> None:
    assert post(b"\xff\xfe\x00").status == 400


def test_a_deeply_nested_body_is_refused_not_fatal() -> None:
    assert post("[" * 100_000).status == 400


def test_a_number_of_any_length_is_a_number() -> None:
    assert post('{"inputs":[' + "7" * 10_000 + "]}").status == 200
    assert post("7" * 10_000).status == 400


@pytest.mark.parametrize("body", ["NaN", '{"inputs":[Infinity]}', "{not json", '{"inputs":[1]'])
def test_what_is_no_json_is_said_to_be_none(body: str) -> None:
    assert detail(body).startswith("Could not parse request body into json: ")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{}", '[object has missing required properties (["inputs"])]'),
        ("[]", '[instance type (array) does not match any allowed primitive type (allowed: ["object"])]'),
        ('{"inputs":[]}', "[array is too short: must have at least 1 elements but instance has 0 elements]"),
        ('{"inputs":7}', '[instance type (integer) does not match any allowed primitive type (allowed: ["array"])]'),
        ("null", '[instance type (null) does not match any allowed primitive type (allowed: ["object"])]'),
    ],
)
def test_the_validation_error_is_said_in_aws_s_words(body: str, said: str) -> None:
    assert detail(body) == said


def test_all_missing_properties_are_named_at_once() -> None:
    model = Model(name="M", schema='{"type":"object","required":["b","a","c"]}')
    assert detail('{"c":1}', model) == '[object has missing required properties (["a","b"])]'


def test_a_model_may_allow_several_types() -> None:
    model = Model(name="Predict", schema='{"type":["object","array"]}')
    assert [post(body, validated(model)).status for body in ("{}", "[]", "1")] == [200, 200, 400]


def test_models_are_json_schema_draft_4() -> None:
    model = Model(name="M", schema='{"type":"number","minimum":0,"exclusiveMinimum":true}')
    assert [post(body, validated(model)).status for body in ("1", "0")] == [200, 400]


def test_a_model_may_refer_to_another_one() -> None:
    other = Model(name="Item", schema='{"type":"string"}')
    reference = "https://apigateway.amazonaws.com/restapis/a1b2c3d4e5/models/Item"
    model = Model(name="List", schema=json.dumps({"type": "array", "items": {"$ref": reference}}))
    deployed = validated(model, others=(other,))
    assert [post(body, deployed).status for body in ('["a"]', "[1]")] == [200, 400]


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON", None])
def test_parameters_case_or_absence_of_the_content_type_do_not_evade_the_model(content_type: str | None) -> None:
    assert post("{}", content_type=content_type).status == 400


def test_a_body_of_a_content_type_without_a_model_passes_unvalidated() -> None:
    assert post("<xml/>", content_type="application/xml").status == 200


def test_a_default_model_holds_for_every_content_type() -> None:
    anything = Model(name="Infer", content_type="$default", schema=INFER.schema)
    assert post("{}", validated(anything), content_type="text/plain").status == 400


def test_a_model_without_a_validator_is_not_enforced() -> None:
    method = proxy("POST", models={"application/json": INFER})
    assert post("{}", api(route("/infer", method), models=(INFER,))).status == 200


def get(target: str, *required: str, headers: tuple[tuple[str, str], ...] = ()) -> HttpResponse:
    method = proxy("GET", validator=Validator(parameters=True), required_parameters=required)
    return gateway(api(route("/a/{name}", method))).handle(request("GET", target, headers))


def test_missing_parameters_are_all_named() -> None:
    required = ("method.request.querystring.qs1", "method.request.header.x-id", "method.request.path.issuer")
    response = get("/prod/a/b", *required)
    assert response.status == 400
    assert response.body == b'{"message":"Missing required request parameters: [x-id, issuer, qs1]"}'
    assert header(response, "x-amzn-errortype") == "BadRequestException"


def test_required_parameters_that_came_pass() -> None:
    required = ("method.request.querystring.qs1", "method.request.header.x-id", "method.request.path.name")
    assert get("/prod/a/b?qs1=1", *required, headers=(("X-Id", "7"),)).status == 200


def test_a_blank_parameter_is_a_missing_one() -> None:
    assert get("/prod/a/b?qs1=", "method.request.querystring.qs1").status == 400
