"""The Runtime API over a loopback socket, with requests written by hand."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Iterator

import pytest

from local.functions.runtime_api import (
    MAX_RESPONSE_BYTES,
    Event,
    Failure,
    InitFailure,
    Message,
    Next,
    Oversized,
    Response,
    RuntimeApi,
)

EVENT = Event(request_id="r-1", payload=b'{"a":1}', deadline_ms=1700000000000, arn="arn:fn", trace_id="Root=1-2-3")
NEXT = b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n"


def post(path: str, body: bytes, headers: str = "") -> bytes:
    head = f"POST /2018-06-01/runtime/{path} HTTP/1.1\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return head.encode() + body


class Served:
    """The API and one client on a connection."""

    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()
        self.api = RuntimeApi(self.selector)
        host, port = self.api.address.split(":")
        self.client = socket.create_connection((host, int(port)))
        self.client.settimeout(5)

    def turn(self) -> list[Message]:
        """Serve what has come; give the messages."""
        while ready := self.selector.select(0.01):
            for key, _ in ready:
                key.data()
        messages = list(self.api.messages)
        self.api.messages.clear()
        return messages

    def send(self, data: bytes) -> list[Message]:
        self.client.sendall(data)
        return self.turn()

    def received(self) -> bytes:
        return self.client.recv(65536)


@pytest.fixture
def served() -> Iterator[Served]:
    served = Served()
    yield served
    served.client.close()
    served.api.close()
    served.selector.close()


@pytest.fixture
def invoked(served: Served) -> Served:
    """After an event was given to the runtime."""
    served.send(NEXT)
    assert served.api.offer(EVENT)
    served.received()
    return served


def test_next_is_answered_when_there_is_an_event(served: Served) -> None:
    assert served.send(NEXT) == [Next()]
    assert served.api.offer(EVENT)
    assert served.received() == (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        b"Lambda-Runtime-Aws-Request-Id: r-1\r\nLambda-Runtime-Deadline-Ms: 1700000000000\r\n"
        b"Lambda-Runtime-Invoked-Function-Arn: arn:fn\r\nLambda-Runtime-Trace-Id: Root=1-2-3\r\n"
        b'Content-Length: 7\r\n\r\n{"a":1}'
    )


def test_without_a_waiting_runtime_no_event_can_be_given(served: Served) -> None:
    assert not served.api.offer(EVENT)


def test_a_runtime_that_has_hung_up_gets_no_event(served: Served) -> None:
    served.send(NEXT)
    served.client.close()
    served.turn()
    assert not served.api.offer(EVENT)


def test_a_response_is_accepted_and_the_connection_serves_on(invoked: Served) -> None:
    assert invoked.send(post("invocation/r-1/response", b'"ok"') + NEXT) == [Response(b'"ok"'), Next()]
    assert invoked.received().startswith(b"HTTP/1.1 202 Accepted\r\n")


def test_a_request_may_come_in_pieces(invoked: Served) -> None:
    request = post("invocation/r-1/response", b"0123456789")
    for at in range(0, len(request) - 1, 7):
        assert invoked.send(request[at : at + 7]) in ([], [Response(b"0123456789")])
    assert invoked.received().startswith(b"HTTP/1.1 202")


def test_an_error_comes_with_its_type(invoked: Served) -> None:
    request = post("invocation/r-1/error", b"{}", "Lambda-Runtime-Function-Error-Type: KeyError\r\n")
    assert invoked.send(request) == [Failure("KeyError", b"{}")]


def test_an_init_error_comes_with_its_type(served: Served) -> None:
    request = post("init/error", b"{}", "Lambda-Runtime-Function-Error-Type: Runtime.ImportModuleError\r\n")
    assert served.send(request) == [InitFailure("Runtime.ImportModuleError", b"{}")]


def test_a_response_to_another_request_is_refused(invoked: Served) -> None:
    assert invoked.send(post("invocation/r-0/response", b"{}")) == []
    assert invoked.received().startswith(b"HTTP/1.1 400 Bad Request\r\n")


def test_a_second_response_to_the_same_request_is_refused(invoked: Served) -> None:
    invoked.send(post("invocation/r-1/response", b"{}"))
    invoked.received()
    assert invoked.send(post("invocation/r-1/response", b"{}")) == []
    assert b'"InvalidRequestID"' in invoked.received()


def test_a_response_above_the_limit_is_read_to_its_end_and_refused(invoked: Served) -> None:
    size = MAX_RESPONSE_BYTES + 1
    invoked.client.sendall(
        f"POST /2018-06-01/runtime/invocation/r-1/response HTTP/1.1\r\nContent-Length: {size}\r\n\r\n".encode()
    )
    for _ in range(size // 65536):
        assert invoked.send(b"x" * 65536) == []
    assert invoked.send(b"x" * (size % 65536)) == [Oversized(6291557)]
    assert invoked.received().startswith(b"HTTP/1.1 413 Request Entity Too Large\r\n")
    assert invoked.send(NEXT) == [Next()]


def test_a_client_that_asks_before_it_sends_its_body_is_told_to_go_on(invoked: Served) -> None:
    request = post("invocation/r-1/response", b"body", "Expect: 100-continue\r\n")
    assert invoked.send(request[:-4]) == []
    assert invoked.received() == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert invoked.send(request[-4:]) == [Response(b"body")]


def test_an_unknown_path_is_not_found(served: Served) -> None:
    assert served.send(b"GET /2018-06-01/runtime/restore/next HTTP/1.1\r\n\r\n") == []
    assert served.received().startswith(b"HTTP/1.1 404 Not Found\r\n")


@pytest.mark.parametrize(
    "request_bytes",
    [b"nonsense\r\n\r\n", post("invocation/r-1/response", b"", "Transfer-Encoding: chunked\r\n")],
    ids=["not http", "chunked"],
)
def test_what_is_not_understood_ends_the_connection(served: Served, request_bytes: bytes) -> None:
    assert served.send(request_bytes) == []
    assert served.received() == b""
