"""From a REST API event to the application and back, where the two do not fit by themselves."""

import base64

from tests.build.control_plane import JSON, ControlPlane, rest_event


def test_every_answer_carries_lambdas_request_id(plane: ControlPlane) -> None:
    assert plane.call("GET", "/admin/models").headers["x-request-id"] == "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
    assert plane.call("GET", "/admin/nothing").headers["x-request-id"] == "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"


def test_a_body_that_the_gateway_encoded_is_decoded(plane: ControlPlane) -> None:
    event = rest_event(
        "PUT",
        "/admin/models/iris/aliases/canary",
        body=base64.b64encode(b'{"version": 2}').decode(),
        headers=JSON | {"If-None-Match": "*"},
    )

    assert plane.send(event | {"isBase64Encoded": True}).status == 201


def test_header_names_are_read_in_any_case(plane: ControlPlane) -> None:
    headers = {"content-TYPE": "Application/JSON; charset=utf-8", "IF-NONE-MATCH": "*"}

    answer = plane.call("PUT", "/admin/models/iris/aliases/canary", body='{"version": 2}', headers=headers)

    assert answer.status == 201


def test_an_event_without_headers_is_answered(plane: ControlPlane) -> None:
    # What the console's "Test" sends.
    event = rest_event("GET", "/admin/models", body=None, headers={})

    assert plane.send(event | {"headers": None, "multiValueHeaders": None}).status == 200


def test_one_environment_answers_many_invocations_on_one_event_loop(plane: ControlPlane) -> None:
    assert [plane.call("GET", "/admin/models").status for _ in range(20)] == [200] * 20
