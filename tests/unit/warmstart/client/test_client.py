"""The client, against an endpoint on the loopback interface with literal answers."""

from __future__ import annotations

import json
import math
import socket
from threading import Event, Thread
from typing import Any

import pytest

from tests.build.http_answers import Given, answering
from warmstart.client import Answer, Client, RequestRefused
from warmstart.client.connection import Address
from warmstart.errors import InvalidSetting, MalformedBody, Unreachable
from warmstart.refs import ModelRef

IRIS = ModelRef.parse("iris")


def test_records_are_sent_as_json_with_the_key() -> None:
    with answering(Given()) as endpoint, Client(endpoint.url, api_key="secret") as client:
        client.predict(IRIS, {"age": 3})

    [sent] = endpoint.sent
    assert (sent.method, sent.path, sent.body) == ("POST", "/prod/predict/iris", b'{"age": 3}')
    assert (sent.headers["x-api-key"], sent.headers["content-type"]) == ("secret", "application/json")


@pytest.mark.parametrize(
    ("ref", "predict", "infer", "metadata"),
    [
        ("iris", "/prod/predict/iris", "/prod/v2/models/iris/infer", "/prod/v2/models/iris"),
        (
            "iris:3",
            "/prod/predict/iris%3A3",
            "/prod/v2/models/iris/versions/3/infer",
            "/prod/v2/models/iris/versions/3",
        ),
        (
            "iris@canary",
            "/prod/predict/iris%40canary",
            "/prod/v2/models/iris%40canary/infer",
            "/prod/v2/models/iris%40canary",
        ),
    ],
)
def test_each_kind_of_reference_has_its_path(ref: str, predict: str, infer: str, metadata: str) -> None:
    with answering(Given(), Given(), Given()) as endpoint, Client(endpoint.url + "/", api_key="k") as client:
        client.predict(ModelRef.parse(ref), [])
        client.infer(ModelRef.parse(ref), {"inputs": []})
        client.metadata(ModelRef.parse(ref))

    assert [(sent.method, sent.path) for sent in endpoint.sent] == [
        ("POST", predict),
        ("POST", infer),
        ("GET", metadata),
    ]


def test_an_answer_says_which_version_gave_it_and_the_request_id() -> None:
    given = Given(body=b'{"predictions": [1]}', headers={"x-model-version": "3", "x-request-id": "r-1"})
    with answering(given) as endpoint, Client(endpoint.url, api_key="k") as client:
        assert client.predict(IRIS, [1]) == Answer({"predictions": [1]}, 3, "r-1")


def test_an_answer_of_no_model_has_no_version() -> None:
    with answering(Given(body=b"")) as endpoint, Client(endpoint.url, api_key="k") as client:
        assert client.metadata(IRIS) == Answer(None, None, "")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"error": "input \'x\': wrong"}', "HTTP 400: input 'x': wrong"),
        (b'{"error": {"code": "wrong_shape", "message": "input \'x\': wrong"}}', "HTTP 400: input 'x': wrong"),
        (b'{"title": "Bad Request", "detail": "alias: wrong"}', "HTTP 400: alias: wrong"),
        (b'{"message": "Forbidden"}', "HTTP 400: Forbidden"),
        (b"<html>proxy</html>", "HTTP 400: <html>proxy</html>"),
        (b'"text"', "HTTP 400: text"),
        (b"\xff", "HTTP 400: \ufffd"),
        (b"", "HTTP 400: (empty answer)"),
    ],
)
def test_a_refusal_carries_the_endpoints_own_message(body: bytes, message: str) -> None:
    with (
        answering(Given(400, body)) as endpoint,
        Client(endpoint.url, api_key="k") as client,
        pytest.raises(RequestRefused) as caught,
    ):
        client.predict(IRIS, [1])

    assert (caught.value.message, caught.value.status, caught.value.request_id) == (message, 400, "")


def test_a_redirect_is_no_answer_and_is_not_followed() -> None:
    given = Given(301, b"", headers={"location": "https://elsewhere/prod"})
    with (
        answering(given) as endpoint,
        Client(endpoint.url, api_key="k") as client,
        pytest.raises(RequestRefused, match="HTTP 301: moved to https://elsewhere/prod: "),
    ):
        client.predict(IRIS, [1])


def test_a_refusal_names_the_request_for_the_log() -> None:
    given = Given(500, b'{"error": "internal"}', headers={"x-request-id": "r-1"})
    with (
        answering(given) as endpoint,
        Client(endpoint.url, api_key="k") as client,
        pytest.raises(RequestRefused) as caught,
    ):
        client.predict(IRIS, [1])

    assert caught.value.message == "HTTP 500: internal (request r-1)"
    assert caught.value.request_id == "r-1"


def test_an_answer_that_is_no_json_is_not_from_an_endpoint_of_ours() -> None:
    with (
        answering(Given(body=b"<html>login</html>")) as endpoint,
        Client(endpoint.url, api_key="k") as client,
        pytest.raises(Unreachable, match="expected JSON, got '<html>login</html>'"),
    ):
        client.predict(IRIS, [1])


@pytest.mark.parametrize("status", [200, 400])
def test_an_answer_that_is_nested_too_deep_is_read_no_further(status: int) -> None:
    with (
        answering(Given(status, b"[" * 100_000)) as endpoint,
        Client(endpoint.url, api_key="k") as client,
        pytest.raises((Unreachable, RequestRefused), match=r"\[\[\["),
    ):
        client.predict(IRIS, [1])


