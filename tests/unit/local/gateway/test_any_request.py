"""Whatever a client sends, the gateway answers, and never blames itself."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from local.gateway.api import GatewayResponse, Model, Validator
from local.types import HttpRequest
from tests.build.gateway import KEY, FakeLambda, api, gateway, plan, proxy, route

MODEL = Model(name="Infer", schema='{"type":"object","required":["inputs"],"properties":{"inputs":{"type":"array"}}}')
DEPLOYED = api(
    route("/v2/models/{model}"),
    route(
        "/infer",
        proxy("POST", api_key_required=True, validator=Validator(body=True), models={"application/json": MODEL}),
    ),
    route("/admin/{proxy+}", proxy(authorization="AWS_IAM")),
    usage_plans=(plan(),),
    gateway_responses={
        "DEFAULT_4XX": GatewayResponse(templates={"application/json": '{"error": $context.error.messageString}'}),
        "BAD_REQUEST_BODY": GatewayResponse(
            templates={"application/json": '{"error": "$context.error.validationErrorString"}'}
        ),
    },
)

UNSIGNED = (
    "AWS4-HMAC-SHA256 Credential=test/20260131/us-east-1/execute-api/aws4_request, SignedHeaders=host, Signature=00"
)
# What `http.server` can hand over: bytes read as latin-1, without line ends.
LINE = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=40)
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(
            ["x-api-key", "Authorization", "Content-Type", "Accept", "X-Amz-Date", "X-Amzn-Trace-Id", "Host", "X-A"]
        ),
        st.one_of(
            LINE,
            st.sampled_from(
                [
                    KEY.value,
                    "application/json",
                    UNSIGNED,
                    "20260131T120000Z",
                ]
            ),
        ),
    ),
    max_size=6,
)
PATHS = st.one_of(
    st.sampled_from(["/prod/infer", "/prod/v2/models/iris", "/prod/admin/models", "/prod", "/"]),
    LINE.map(lambda text: f"/prod/{text}"),
)
BODIES = st.one_of(st.binary(max_size=60), st.sampled_from([b'{"inputs":[1]}', b"{}", b'{"inputs":1e999}', b"[[[["]))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["GET", "POST", "PUT", "OPTIONS", "TRACE"]), PATHS, LINE, HEADERS, BODIES)
def test_no_request_is_answered_with_a_server_error_or_with_broken_json(
    method: str, path: str, query: str, headers: list[tuple[str, str]], body: bytes
) -> None:
    function = FakeLambda()
    response = gateway(DEPLOYED, function).handle(
        HttpRequest(method=method, path=path, query=query, headers=tuple(headers), body=body)
    )
    assert response.status in (200, 400, 403)
    assert isinstance(json.loads(response.body), dict)
    assert all(isinstance(json.loads(payload), dict) for payload in function.payloads)
