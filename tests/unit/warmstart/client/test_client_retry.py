"""What the client asks again, how long it waits, and when it gives up: by a clock that only its own waits move."""

from __future__ import annotations

from typing import Any

import pytest

from tests.build.http_answers import Given, answering
from warmstart.client import Answer, Client, RequestRefused
from warmstart.client.retry import chance
from warmstart.errors import InvalidSetting, Unreachable

NOON = 1_769_860_800.0
"""2026-01-31T12:00:00Z."""


class Waiting:
    """Keeps what was waited, and moves the clock by it."""

    def __init__(self, drawn: float = 0.5) -> None:
        self.waited: list[float] = []
        self._drawn = drawn

    def client(self, url: str, **settings: Any) -> Client:
        """A client that waits here."""
        return Client(url, sleep=self.waited.append, rng=lambda: self._drawn, clock=self._clock, **settings)

    def predict(self, url: str, **settings: Any) -> Answer:
        """Ask with a client of its own."""
        with self.client(url, **settings) as client:
            return client.predict("iris", [1])

    def _clock(self) -> float:
        return NOON + sum(self.waited)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_may_pass_is_asked_again(status: int) -> None:
    waiting = Waiting()
    with answering(Given(status), Given(body=b"[2]")) as endpoint:
        answer = waiting.predict(endpoint.url)

    assert answer.body == [2]
    assert [sent.body for sent in endpoint.sent] == [b"[1]", b"[1]"]
    assert waiting.waited == [0.1]


@pytest.mark.parametrize("status", [400, 403, 404, 409, 413, 415, 422, 500])
def test_what_stays_refused_is_asked_once(status: int) -> None:
    waiting = Waiting()
    with answering(Given(status)) as endpoint, pytest.raises(RequestRefused):
        waiting.predict(endpoint.url)

    assert (len(endpoint.sent), waiting.waited) == (1, [])


def test_a_fault_is_asked_again_where_it_is_the_gateways_own() -> None:
    waiting = Waiting()
    refused = Given(500, headers={"x-amzn-ErrorType": "InternalServerErrorException"})
    with answering(refused, Given(body=b"[2]")) as endpoint:
        assert waiting.predict(endpoint.url).body == [2]


def test_each_wait_is_drawn_from_twice_the_span() -> None:
    waiting = Waiting(drawn=1.0)
    with answering(*[Given(503)] * 10) as endpoint, pytest.raises(RequestRefused):
        waiting.predict(endpoint.url, attempts=9)

    assert waiting.waited == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]


def test_after_the_last_attempt_the_refusal_is_the_callers() -> None:
    waiting = Waiting()
    refusals = [Given(503, b'{"error": "store: did not answer"}', {"x-request-id": f"r-{n}"}) for n in range(3)]
    with answering(*refusals) as endpoint, pytest.raises(RequestRefused) as caught:
        waiting.predict(endpoint.url, attempts=3)

    assert (caught.value.status, caught.value.request_id) == (503, "r-2")
    assert len(endpoint.sent) == 3


@pytest.mark.parametrize(
    ("headers", "waited"),
    [
        ({"retry-after": "7"}, 7.1),
        ({"retry-after": "Sat, 31 Jan 2026 12:00:05 GMT", "date": "Sat, 31 Jan 2026 12:00:00 GMT"}, 5.1),
        ({"retry-after": "Sat, 31 Jan 2026 11:00:00 GMT", "date": "Sat, 31 Jan 2026 12:00:00 GMT"}, 0.1),
        ({"retry-after": "soon"}, 0.1),
        ({"retry-after": "-3"}, 0.1),
    ],
)
def test_a_wait_is_at_least_what_the_endpoint_asks_for(headers: dict[str, str], waited: float) -> None:
    waiting = Waiting()
    with answering(Given(429, headers=headers, omits_date="date" not in headers), Given()) as endpoint:
        waiting.predict(endpoint.url)

    assert waiting.waited == [pytest.approx(waited)]


def test_a_date_without_the_endpoints_own_is_read_by_the_callers_clock() -> None:
    waiting = Waiting()
    refused = Given(429, headers={"retry-after": "Sat, 31 Jan 2026 12:00:09 GMT"}, omits_date=True)
    with answering(refused, Given()) as endpoint:
        waiting.predict(endpoint.url)

    assert waiting.waited == [pytest.approx(9.1)]


def test_a_wait_that_would_pass_the_total_is_not_begun() -> None:
    waiting = Waiting()
    with answering(Given(429, headers={"retry-after": "60"})) as endpoint, pytest.raises(RequestRefused, match="429"):
        waiting.predict(endpoint.url, total_timeout_s=30.0)

    assert waiting.waited == []


def test_a_wait_that_takes_longer_than_the_total_leaves_time_to_ask() -> None:
    waited: list[float] = []

    def oversleep(wait_s: float) -> None:
        waited.extend((wait_s, 1.0))

    settings: Any = {"sleep": oversleep, "rng": lambda: 0.5, "clock": lambda: NOON + sum(waited)}
    with (
        answering(Given(503), Given(503)) as endpoint,
        Client(endpoint.url, total_timeout_s=1.05, **settings) as client,
        pytest.raises((RequestRefused, Unreachable)),
    ):
        client.predict("iris", [1])

    assert waited[:2] == [0.1, 1.0]


def test_a_new_connection_that_ends_without_an_answer_is_tried_again() -> None:
    waiting = Waiting()
    with answering(Given(drops=True), Given(body=b"[2]")) as endpoint:
        answer = waiting.predict(endpoint.url)

    assert answer.body == [2]
    assert (len(endpoint.sent), waiting.waited) == (2, [0.1])


def test_an_answer_that_ends_too_early_is_asked_for_again() -> None:
    waiting = Waiting()
    with answering(Given(body=b"[1", cut_bytes=1), Given(body=b"[2]")) as endpoint:
        answer = waiting.predict(endpoint.url)

    assert answer.body == [2]
    assert waiting.waited == [0.1]


def test_a_connection_that_always_ends_is_unreachable_in_the_end() -> None:
    waiting = Waiting()
    with answering(*[Given(drops=True)] * 4) as endpoint, pytest.raises(Unreachable, match="RemoteDisconnected"):
        waiting.predict(endpoint.url)

    assert len(endpoint.sent) == 4
    assert waiting.waited == [0.1, 0.2, 0.4]


def test_a_kept_connection_that_was_closed_is_replaced_without_a_wait() -> None:
    waiting = Waiting()
    with answering(Given(hangs_up=True), Given()) as endpoint, waiting.client(endpoint.url) as client:
        client.predict("iris", [1])
        client.predict("iris", [1])

    assert waiting.waited == []


@pytest.mark.parametrize("name", ["timeout_s", "total_timeout_s"])
def test_a_time_that_is_none_is_refused(name: str) -> None:
    settings: Any = {name: 0.0}
    with pytest.raises(InvalidSetting, match=f"{name}: expected seconds, more than 0; got 0.0"):
        Client("http://127.0.0.1:9", **settings)


def test_chance_is_from_nought_up_to_one() -> None:
    drawn = [chance() for _ in range(100)]

    assert all(0 <= number < 1 for number in drawn)
    assert len(set(drawn)) == 100
