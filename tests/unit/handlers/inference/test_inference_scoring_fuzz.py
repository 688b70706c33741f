"""Whatever comes over a scoring protocol, the answer is in its shape, and never a fault of ours."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.build import scoring
from tests.build.inference import World, event
from tests.build.scoring import CSV, LINES, NPY


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return scoring.world(tmp_path_factory.mktemp("scoring-fuzz"))


NUMBERS = st.integers(-3, 3) | st.integers() | st.floats()
SCALARS = st.none() | st.booleans() | NUMBERS | st.text(max_size=6)
NAMES = st.sampled_from(["x", "a", "b", "X", "text", "image", "w", "data", "body", "columns", "index"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=16,
)
ROWS = st.lists(st.lists(NUMBERS, min_size=2, max_size=2), min_size=1, max_size=3)
FRAMES = st.fixed_dictionaries({"data": ROWS | VALUES}, optional={"columns": st.lists(NAMES | NUMBERS, max_size=3)})
RECORDS = st.lists(st.dictionaries(NAMES, SCALARS | st.lists(NUMBERS, max_size=3), max_size=3), max_size=3)
FORMS = st.sampled_from(
    ["dataframe_split", "dataframe_records", "instances", "inputs", "input_data", "data", "body", "params"]
)
DOCUMENTS = st.dictionaries(FORMS, ROWS | FRAMES | RECORDS | VALUES, max_size=2) | ROWS | RECORDS | VALUES
TABLES = st.text(alphabet='ab1.,"\n\r -e', max_size=30)
FIELDS = st.lists(st.sampled_from([b"--B", b"--B--", b"\r\n", b'content-disposition: form-data; name="data"', b"a"]))
BODIES = st.one_of(
    DOCUMENTS.map(lambda document: json.dumps(document).encode()),
    st.lists(DOCUMENTS.map(json.dumps), max_size=3).map(lambda lines: "\n".join(lines).encode()),
    TABLES.map(str.encode),
    FIELDS.map(b"".join),
    st.binary(max_size=30),
    st.binary(max_size=90).map(lambda content: b"\x93NUMPY\x01\x00" + content),
)
PATHS = st.sampled_from(
    [
        "/invocations",
        "/score",
        *(f"/endpoints/{name}/invocations" for name in ("doubler", "adder", "iris", "text", "doubler@canary")),
        *(f"/predictions/{name}" for name in ("doubler", "adder", "text", "image", "doubler/2")),
    ]
) | st.sampled_from(["/endpoints", "/predictions", "/models"]).flatmap(
    lambda area: st.text(max_size=6).map(lambda name: f"{area}/{name}")
)
KINDS = ["application/json", CSV, LINES, NPY, "", "text/plain", "multipart/form-data; boundary=B", "image/png"]
HEADERS = st.fixed_dictionaries(
    {"content-type": st.sampled_from(KINDS)},
    optional={
        "accept": st.sampled_from([*KINDS, "*/*", "text/*;q=0.3"]) | st.text(max_size=8),
        "x-amzn-sagemaker-target-model": st.sampled_from(["adder", "text.tar.gz"]) | st.text(max_size=6),
        "x-amzn-sagemaker-target-variant": st.sampled_from(["", "AllTraffic", "canary", "live"]) | st.text(max_size=6),
    },
)


@settings(max_examples=600, deadline=None)
@given(path=PATHS, body=BODIES, headers=HEADERS)
def test_no_request_is_a_fault_of_ours(world: World, path: str, body: bytes, headers: dict[str, Any]) -> None:
    sent = event("POST", path, b64encode(body).decode(), headers=headers, isBase64Encoded=True)
    answered = world.plane.answer(sent, "request-1")
    assert answered["statusCode"] in (200, 400, 404, 405, 406, 415, 422)
    if answered["statusCode"] == 200:
        return
    if answered["headers"]["content-type"] == "application/json":
        document = json.loads(answered["body"])
        assert document.get("message") or document.get("Message")
    else:  # MLflow's own answer to a type that it does not read
        assert (answered["statusCode"], path) == (415, "/invocations")
