"""One connection, byte by byte: what is read, in which order it is answered, and what is refused."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.inference.answers import Answer
from handlers.server.connection import Limits
from tests.build.clients import Client, get, post

HEAD = b"content-type: text/plain\r\nx-request-id: id-0\r\ndate: Sat, 31 Jan 2026 12:00:00 GMT\r\n"


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def error_of(answer: bytes) -> str:
    error: str = json.loads(answer.partition(b"\r\n\r\n")[2])["error"]
    return error


def test_an_answer_says_its_length_and_when_it_was_given() -> None:
    assert Client().sends(get("/v2")) == b"HTTP/1.1 200 OK\r\n" + HEAD + b"content-length: 7\r\n\r\nGET /v2"


def test_a_request_is_read_with_its_headers_its_query_and_its_body() -> None:
    client = Client()
    client.sends(post("/v2/models/a%20b/infer/?a=1&b=x%20y", b"[1]", "X-Two: 1", "x-two: 2", "X-Amzn-Trace-Id: Root=1"))
    request, _, trace_id, _ = client.asked[0]

    assert (request.method, request.path, request.body) == ("POST", "/v2/models/a%20b/infer", b"[1]")
    assert request.query == {"a": "1", "b": "x y"}
    assert request.headers["x-two"] == "1, 2"
    assert request.content_type == "application/json"
    assert trace_id == "Root=1"


def test_a_proxys_absolute_target_is_its_path() -> None:
    client = Client()
    client.sends(get("http://here:8080/v2/health/live?x=1"), get("http://here"))

    assert [asked.request.path for asked in client.asked] == ["/v2/health/live", ""]


def test_the_clients_own_request_id_is_kept_unless_it_cannot_stand_in_a_log() -> None:
    client = Client()
    client.sends(get("/", "X-Request-Id: a-1"), get("/", "X-Request-Id: a b"), get("/", f"X-Request-Id: {'a' * 129}"))

    assert [asked.request_id for asked in client.asked] == ["a-1", "id-1", "id-2"]


@given(cuts=st.lists(st.integers(0, 400), max_size=20))
@settings(max_examples=50, deadline=None)
def test_it_does_not_matter_in_which_pieces_a_request_comes(cuts: list[int]) -> None:
    sent = post("/one?x=y", b"[1, 2, 3]") + get("/two") + chunked(b"abc", b"de")
    edges = [0, *sorted(min(cut, len(sent)) for cut in cuts), len(sent)]
    client = Client()
    client.sends(*(sent[start:end] for start, end in pairwise(edges) if end > start))

    assert [(asked.request.path, asked.request.body) for asked in client.asked] == [
        ("/one", b"[1, 2, 3]"),
        ("/two", b""),
        ("/three", b"abcde"),
    ]


def chunked(*pieces: bytes) -> bytes:
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return b"POST /three HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + body + b"0\r\nx-late: 1\r\n\r\n"


def test_a_header_behind_the_body_is_none() -> None:
    client = Client()
    client.sends(chunked(b"abc"))

    assert "x-late" not in client.asked[0].request.headers


@given(st.lists(st.binary(max_size=60), max_size=6))
@settings(max_examples=200, deadline=None)
def test_whatever_comes_is_answered_or_refused(pieces: list[bytes]) -> None:
    client = Client()
    client.sends(*pieces)
    client.waits(21)
    client.waits(200)

    assert client.transport.is_closed
    assert all(type(error).__name__ in {"InvalidRequest", "RequestTimeout"} for error in client.refused)


def test_pipelined_requests_are_answered_in_their_order() -> None:
    client = Client()
    client.is_patient = True
    client.sends(get("/one") + get("/two"))
    assert [asked.request.path for asked in client.asked] == ["/one"]

    assert client.computed(0).endswith(b"GET /one")
    assert client.computed(1).endswith(b"GET /two")


def test_ten_thousand_pipelined_requests_are_answered() -> None:
    assert Client().sends(get("/") * 10_000).count(b"HTTP/1.1 200 OK") == 10_000


def test_while_a_request_is_computed_the_next_waits_in_the_socket() -> None:
    client = Client()
    client.is_patient = True
    client.sends(get("/one"), get("/two"))
    assert client.transport.is_paused

    client.computed(0)
    assert not client.transport.is_paused


def test_who_asks_to_close_is_closed() -> None:
    for sent in (get("/", "Connection: close"), get("/", version="1.0")):
        client = Client()
        assert b"connection: close\r\n" in client.sends(sent)
        assert client.transport.has_eof


def test_while_draining_each_answer_is_the_last() -> None:
    client = Client()
    client.is_draining = True

    assert b"connection: close\r\n" in client.sends(get("/"))
    assert client.transport.has_eof


def test_who_sends_its_end_gets_its_answer_first() -> None:
    client = Client()
    client.is_patient = True
    client.sends(get("/"))
    assert client.connection.eof_received()

    assert client.computed().startswith(b"HTTP/1.1 200 OK\r\n")
    assert not Client().connection.eof_received()


def test_who_went_away_is_forgotten() -> None:
    client = Client()
    client.is_patient = True
    client.sends(get("/one") + get("/two"))
    client.connection.connection_lost(ConnectionResetError())

    assert client.computed(0) == b""
    assert (len(client.asked), client.open) == (1, set())


OFFER = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk")
"""As Java's own HTTP client makes it with its every request."""