@pytest.mark.parametrize("promised_bytes", [10**14, 10**30])
def test_an_answer_that_no_memory_holds_is_none(promised_bytes: int) -> None:
    with (
        answering(Given(cut_bytes=promised_bytes)) as endpoint,
        Client(endpoint.url, api_key="k", attempts=1) as client,
        pytest.raises(Unreachable, match="no answer"),
    ):
        client.predict(IRIS, [1])


def test_one_connection_serves_several_requests() -> None:
    with answering(Given(), Given()) as endpoint, Client(endpoint.url, api_key="k") as client:
        client.metadata(IRIS)
        client.metadata(IRIS)

    assert len({sent.client_port for sent in endpoint.sent}) == 1


def test_a_kept_connection_that_was_closed_meanwhile_is_opened_anew() -> None:
    with answering(Given(hangs_up=True), Given(body=b"[2]")) as endpoint, Client(endpoint.url, api_key="k") as client:
        client.predict(IRIS, [1])
        answer = client.predict(IRIS, [1])

    assert answer.body == [2]
    assert len({sent.client_port for sent in endpoint.sent}) == 2


def test_what_came_on_a_kept_connection_is_no_answer() -> None:
    def serve() -> None:
        first, _ = server.accept()
        with first:
            first.recv(4096)
            first.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n[1]")
            asked.wait()
            first.sendall(b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n")
            spoken.set()
            second, _ = server.accept()
        with second:
            second.recv(4096)
            second.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n[2]")

    asked, spoken = Event(), Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        serving = Thread(target=serve, daemon=True)
        serving.start()
        with Client(f"http://127.0.0.1:{server.getsockname()[1]}/prod", timeout_s=5, attempts=1) as client:
            assert client.predict(IRIS, [0]).body == [1]
            asked.set()
            spoken.wait()
            assert client.predict(IRIS, [0]).body == [2]
        serving.join()


def test_a_refusal_that_comes_before_all_was_sent_is_read() -> None:
    def refuse() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 18\r\n\r\n" + b'{"error": "large"}')

    with socket.create_server(("127.0.0.1", 0)) as server:
        refusing = Thread(target=refuse, daemon=True)
        refusing.start()
        client = Client(f"http://127.0.0.1:{server.getsockname()[1]}/prod", attempts=1)
        with pytest.raises(RequestRefused, match="HTTP 413: large"):
            client.predict(IRIS, ["x" * 30_000_000])
        refusing.join()


def test_nobody_at_the_address_is_not_reachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = f"http://127.0.0.1:{server.getsockname()[1]}/prod"

    with pytest.raises(Unreachable, match=f"{closed}: no answer: ConnectionRefusedError"):
        Client(closed, api_key="k", attempts=1).predict(IRIS, [1])


@pytest.mark.parametrize("setting", ["timeout_s", "total_timeout_s"])
def test_silence_is_not_reachable_and_asked_once(setting: str) -> None:
    waited: list[float] = []
    settings: dict[str, Any] = {setting: 0.05}
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = Client(f"http://127.0.0.1:{server.getsockname()[1]}/prod", sleep=waited.append, **settings)
        with pytest.raises(Unreachable, match="no answer: TimeoutError"):
            client.predict(IRIS, [1])

    assert waited == []


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "example.com/prod",
        "ftp://host/prod",
        "http:///prod",
        "http://host:x/prod",
        "http://host/prod?x=1",
        "http://host/prod#x",
    ],
)
def test_what_is_no_endpoint_is_refused(endpoint: str) -> None:
    with pytest.raises(Unreachable, match=r"endpoint: expected http\(s\)://host"):
        Client(endpoint, api_key="k")


@pytest.mark.parametrize(
    "endpoint", ["http://user:hunter2@host/prod", "ftp://user:hunter2@host:x", "user:hunter2@host"]
)
def test_a_password_in_an_address_is_refused_and_not_repeated(endpoint: str) -> None:
    with pytest.raises(Unreachable, match="got one with a user; take api_key, or iam") as caught:
        Client(endpoint)

    assert "hunter2" not in caught.value.message


def test_a_host_that_no_name_can_be_is_not_reachable() -> None:
    with pytest.raises(Unreachable, match="no answer: UnicodeError"):
        Client("http://a..b/prod").predict(IRIS, [1])


def test_a_path_that_no_request_can_hold_is_not_reachable() -> None:
    with answering() as endpoint, pytest.raises(Unreachable, match="no answer: UnicodeEncodeError"):
        Client(f"{endpoint.url}/größe").predict(IRIS, [1])


@pytest.mark.parametrize(("scheme", "port"), [("http", 80), ("https", 443)])
def test_an_ipv6_address_needs_no_port(scheme: str, port: int) -> None:
    address = Address.parse(f"{scheme}://[::1]/prod")

    assert (address.host, address.port) == ("::1", port)


@pytest.mark.parametrize("key", ["key\n", "schlüssel"])
def test_a_key_that_no_header_can_hold_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(InvalidSetting) as caught:
        Client("http://host/prod", api_key=key)

    assert key not in caught.value.message


@pytest.mark.parametrize("records", [[math.nan], [math.inf], {"x": object()}, [1j]])
def test_what_json_cannot_hold_is_not_sent(records: Any) -> None:
    with pytest.raises(MalformedBody, match="request: expected what JSON can hold"):
        Client("http://127.0.0.1:9/prod", api_key="k").predict(IRIS, records)


def test_text_of_any_language_arrives() -> None:
    with answering(Given(body='["größe"]'.encode())) as endpoint, Client(endpoint.url, api_key="k") as client:
        answer = client.predict(IRIS, ["größe"])

    assert (json.loads(endpoint.sent[0].body), answer.body) == (["größe"], ["größe"])
