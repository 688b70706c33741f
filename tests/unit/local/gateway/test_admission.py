"""API keys, usage plans, throttles and quotas, in front of a function."""

from typing import Any

import pytest

from local.gateway.api import Api, GatewayResponse, Key, Quota, Throttle
from tests.build.gateway import KEY, Clock, FakeLambda, api, gateway, header, plan, proxy, request, route

SENT = request("GET", "/prod/a", (("x-api-key", KEY.value),))


def guarded(**settings: Any) -> Api:
    return api(route("/a", proxy("GET", api_key_required=True)), **settings)


def test_a_key_of_the_stage_s_plan_is_let_in() -> None:
    assert gateway(guarded(usage_plans=(plan(),))).handle(SENT).status == 200


@pytest.mark.parametrize("key", [None, "", "another-key-of-20-characters"])
def test_no_key_or_an_unknown_one_is_forbidden(key: str | None) -> None:
    function = FakeLambda()
    sent = request("GET", "/prod/a", () if key is None else (("X-API-Key", key),))
    response = gateway(guarded(usage_plans=(plan(),)), function).handle(sent)
    assert (response.status, response.body) == (403, b'{"message":"Forbidden"}')
    assert header(response, "x-amzn-errortype") == "ForbiddenException"
    assert function.calls == []


def test_a_disabled_key_is_forbidden() -> None:
    disabled = Key(id="k1", value=KEY.value, enabled=False)
    assert gateway(guarded(usage_plans=(plan(keys=(disabled,)),))).handle(SENT).status == 403


def test_a_key_in_no_plan_of_the_stage_is_forbidden() -> None:
    assert gateway(guarded()).handle(SENT).status == 403


def test_a_method_that_requires_no_key_ignores_a_wrong_one() -> None:
    assert gateway(api()).handle(request("GET", "/prod/a", (("x-api-key", "wrong"),))).status == 200


def test_too_many_requests_of_a_key_are_throttled() -> None:
    front = gateway(guarded(usage_plans=(plan(throttle=Throttle(rate=1, burst=1)),)))
    assert front.handle(SENT).status == 200
    refused = front.handle(SENT)
    assert (refused.status, refused.body) == (429, b'{"message":"Too Many Requests"}')
    assert header(refused, "x-amzn-errortype") == "TooManyRequestsException"


def test_a_throttled_key_is_let_in_again_later() -> None:
    clock = Clock()
    front = gateway(guarded(usage_plans=(plan(throttle=Throttle(rate=1, burst=1)),)), clock=clock)
    front.handle(SENT)
    clock.now += 1
    assert front.handle(SENT).status == 200


def test_one_key_s_throttle_does_not_touch_another_s() -> None:
    other = Key(id="k2", value="another-key-of-20-characters")
    front = gateway(guarded(usage_plans=(plan(keys=(KEY, other), throttle=Throttle(rate=1, burst=1)),)))
    assert front.handle(SENT).status == 200
    assert front.handle(request("GET", "/prod/a", (("x-api-key", other.value),))).status == 200


def test_a_plan_may_throttle_one_method_alone() -> None:
    limits = {"/a/GET": Throttle(rate=1, burst=1)}
    deployed = api(
        route("/a", proxy("GET", api_key_required=True), proxy("POST", api_key_required=True)),
        usage_plans=(plan(method_throttles=limits),),
    )
    front = gateway(deployed)
    post = request("POST", "/prod/a", (("x-api-key", KEY.value),))
    assert [front.handle(sent).status for sent in (SENT, SENT, post, post)] == [200, 429, 200, 200]


def test_a_used_up_quota_is_said_as_such() -> None:
    front = gateway(guarded(usage_plans=(plan(quota=Quota(limit=1, period="DAY")),)))
    assert front.handle(SENT).status == 200
    refused = front.handle(SENT)
    assert (refused.status, refused.body) == (429, b'{"message":"Limit Exceeded"}')
    assert header(refused, "x-amzn-errortype") == "LimitExceededException"


def test_a_throttled_request_costs_no_quota() -> None:
    clock = Clock()
    limits = plan(throttle=Throttle(rate=1, burst=1), quota=Quota(limit=2, period="DAY"))
    front = gateway(guarded(usage_plans=(limits,)), clock=clock)
    statuses = [front.handle(SENT).status for _ in range(5)]
    clock.now += 1
    assert [*statuses, front.handle(SENT).status] == [200, 429, 429, 429, 429, 200]


def test_a_quota_outlives_a_deployment() -> None:
    deployed = guarded(usage_plans=(plan(quota=Quota(limit=1, period="DAY")),))
    front = gateway(deployed)
    front.handle(SENT)
    front.deploy(deployed)
    assert front.handle(SENT).status == 429


def test_the_stage_throttles_methods_without_a_key_too() -> None:
    front = gateway(api(stage={"throttles": {"*/*": Throttle(rate=1, burst=1)}}))
    assert [front.handle(request("GET", "/prod/a")).status for _ in range(2)] == [200, 429]


def test_the_stage_s_general_limit_counts_each_method_apart() -> None:
    deployed = api(route("/a", proxy("GET"), proxy("POST")), stage={"throttles": {"*/*": Throttle(rate=1, burst=1)}})
    front = gateway(deployed)
    assert [front.handle(request(method, "/prod/a")).status for method in ("GET", "POST")] == [200, 200]


def test_the_stage_s_limit_of_a_method_replaces_the_general_one() -> None:
    limits = {"*/*": Throttle(rate=1, burst=1), "/a/GET": Throttle(rate=1, burst=2)}
    front = gateway(api(route("/a", proxy("GET")), stage={"throttles": limits}))
    assert [front.handle(request("GET", "/prod/a")).status for _ in range(3)] == [200, 200, 429]


def test_a_throttled_answer_has_the_declared_shape() -> None:
    shape = GatewayResponse(templates={"application/json": '{"error": $context.error.messageString}'})
    deployed = guarded(
        usage_plans=(plan(throttle=Throttle(rate=1, burst=0)),), gateway_responses={"DEFAULT_4XX": shape}
    )
    assert gateway(deployed).handle(SENT).body == b'{"error": "Too Many Requests"}'
