"""Who computes a request, and how many may wait."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue

import pytest

from handlers.inference.answers import Answer, refuse
from handlers.inference.sessions import Opening, Ran
from handlers.server.dispatch import SMALL_BYTES, Dispatcher
from handlers.server.pace import QUICK_NS, Pace
from warmstart.errors import WarmstartError
from warmstart.protocols import oip
from warmstart.protocols.wire import INPUT_LOCATION, OUTPUT_LOCATION, Request
from warmstart.refs import ModelRef

WAIT_S = 60.0


class Plane:
    """Answers 200 with the name of the thread that computed; a body `wait` waits for leave, `open` opens a model."""

    def __init__(self) -> None:
        self.is_cold = False
        self.leave = threading.Semaphore(0)

    def respond(self, request: Request, _request_id: str, _trace_id: str | None = None) -> Answer:
        if request.body == b"wait":
            assert self.leave.acquire(timeout=WAIT_S)
        opened = Opening(1, 2, "model.onnx") if request.body == b"open" else None
        model = ModelRef(request.path.strip("/"), 1, None)
        return Answer(200, threading.current_thread().name.encode(), model=model, ran=Ran([], 1, opened, 1))

    def refuse(self, error: WarmstartError, path: str, _request_id: str, _trace_id: str | None = None) -> Answer:
        assert path == "/iris"
        return refuse(error, oip.render_error)

    def is_instant(self, request: Request) -> bool:
        return request.path == "/health"

    def is_warm(self, _request: Request) -> bool:
        return not self.is_cold


class World:
    """A dispatcher, whose calls to the loop's thread are run by hand."""

    def __init__(
        self, *, threads: int = 2, queue: int = 3, batched: tuple[str, ...] = (), pace: Pace | None = None
    ) -> None:
        self.plane = Plane()
        self.calls: SimpleQueue[Callable[[], object]] = SimpleQueue()
        self.answers: list[Answer] = []
        self.openings: SimpleQueue[str] = SimpleQueue()
        self.answered_here = 0
        self.dispatcher = Dispatcher(
            self.plane,
            threads=threads,
            queue=queue,
            call_soon=lambda call, *arguments: self.calls.put(lambda: call(*arguments)),
            opened=lambda: self.openings.put("opened"),
            answered_here=self.count,
            batched=batched,
            pace=pace,
        )

    def count(self) -> None:
        self.answered_here += 1

    def ask(self, body: bytes = b"", path: str = "/iris") -> None:
        self.dispatcher.dispatch(Request("POST", path, body=body), "r-1", None, self.answers.append)

    def step(self) -> str:
        """Run what a thread asked the loop to; return who computed."""
        self.calls.get(timeout=WAIT_S)()
        return self.answers[-1].body.decode()

    def by_whom(self, body: bytes = b"", path: str = "/iris") -> str:
        """Ask, and return who computed."""
        before = len(self.answers)
        self.ask(body, path)
        return self.answers[-1].body.decode() if len(self.answers) > before else self.step()


HERE = threading.current_thread().name


def quick() -> Pace:
    pace = Pace()
    for path in ("/iris", "/digits"):
        pace.note(path, 10_000)
    return pace


def test_the_first_request_is_computed_elsewhere_and_quick_ones_after_it_here() -> None:
    world = World()

    assert [world.by_whom() for _ in range(3)] == ["compute-0", HERE, HERE]
    assert world.answered_here == 2


def test_what_may_have_to_wait_is_computed_elsewhere() -> None:
    world = World(pace=quick())
    assert world.by_whom() == HERE
    world.plane.is_cold = True

    assert world.by_whom() == "compute-0"


def test_a_large_body_is_read_elsewhere() -> None:
    world = World(pace=quick())

    assert world.by_whom(b"x" * SMALL_BYTES) == HERE
    assert world.by_whom(b"x" * (SMALL_BYTES + 1)) == "compute-0"


@pytest.mark.parametrize("header", [INPUT_LOCATION, OUTPUT_LOCATION])
def test_whoever_waits_for_s3_waits_elsewhere(header: str) -> None:
    world = World(pace=quick())
    request = Request("POST", "/iris", {header: "s3://bodies/in/a.json"})
    world.dispatcher.dispatch(request, "r-1", None, world.answers.append)

    assert world.step() == "compute-0"


def test_a_compressed_body_is_read_elsewhere_for_it_may_become_a_large_one() -> None:
    world = World(pace=quick())
    request = Request("POST", "/iris", {"content-encoding": "zstd"}, b"x")
    world.dispatcher.dispatch(request, "r-1", None, world.answers.append)

    assert world.step() == "compute-0"


def test_a_model_whose_requests_wait_for_each_other_is_computed_elsewhere() -> None:
    world = World(batched=("digits",))

    assert [world.by_whom(path="/digits") for _ in range(3)] == ["compute-0"] * 3
    assert [world.by_whom() for _ in range(2)] == ["compute-0", HERE]


def test_a_request_does_not_wait_for_one_that_takes_long() -> None:
    world = World(pace=quick())
    world.plane.is_cold = True
    world.ask(b"wait")
    world.plane.is_cold = False

    assert world.by_whom() == HERE
    world.plane.leave.release()
    assert world.step() == "compute-0"


def test_no_more_threads_are_started_than_are_needed() -> None:
    world = World(threads=8)
    for number in range(4):
        assert world.by_whom(path=f"/m{number}") == "compute-0"


def test_no_more_are_computed_at_once_than_may_be() -> None:
    world = World(threads=2, queue=10)
    for _ in range(5):
        world.ask(b"wait")
    world.plane.leave.release(5)

    assert {world.step() for _ in range(5)} <= {"compute-0", "compute-1"}


def test_beyond_the_queue_a_request_is_refused_and_told_when_to_come_back() -> None:
    world = World(threads=1, queue=3)
    for _ in range(4):
        world.ask(b"wait")
    refused = world.answers[0]

    assert (refused.status, refused.headers) == (503, (("retry-after", "1"),))
    assert refused.body == (
        b'{"error":"server: expected at most 3 requests at once, got one more; send it again later"}'
    )
    assert world.by_whom(path="/health") == HERE
    world.answers.pop()
    world.plane.leave.release(3)
    for _ in range(3):
        world.step()
    assert [answer.status for answer in world.answers] == [503, 200, 200, 200]
    assert world.by_whom() == HERE


def test_what_opening_a_model_leaves_is_given_back() -> None:
    world = World()
    world.by_whom(b"open")

    assert world.openings.get(timeout=WAIT_S) == "opened"


def test_a_path_is_quick_again_after_some_quick_answers() -> None:
    pace = Pace()
    assert not pace.is_quick("/iris")
    pace.note("/iris", 8 * QUICK_NS)
    seen = []
    for _ in range(4):
        pace.note("/iris", 0)
        seen.append(pace.is_quick("/iris"))

    assert seen == [False, False, False, True]


def test_what_is_known_of_paths_does_not_grow_without_end() -> None:
    pace = Pace()
    pace.note("/iris", 1)
    for number in range(4096):
        pace.note(f"/{number}", 1)

    assert not pace.is_quick("/iris")
    assert pace.is_quick("/4095")
