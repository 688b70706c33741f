"""SageMaker's `InvokeEndpoint` and the contract of its containers, through the data plane."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any

import botocore.session
import numpy as np
import pytest
from botocore.parsers import create_parser

from tests.build import scoring
from tests.build.inference import Answered, World
from tests.build.scoring import CSV, LINES, NPY, ask

INVOKE = "/endpoints/doubler/invocations"
IRIS = "/endpoints/iris/invocations"
MODEL = "X-Amzn-SageMaker-Target-Model"
VARIANT = "X-Amzn-SageMaker-Target-Variant"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return scoring.world(tmp_path_factory.mktemp("sagemaker"))


def npy(array: Any) -> bytes:
    buffer = BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ([[1, 2], [3, 4]], "application/json"),
        ([{"x": [1, 2]}, {"x": [3, 4]}], "application/json"),
        (b"1,2\n3,4\n", CSV),
        (b"1,2\n3,4", "text/csv; label_size=0"),
        (b"[1, 2]\n[3, 4]\n", LINES),
        (b'{"x": [1, 2]}\r\n\r\n{"x": [3, 4]}', "application/x-jsonlines"),
        (npy(np.array([[1, 2], [3, 4]], ">f8")), NPY),
    ],
)
def test_each_type_of_body_is_read(world: World, body: object, kind: str) -> None:
    answered = ask(world, INVOKE, body, content_type=kind)
    assert (answered.status, answered.json) == (200, [[2.0, 4.0], [6.0, 8.0]])


def test_one_row_and_one_record_are_a_list_of_one(world: World) -> None:
    assert ask(world, INVOKE, [1, 2]).json == [[2.0, 4.0]]
    assert ask(world, INVOKE, {"x": [1, 2]}).json == [[2.0, 4.0]]
    assert ask(world, "/endpoints/adder/invocations", b"1,2", content_type=CSV).json == [3.0]


def test_instances_are_answered_as_predictions(world: World) -> None:
    assert ask(world, INVOKE, {"instances": [[1, 2]]}).json == {"predictions": [[2.0, 4.0]]}


def test_accept_decides_the_form_of_the_answer(world: World) -> None:
    rows = [[5.1, 3.5, 1.4, 0.2], [6.2, 2.9, 4.3, 1.3]]
    as_csv = ask(world, IRIS, rows, accept=CSV)
    assert as_csv.headers["content-type"] == "text/csv; charset=utf-8"
    assert as_csv.text == "setosa,0.75,0.25,0.0\nversicolor,0.0,0.5,0.5\n"
    as_lines = ask(world, INVOKE, [[1, 2], [3, 4]], accept="application/jsonlines, application/json;q=0.5")
    assert (as_lines.headers["content-type"], as_lines.body) == (LINES, b"[2.0,4.0]\n[6.0,8.0]\n")
    as_array = ask(world, INVOKE, [[1, 2]], accept=NPY)
    assert as_array.headers["content-type"] == NPY
    assert np.load(BytesIO(as_array.body), allow_pickle=False).tolist() == [[2, 4]]


@pytest.mark.parametrize("accept", ["", "*/*", "application/*", "text/csv, application/json"])
def test_json_is_the_default(world: World, accept: str) -> None:
    assert ask(world, INVOKE, [[1, 2]], accept=accept).headers["content-type"] == "application/json"


def test_an_answer_that_is_not_one_array_has_no_npy(world: World) -> None:
    answered = ask(world, IRIS, [[5.1, 3.5, 1.4, 0.2]], accept=NPY)
    assert (answered.status, error(answered)["Error"]["Code"]) == (422, "ModelError")


@pytest.mark.parametrize(
    ("path", "headers", "factor", "variant"),
    [
        (INVOKE, {}, 2, "AllTraffic"),
        (INVOKE, {VARIANT: "AllTraffic"}, 2, "AllTraffic"),
        (INVOKE, {VARIANT: "canary"}, 3, "canary"),
        ("/endpoints/doubler@canary/invocations", {}, 3, "AllTraffic"),
        ("/endpoints/doubler%40canary/invocations", {VARIANT: "canary"}, 3, "canary"),
        ("/endpoints/doubler:2/invocations", {VARIANT: "AllTraffic"}, 3, "AllTraffic"),
        ("/endpoints/adder/invocations", {MODEL: "doubler.tar.gz", VARIANT: "canary"}, 3, "canary"),
        ("/endpoints/adder/invocations", {MODEL: "doubler:1"}, 2, "AllTraffic"),
        ("/invocations", {MODEL: "doubler"}, 2, "AllTraffic"),
        ("/invocations", {VARIANT: "canary"}, 3, "canary"),
    ],
)
def test_headers_name_the_model_and_its_variant(
    world: World, path: str, headers: Mapping[str, str], factor: float, variant: str
) -> None:
    answered = ask(world, path, [[1, 2]], **headers)
    assert answered.json == [[factor, 2 * factor]]
    assert answered.headers["x-amzn-invoked-production-variant"] == variant


def test_a_variant_beside_a_version_is_refused(world: World) -> None:
    answered = ask(world, "/endpoints/doubler:1/invocations", [[1, 2]], **{VARIANT: "canary"})
    assert answered.status == 400
    assert error(answered)["Error"] == {
        "Code": "ValidationError",
        "Message": "model doubler:1: expected no other variant beside it, got 'canary'",
    }


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        ({}, {"instances": [[1, 2]]}, {"predictions": [[2.0, 4.0]]}),
        ({"content_type": LINES}, b"[1, 2]", [[2.0, 4.0]]),
        ({"content_type": NPY}, npy(np.array([[1, 2]])), [[2.0, 4.0]]),
        ({"content_type": CSV, "X-Amzn-SageMaker-Inference-Id": "7"}, b"1,2", [[2.0, 4.0]]),
        ({"content_type": CSV}, b"w,h\n1,2", {"predictions": [[2.0, 4.0]]}),
    ],
    ids=["neither", "JSON lines", "npy", "CSV with a header of SageMaker's", "CSV without"],
)
def test_the_path_that_two_protocols_share_is_told_apart(
    world: World, headers: Mapping[str, str], body: object, expected: object
) -> None:
    assert ask(world, "/invocations", body, **headers).json == expected


def error(answered: Answered) -> Any:
    """Read an error as boto3 does, with SageMaker's own description of its service."""
    service = botocore.session.get_session().get_service_model("sagemaker-runtime")
    shape = service.shape_for("InvokeEndpointOutput")
    response = {"status_code": answered.status, "headers": answered.headers, "body": answered.body}
    parsed = create_parser("rest-json").parse(response, shape)
    code = parsed["Error"]["Code"]
    modeled = create_parser("rest-json").parse(response, service.shape_for_error_code(code))
    return {**modeled, **parsed}


def test_what_the_model_refuses_is_a_model_error(world: World) -> None:
    answered = ask(world, INVOKE, [[1, "a"]])
    message = "input 'x': expected FP32 values (up to 3.403e+38), got \"a\" (a string) in record 0, element 1"
    found = error(answered)
    assert (answered.status, found["Error"]["Code"]) == (400, "ModelError")
    assert found["Error"]["Message"] == f"Received client error (400) from the model: {message}"
    assert (found["OriginalStatusCode"], found["OriginalMessage"], found["LogStreamArn"]) == (400, message, "")


def test_an_endpoint_that_does_not_exist_is_a_validation_error(world: World) -> None:
    answered = ask(world, "/endpoints/nothing/invocations", [[1, 2]])
    assert error(answered)["Error"] == {
        "Code": "ValidationError",
        "Message": "model 'nothing': nothing of this name has been published",
    }


def test_a_store_that_is_down_is_service_unavailable(tmp_path: Any) -> None:
    world = scoring.world(tmp_path)
    world.store.is_down = True
    answered = ask(world, INVOKE, [[1, 2]])
    assert (answered.status, error(answered)["Error"]["Code"]) == (503, "ServiceUnavailable")
