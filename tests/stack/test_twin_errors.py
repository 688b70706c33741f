"""Every row of `docs/errors.md` over HTTP: what the function answers, and what the gateway answers before it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from local.process import TwinProcess
from tests.build import bad_bodies, bad_input, models
from tests.build.bad_input import GATEWAY_FIRST, GATEWAY_ROWS, GatewayRow, Row, expected_body
from tests.build.twin_client import publish

SECTIONS = {**bad_input.SECTIONS, **bad_bodies.TABLES}
ROWS = [row for rows in SECTIONS.values() for row in rows if row.what not in GATEWAY_FIRST]
MODELS = {
    "doubler": models.scale(),
    "adder": models.add(),
    "divider": models.divide(),
    "reshaper": models.reshape(),
    "expander": models.expand(),
}


@pytest.fixture(scope="module")
def published(twin: TwinProcess, tmp_path_factory: pytest.TempPathFactory) -> TwinProcess:
    for name, graph in MODELS.items():
        publish(twin, tmp_path_factory.mktemp("models"), name, graph)
    return twin


@pytest.fixture
def connection(published: TwinProcess) -> Iterator[HTTPConnection]:
    url = urlsplit(published.address.endpoint)
    opened = HTTPConnection(str(url.hostname), url.port, timeout=60)
    yield opened
    opened.close()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{'records' if row.code else 'oip'}: {row.what}")
def test_what_the_function_refuses_is_answered_over_http(
    published: TwinProcess, connection: HTTPConnection, row: Row
) -> None:
    body = row.event["body"]
    content = base64.b64decode(body) if row.event["isBase64Encoded"] else body
    sent = {"Content-Type": "application/json", **row.event["headers"], "x-api-key": published.address.api_key}
    sent.pop("Host", None)
    connection.request(row.event["httpMethod"], f"/prod{row.event['path']}", content, sent)
    response = connection.getresponse()
    assert (response.status, json.loads(response.read())) == (row.status, expected_body(row))
    assert response.getheader("x-request-id")


@pytest.mark.parametrize("row", GATEWAY_ROWS, ids=lambda row: row.what)
def test_what_the_gateway_refuses_is_answered_in_its_words_and_never_reaches_the_function(
    published: TwinProcess, connection: HTTPConnection, row: GatewayRow
) -> None:
    key = published.address.api_key if row.key is None else row.key
    sent = {"content-type": "application/json"} | ({"x-api-key": key} if key else {})
    connection.request(row.method, f"/prod{row.path}", row.body, sent)
    response = connection.getresponse()
    body = json.loads(response.read())
    assert (response.status, list(body)) == (row.status, ["error"])
    assert body["error"] == row.message or body["error"].startswith(row.message.removesuffix("..."))
    assert response.getheader("x-request-id") is None
