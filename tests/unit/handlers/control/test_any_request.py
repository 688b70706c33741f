"""Whatever is sent, the answer is one that the OpenAPI description promises, and never 500."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.build.control_plane import ControlPlane, Response, control_plane

METHODS = ("GET", "PUT", "POST", "DELETE", "HEAD", "OPTIONS", "PATCH")

names = st.one_of(st.sampled_from(["iris", "zinnia", "Iris", "..", "live"]), st.text(max_size=70))
versions = st.one_of(st.sampled_from(["1", "3", "9", "0", "-1"]), st.text(max_size=12))
aliases = st.one_of(st.sampled_from(["live", "canary", "1"]), st.text(max_size=70))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)
moves = st.fixed_dictionaries({"version": st.integers(-1, 4) | json_values}, optional={"reason": json_values})
bodies = st.one_of(st.none(), moves.map(json.dumps), json_values.map(json.dumps), st.text(max_size=40))
etags = st.one_of(st.sampled_from(['"x"', "*", 'W/"x"', "x"]), st.text(st.characters(codec="latin-1"), max_size=20))
headers = st.fixed_dictionaries(
    {},
    optional={
        "Content-Type": st.sampled_from(["application/json", "application/json; charset=utf-8", "text/plain", ""]),
        "If-Match": etags,
        "If-None-Match": etags,
    },
)


@settings(
    max_examples=400, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_every_answer_is_one_that_the_description_promises(plane: ControlPlane, data: st.DataObject) -> None:
    description = _description(plane)
    template = data.draw(st.sampled_from(sorted(description["paths"])))
    path = template.format(name=data.draw(names), version=data.draw(versions), alias=data.draw(aliases))
    method = data.draw(st.sampled_from(("GET", "PUT")) | st.sampled_from(METHODS))

    answer = plane.call(method, path, body=data.draw(bodies), headers=data.draw(headers))

    assert answer.status != 500, plane.heard.failures
    _check(answer, method, template, description)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(method=st.sampled_from(METHODS), path=st.text(max_size=60), body=bodies, sent=headers)
def test_any_path_is_answered_by_a_problem_or_an_answer(
    method: str, path: str, body: str | None, sent: dict[str, str]
) -> None:
    with control_plane() as plane:
        answer = plane.call(method, "/admin/" + path, body=body, headers=sent)

    assert answer.status in {200, 201, 400, 404, 405, 412, 413, 415, 422, 428}


def _description(plane: ControlPlane) -> dict[str, Any]:
    document = plane.call("GET", "/admin/openapi.json").json
    assert isinstance(document, dict)
    return document


def _check(answer: Response, method: str, template: str, description: dict[str, Any]) -> None:
    operation = description["paths"][template].get(method.lower())
    problem = {"$ref": "#/components/schemas/Problem"}
    promised = {404: problem, 405: problem}  # a name may hold a slash: then it is another path
    if operation is not None:
        for status, response in operation["responses"].items():
            promised[int(status)] = next(iter(response["content"].values()))["schema"]
    assert answer.status in promised
    assert answer.headers["content-type"] == ("application/json" if answer.status < 400 else "application/problem+json")
    if method != "HEAD":
        Draft202012Validator({**description, **promised[answer.status]}).validate(answer.json)