def test_an_offer_of_another_protocol_is_passed_over() -> None:
    sent = get("/one", *OFFER) + post("/two", b"[1, 2]", *OFFER) + get("/three")
    for pieces in ([sent], [sent[place : place + 1] for place in range(len(sent))]):
        client = Client()
        answers = client.sends(*pieces)

        assert [(asked.request.path, asked.request.body) for asked in client.asked] == [
            ("/one", b""),
            ("/two", b"[1, 2]"),
            ("/three", b""),
        ]
        assert b"connection: close" not in answers


def test_behind_an_offer_a_body_may_come_in_chunks_once_it_is_wanted() -> None:
    client = Client()
    sent = chunked(b"abc").replace(
        b"\r\n", b"\r\nExpect: 100-continue\r\nConnection: upgrade, close\r\nUpgrade: h2c\r\n", 1
    )
    answer = client.sends(sent)

    assert client.asked[0].request.body == b"abc"
    assert answer.count(b"100 Continue") == 1
    assert b"connection: close" in answer


def test_chunks_of_http_1_0_end_the_connection() -> None:
    client = Client()
    sent = chunked(b"abc").replace(b"HTTP/1.1\r\n", b"HTTP/1.0\r\nConnection: keep-alive\r\n")
    answer = client.sends(sent + get("/ignored"))

    assert [asked.request.body for asked in client.asked] == [b"abc"]
    assert b"connection: close\r\n" in answer


def test_http_1_0_knows_no_invitation_to_go_on() -> None:
    head = b"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"

    assert Client().sends(head) == b""


def test_after_a_request_for_a_tunnel_nothing_is_read() -> None:
    client = Client()
    answer = client.sends(b"CONNECT here:443 HTTP/1.1\r\nHost: here\r\n\r\n" + get("/ignored"))

    assert (status_of(answer), b"connection: close\r\n" in answer, len(client.asked)) == (200, True, 1)


def test_a_head_request_gets_the_head_of_the_answer() -> None:
    answer = Client().sends(get("/v2").replace(b"GET", b"HEAD"))

    assert answer.endswith(b"content-length: 7\r\n\r\n")


