"""The queue of asynchronous invocations."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from local.functions.events import MAX_AGE_S, EventQueue, QueuedEvent
from local.types import FunctionNotFound, Invocation, Throttled

EVENT = QueuedEvent(function="fn", payload=b"{}", qualifier=None, request_id="r-1", queued=0.0)
FINE = Invocation(payload=b"null", function_error=None, executed_version="1", request_id="r-1")
FAILED = Invocation(payload=b"{}", function_error="Unhandled", executed_version="1", request_id="r-1")


def attempts(outcomes: list[Callable[[], Invocation]], event: QueuedEvent = EVENT) -> list[QueuedEvent]:
    """Queue an event whose attempts end as given; give the attempts that there were a little later."""
    seen: list[QueuedEvent] = []
    later = threading.Event()

    def invoke(event: QueuedEvent) -> Invocation:
        if event.request_id == "later":
            later.set()
            return FINE
        seen.append(event)
        return outcomes[len(seen) - 1]()

    queue = EventQueue(invoke, workers=1, retry_delays_s=(0.0, 0.0))
    queue.put(event)
    queue.put(replace(EVENT, request_id="later"), after_s=0.1)
    assert later.wait(5)
    queue.close()
    return seen


def throttle() -> Invocation:
    raise Throttled


def vanish() -> Invocation:
    raise FunctionNotFound


def test_an_event_that_succeeds_is_run_once() -> None:
    assert len(attempts([lambda: FINE])) == 1


def test_a_function_error_is_tried_twice_more() -> None:
    assert [event.failures for event in attempts([lambda: FAILED] * 3)] == [0, 1, 2]


def test_a_retry_that_succeeds_is_the_last() -> None:
    assert len(attempts([lambda: FAILED, lambda: FINE])) == 2


def test_an_event_that_is_throttled_too_long_is_dropped() -> None:
    assert len(attempts([throttle], replace(EVENT, queued=-MAX_AGE_S))) == 1


def test_an_event_whose_function_is_gone_is_dropped() -> None:
    assert len(attempts([vanish])) == 1


def test_closing_a_queue_that_was_not_used_is_fine() -> None:
    queue = EventQueue(lambda _: FINE, workers=1, retry_delays_s=())
    queue.close()
    queue.close()
    queue.put(EVENT)
