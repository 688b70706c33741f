"""The gateway on a port: HTTP/1.1 as clients speak it."""

import socket
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import pytest

from local.gateway.server import Server, serve
from local.types import HttpRequest, HttpResponse


class Echo:
    """Answers with what it was sent; keeps every request."""

    def __init__(self) -> None:
        self.requests: list[HttpRequest] = []
        self.hold = threading.Event()
        self.hold.set()
        self.entered = threading.Event()

    def handle(self, request: HttpRequest) -> HttpResponse:
        self.requests.append(request)
        self.entered.set()
        self.hold.wait(10)
        status = 204 if request.path == "/empty" else 200
        headers = (("Content-Type", "text/plain"), ("X-Name", "é"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"))
        return HttpResponse(status=status, headers=headers, body=b"" if status == 204 else b"seen:" + request.body)

    def too_large(self, request: HttpRequest) -> HttpResponse:
        self.requests.append(request)
        return HttpResponse(status=413, body=b"too large")


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
def server(echo: Echo) -> Iterator[Server]:
    serving = serve(echo)
    yield serving
    serving.close()


@pytest.fixture
def client(server: Server) -> Iterator[HTTPConnection]:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    yield connection
    connection.close()


def ask(client: HTTPConnection, method: str, target: str, body: Any = None, **headers: str) -> tuple[int, bytes]:
    client.request(method, target, body, headers)
    response = client.getresponse()
    return response.status, response.read()


def raw(server: Server, sent: bytes) -> bytes:
    """Send bytes, and read until the server ends the connection."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(sent)
        answer = b""
        while piece := connection.recv(65_536):
            answer += piece
        return answer


def test_a_request_comes_as_it_was_sent(server: Server, echo: Echo) -> None:
    raw(
        server,
        b"POST /prod/a%2Fb?x=1&x=2 HTTP/1.1\r\nHost: h\r\nX-One: 1\r\nx-ONE: 2\r\nContent-Length: 2\r\n"
        b"Connection: close\r\n\r\nhi",
    )
    assert echo.requests == [
        HttpRequest(
            method="POST",
            path="/prod/a%2Fb",
            query="x=1&x=2",
            headers=(("Host", "h"), ("X-One", "1"), ("x-ONE", "2"), ("Content-Length", "2"), ("Connection", "close")),
            body=b"hi",
            source_ip="127.0.0.1",
        )
    ]


def test_an_answer_comes_with_all_its_headers(client: HTTPConnection) -> None:
    client.request("GET", "/")
    response = client.getresponse()
    assert (response.status, response.read()) == (200, b"seen:")
    assert response.headers.get_all("Set-Cookie") == ["a=1", "b=2"]
    assert (response.headers["X-Name"] or "").encode("latin-1").decode() == "é"
    assert response.headers["Server"] is None


def test_a_connection_serves_many_requests(client: HTTPConnection) -> None:
    assert ask(client, "POST", "/", b"one") == (200, b"seen:one")
    first = client.sock
    assert ask(client, "POST", "/", b"two") == (200, b"seen:two")
    assert client.sock is first


def test_every_method_comes_through(client: HTTPConnection, echo: Echo) -> None:
    for method in ("GET", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"):
        assert ask(client, method, "/")[0] == 200
    assert [request.method for request in echo.requests] == ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"]


def test_head_has_the_length_but_no_body(client: HTTPConnection) -> None:
    client.request("HEAD", "/")
    response = client.getresponse()
    assert (response.headers["Content-Length"], response.read()) == ("5", b"")
    assert ask(client, "GET", "/") == (200, b"seen:")


def test_no_content_has_neither_length_nor_body(client: HTTPConnection) -> None:
    client.request("GET", "/empty")
    response = client.getresponse()
    assert (response.status, response.headers["Content-Length"], response.read()) == (204, None, b"")


def test_a_chunked_body_is_read_whole(client: HTTPConnection) -> None:
    client.request("POST", "/", iter([b"one,", b"two"]), {"Transfer-Encoding": "chunked"}, encode_chunked=True)
    assert client.getresponse().read() == b"seen:one,two"


def test_who_expects_a_100_gets_it(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"hi")
        assert b"seen:hi" in connection.recv(65_536)


def test_who_expects_a_100_for_11_mb_is_refused_before_sending(server: Server) -> None:
    head = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11000000\r\nExpect: 100-continue\r\n\r\n"
    answer = raw(server, head)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"Connection: close" in answer


def test_a_client_that_sends_11_mb_all_the_same_still_gets_the_answer(client: HTTPConnection, echo: Echo) -> None:
    assert ask(client, "POST", "/", b"x" * 11_000_000) == (413, b"too large")
    assert [request.body for request in echo.requests] == [b""]


@pytest.mark.parametrize(
    "sent",
    [
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9.9\r\n\r\n",
    ],
)
def test_what_is_no_proper_http_is_a_400_and_the_end(server: Server, echo: Echo, sent: bytes) -> None:
    assert b" 400 " in raw(server, sent).split(b"\r\n")[0] or b"Error code: 400" in raw(server, sent)
    assert echo.requests == []


def test_a_request_line_without_end_is_a_414(server: Server) -> None:
    assert b"414" in raw(server, b"GET /" + b"a" * 66_000 + b" HTTP/1.1\r\n\r\n")


def test_a_client_that_leaves_midway_harms_nobody(server: Server, client: HTTPConnection) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nhalf")
    assert ask(client, "GET", "/") == (200, b"seen:")


def test_requests_are_answered_side_by_side(server: Server, echo: Echo) -> None:
    echo.hold.clear()
    answers: list[tuple[int, bytes]] = []

    def one() -> None:
        connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
        answers.append(ask(connection, "GET", "/"))
        connection.close()

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    while len(echo.requests) < 8:
        echo.entered.wait(0.01)
    echo.hold.set()
    for thread in threads:
        thread.join(10)
    assert answers == [(200, b"seen:")] * 8


def test_closing_lets_a_running_answer_finish_and_ends_idle_connections(echo: Echo) -> None:
    serving = serve(echo)
    idle = HTTPConnection("127.0.0.1", serving.port, timeout=10)
    assert ask(idle, "GET", "/")[0] == 200
    echo.hold.clear()
    echo.entered.clear()
    busy = HTTPConnection("127.0.0.1", serving.port, timeout=10)
    busy.request("GET", "/")
    assert echo.entered.wait(10)
    threading.Timer(0.1, echo.hold.set).start()
    serving.close()
    assert busy.getresponse().read() == b"seen:"
    assert idle.sock is not None
    assert idle.sock.recv(1) == b""
    for connection in (idle, busy):
        connection.close()


def test_a_closed_port_is_free_again(echo: Echo) -> None:
    first = serve(echo)
    first.close()
    again = serve(echo, port=first.port)
    assert again.port == first.port
    again.close()


def test_a_taken_port_is_an_error(server: Server, echo: Echo) -> None:
    with pytest.raises(OSError, match="in use"):
        serve(echo, port=server.port)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "localhost"])
def test_only_loopback_addresses_are_served(echo: Echo, host: str) -> None:
    with pytest.raises(ValueError, match=r"loopback|IPv4"):
        serve(echo, host=host)