def test_who_waits_to_be_told_to_send_is_told() -> None:
    client = Client()
    head, _, body = post("/", b"[1]", "Expect: 100-continue").partition(b"\r\n\r\n")

    assert client.sends(head + b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert status_of(client.sends(body)) == 200


def test_a_large_body_is_sent_beside_its_head() -> None:
    client = Client(answer=lambda _: Answer(200, b"x" * 100_000, "text/plain"))

    assert client.sends(get("/")).endswith(b"content-length: 100000\r\n\r\n" + b"x" * 100_000)


@pytest.mark.parametrize(
    ("sent", "status", "message"),
    [
        (b"nonsense\r\n\r\n", 400, "request: expected HTTP/1.1, got something else"),
        (b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400, "request: expected HTTP/1.1, got something else"),
        (
            b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
            400,
            "request: expected HTTP/1.1, got something else",
        ),
        (
            post("/", b"x" * 11),
            413,
            "body: expected at most 10 bytes, got 11 or more; send fewer rows per request",
        ),
        (
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n",
            413,
            "body: expected at most 10 bytes, got 11 or more; send fewer rows per request",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_and_the_connection_closed(sent: bytes, status: int, message: str) -> None:
    client = Client(Limits(body_bytes=10, head_bytes=200))
    answer = client.sends(sent, get("/ignored"))

    assert (status_of(answer), error_of(answer)) == (status, message)
    assert b"connection: close\r\n" in answer
    assert client.transport.has_eof
    assert client.asked == []


def test_headers_without_end_are_refused() -> None:
    client = Client(Limits(head_bytes=200))
    assert client.sends(b"GET / HTTP/1.1\r\nX-Long: ", b"x" * 200) == b""

    answer = client.sends(b"x")
    assert (status_of(answer), error_of(answer)) == (
        431,
        "headers: expected at most 200 bytes, got more; send fewer or shorter ones",
    )


def test_headers_without_end_behind_a_body_are_refused() -> None:
    client = Client(Limits(head_bytes=200))
    began = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Long: "
    assert client.sends(began, b"x" * 200) == b""

    assert status_of(client.sends(b"x")) == 431
    assert client.asked == []


def test_a_body_may_come_in_more_pieces_than_headers_may() -> None:
    client = Client(Limits(head_bytes=200))
    client.sends(
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", *[b"1\r\n", b"x", b"\r\n"] * 100, b"0\r\n\r\n"
    )

    assert client.asked[0].request.body == b"x" * 100


def test_what_came_before_a_mistake_is_answered_first() -> None:
    client = Client()
    client.is_patient = True
    client.sends(get("/one") + b"nonsense\r\n\r\n")
    answer = client.computed(0)

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"GET /oneHTTP/1.1 400 Bad Request\r\n" in answer


def test_a_request_that_does_not_end_is_given_up() -> None:
    client = Client()
    assert client.sends(post("/", b"[1]")[:-1]) == b""
    assert client.waits(119) == b""

    answer = client.waits(1)
    assert (status_of(answer), error_of(answer)) == (
        408,
        "request: expected all of it sooner, got a part; send it again",
    )


def test_headers_have_less_time_than_a_body() -> None:
    client = Client()
    client.sends(b"GET / HTTP/1.1\r\n")

    assert client.waits(19) == b""
    assert status_of(client.waits(1)) == 408


def test_an_idle_connection_is_closed_without_a_word() -> None:
    client = Client()
    client.sends(get("/"))
    assert client.waits(74) == b""
    assert not client.transport.is_closed

    assert client.waits(1) == b""
    assert client.transport.is_closed


def test_a_long_computation_is_not_cut_off() -> None:
    client = Client()
    client.is_patient = True
    client.sends(get("/"))
    client.waits(100_000)

    assert status_of(client.computed()) == 200


def test_who_does_not_take_its_answer_gets_no_other_and_is_cut_off() -> None:
    client = Client()
    client.connection.pause_writing()
    assert client.sends(get("/one"), get("/two")) == b""
    assert client.transport.is_paused

    client.waits(119)
    assert not client.transport.is_aborted
    client.waits(1)
    assert client.transport.is_aborted


def test_who_takes_its_answer_late_gets_the_next() -> None:
    client = Client()
    client.connection.pause_writing()
    client.sends(get("/one"))
    client.connection.resume_writing()

    assert client.takes().endswith(b"GET /one")


def test_a_refused_client_has_a_while_to_read_why() -> None:
    client = Client()
    client.sends(b"nonsense\r\n\r\n", b"more" * 10_000)
    assert not client.transport.is_closed

    client.waits(2)
    assert client.transport.is_closed


def test_a_connection_is_idle_when_nothing_is_read_computed_or_sent() -> None:
    client = Client()
    client.is_patient = True
    seen = [client.connection.is_idle]
    client.sends(b"GET")
    seen.append(client.connection.is_idle)
    client.sends(get("/")[3:])
    seen.append(client.connection.is_idle)
    client.transport.unsent = 1
    client.computed()
    seen.append(client.connection.is_idle)
    client.transport.unsent = 0
    seen.append(client.connection.is_idle)

    assert seen == [True, False, False, False, True]
