"""One execution environment: cold and warm, its log, its failures, and its end."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from local.types import PayloadTooLarge
from tests.build.functions import ECHO, SLEEP, World, alive, in_background, until, worlds


@pytest.fixture
def make_world(tmp_path: Path) -> Iterator[Callable[..., World]]:
    with worlds(tmp_path) as make:
        yield make


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world()


# -- cold and warm


def test_the_first_invocation_is_cold_and_the_second_warm_and_their_reports_say_so(world: World) -> None:
    world.put("import os\ndef handler(event, context): return os.getpid()")
    assert world.answer() == world.answer()
    first, second = world.lines("REPORT")
    assert "\tInit Duration: " in first
    assert "Init Duration" not in second


def test_the_init_phase_is_billed(world: World) -> None:
    world.put("import time\ntime.sleep(0.2)\n" + ECHO)
    world.invoke()
    (report,) = world.lines("REPORT")
    billed = re.search(r"Billed Duration: (\d+) ms", report)
    assert billed is not None
    assert int(billed[1]) >= 200


def test_an_invocation_writes_start_its_own_lines_end_and_report(world: World) -> None:
    world.put("def handler(event, context):\n    print('one')\n    print('two')")
    request_id = world.invoke().request_id
    assert [line.split(" Version")[0].split("\t")[0] for _, _, line in world.log] == [
        "INIT_START Runtime",
        f"START RequestId: {request_id}",
        "one",
        "two",
        f"END RequestId: {request_id}",
        f"REPORT RequestId: {request_id}",
    ]


def test_each_environment_has_its_log_stream_named_for_day_version_and_itself(world: World) -> None:
    world.put()
    world.invoke()
    streams = {(group, stream) for group, stream, _ in world.log}
    ((group, stream),) = streams
    assert group == "/aws/lambda/fn"
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[1\][0-9a-f]{32}", stream)


def test_standard_error_and_the_logging_module_reach_the_log(world: World) -> None:
    world.put(
        """
        import logging, sys
        def handler(event, context):
            print("on stderr", file=sys.stderr)
            logging.getLogger().warning("careful")
        """
    )
    request_id = world.invoke().request_id
    assert world.lines("on stderr") == ["on stderr"]
    (warning,) = world.lines("[WARNING]")
    assert warning.endswith(f"\t{request_id}\tcareful")


def test_the_log_of_a_running_invocation_can_be_read(world: World) -> None:
    world.put("import time\ndef handler(event, context):\n    print('begun')\n    time.sleep(5)")
    in_background(world, {})
    until(lambda: world.lines("begun") == ["begun"])


def test_the_log_tail_is_the_last_4_kb(world: World) -> None:
    world.put("def handler(event, context):\n    print('x' * 10000)")
    tail = world.invoke().log_tail
    assert len(tail) == 4096
    assert b"\nREPORT RequestId: " in tail


def test_an_x_ray_trace_is_reported_where_tracing_is_active(world: World) -> None:
    world.put("import os\ndef handler(event, context): return os.environ['_X_AMZN_TRACE_ID']", tracing_active=True)
    root = re.fullmatch(r"Root=(1-[0-9a-f]{8}-[0-9a-f]{24});Parent=[0-9a-f]{16};Sampled=1", world.answer())
    assert root is not None
    assert f"\nXRAY TraceId: {root[1]}\tSegmentId: " in world.lines("REPORT")[0]


def test_the_process_is_frozen_between_invocations(world: World) -> None:
    world.put(
        """
        import threading, time
        count = 0
        def run():
            global count
            while True:
                count += 1
                time.sleep(0.001)
        threading.Thread(target=run, daemon=True).start()
        def handler(event, context): return count
        """
    )
    before = world.answer()
    (pid,) = world.pids()
    until(lambda: psutil.Process(pid).status() == psutil.STATUS_STOPPED)
    time.sleep(0.2)
    assert world.answer() - before < 50


# -- failures


def test_a_handler_that_raises_is_described_by_the_runtime_and_its_environment_goes_on(world: World) -> None:
    world.put("def handler(event, context):\n    if event['bad']: raise KeyError('age')\n    return 'fine'")
    invocation = world.invoke({"bad": True})
    error = json.loads(invocation.payload)
    assert (invocation.function_error, error["errorType"], error["errorMessage"]) == ("Unhandled", "KeyError", "'age'")
    assert error["requestId"] == invocation.request_id
    assert "raise KeyError('age')" in error["stackTrace"][0]
    (logged,) = world.lines("[ERROR] KeyError: 'age'\nTraceback (most recent call last):\n")
    assert "in handler" in logged
    assert world.answer({"bad": False}) == "fine"
    assert "Init Duration" not in world.lines("REPORT")[1]


def test_an_environment_killed_mid_request_fails_that_request_alone(world: World) -> None:
    world.put(SLEEP)
    doomed, healthy = in_background(world, {"s": 0.5}, count=2)
    os.kill(world.pids()[0], signal.SIGKILL)
    results = sorted((doomed.result(), healthy.result()), key=lambda result: result.function_error or "")
    assert results[0].payload == b'"slept"'
    assert json.loads(results[1].payload) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {results[1].request_id} Error: Runtime exited with error: signal: killed",
    }
    assert world.answer({"s": 0}) == "slept"


def test_an_environment_that_died_while_it_was_idle_fails_no_request(world: World) -> None:
    world.put()
    world.invoke()
    (pid,) = world.pids()
    os.kill(pid, signal.SIGKILL)
    until(lambda: psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    assert world.answer({"a": 1}) == {"a": 1}


def test_a_process_that_exits_is_reported_with_its_status_and_started_again_in_the_next_invocation(
    world: World,
) -> None:
    world.put("import os\ndef handler(event, context):\n    if event: os._exit(3)\n    return 'back'")
    assert world.error({"die": 1}) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": "RequestId: <id> Error: Runtime exited with error: exit status 3",
    }
    assert world.lines("REPORT")[0].endswith("Status: error\tError Type: Runtime.ExitError\t")
    assert world.answer() == "back"
    assert "Init Duration" not in world.lines("REPORT")[1]
    assert len({stream for _, stream, _ in world.log}) == 1


def test_an_invocation_above_its_timeout_is_killed(world: World) -> None:
    world.put(SLEEP, timeout_s=1.0)
    world.answer({"s": 0})
    (pid,) = world.pids()
    assert world.error({"s": 30}) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": "RequestId: <id> Error: Task timed out after 1.00 seconds",
    }
    assert not psutil.pid_exists(pid)
    assert any(re.match(r"\d{4}-.*Z \S+ Task timed out after 1\.00 seconds", line) for _, _, line in world.log)
    assert "Duration: 1000.00 ms\tBilled Duration: 1000 ms" in world.lines("REPORT")[1]
    assert world.lines("REPORT")[1].endswith("\tStatus: timeout\t")
    assert world.answer({"s": 0}) == "slept"


def test_the_handler_knows_its_deadline(world: World) -> None:
    world.put("def handler(event, context): return context.get_remaining_time_in_millis()", timeout_s=10.0)
    assert 0 < world.answer() <= 10000


def test_a_module_that_cannot_be_imported_fails_in_the_init_phase_and_again_in_the_invocation(world: World) -> None:
    world.put("import no_such_module")
    assert world.error() == {
        "errorType": "Runtime.ImportModuleError",
        "errorMessage": "Unable to import module 'app': No module named 'no_such_module'",
        "requestId": "",
        "stackTrace": [],
    }
    first, second = world.lines("INIT_REPORT")
    assert first.endswith("Phase: init\tStatus: error\tError Type: Runtime.ImportModuleError")
    assert second.endswith("Phase: invoke\tStatus: error\tError Type: Runtime.ImportModuleError")
    (report,) = world.lines("REPORT")
    assert report.endswith("Status: error\tError Type: Runtime.ImportModuleError\t")


def test_a_process_that_ends_while_it_initializes_is_reported_with_its_status(world: World) -> None:
    world.put("import os\nos._exit(7)")
    assert world.error() == {
        "errorType": "Runtime.ExitError",
        "errorMessage": "RequestId: <id> Error: Runtime exited with error: exit status 7",
    }


def test_an_init_phase_above_its_limit_is_run_again_within_the_functions_timeout(
    make_world: Callable[..., World],
) -> None:
    world = make_world(init_limit_s=0.3)
    world.put("import time\ntime.sleep(0.6)\n" + ECHO, timeout_s=5.0)
    assert world.answer({"a": 1}) == {"a": 1}
    (report,) = world.lines("INIT_REPORT")
    assert report.endswith("Phase: init\tStatus: timeout")
    assert "Init Duration" not in world.lines("REPORT")[0]


def test_an_init_phase_that_is_slow_in_the_invocation_too_times_out(make_world: Callable[..., World]) -> None:
    world = make_world(init_limit_s=0.2)
    world.put("import time\ntime.sleep(60)", timeout_s=0.3)
    assert world.error()["errorMessage"] == "RequestId: <id> Error: Task timed out after 0.30 seconds"


def test_a_response_of_exactly_the_limit_passes(world: World) -> None:
    world.put("def handler(event, context): return 'x' * (6291556 - 2)")
    assert len(world.invoke().payload) == 6291556


def test_a_response_above_6_mb_is_refused_and_the_next_invocation_works(world: World) -> None:
    world.put("def handler(event, context): return 'x' * event.get('size', 1)")
    assert world.error({"size": 6291555}) == {
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": "Response payload size (6291557 bytes) exceeded maximum allowed payload size (6291556 bytes).",
    }
    assert world.answer() == "x"


def test_a_request_above_6_mb_is_refused_before_it_reaches_the_function(world: World) -> None:
    world.put("def handler(event, context): return len(event)")
    assert world.functions.invoke("fn:1", b'"%s"' % (b"x" * 6291454)).payload == b"6291454"
    with pytest.raises(PayloadTooLarge, match="6291456"):
        world.functions.invoke("fn:1", b'"%s"' % (b"x" * 6291455))


@pytest.mark.parametrize("lingers_s", [0, 30], ids=["returns at once", "goes on"])
def test_a_function_above_its_memory_is_killed(world: World, lingers_s: int) -> None:
    world.put(
        """
        import time
        def handler(event, context):
            data = bytearray(event["mb"] * 1024 * 1024)
            time.sleep(event["s"])
            return len(data)
        """,
        memory_mb=128,
    )
    assert world.error({"mb": 200, "s": lingers_s}) == {
        "errorType": "Runtime.OutOfMemory",
        "errorMessage": "RequestId: <id> Error: Runtime exited with error: signal: killed",
    }
    (report,) = world.lines("REPORT")
    assert "Memory Size: 128 MB\tMax Memory Used: 128 MB" in report
    assert report.endswith("Status: error\tError Type: Runtime.OutOfMemory\t")
    assert world.answer({"mb": 10, "s": 0}) == 10 * 1024 * 1024


# -- the end


def test_close_leaves_no_process_no_port_and_no_directory(make_world: Callable[..., World]) -> None:
    others = psutil.Process().children(recursive=True)  # of other tests' twins
    world = make_world()
    world.put(
        """
        import os, subprocess, sys
        def handler(event, context):
            subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
            subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
            return os.environ["TMPDIR"]
        """
    )
    tmp = Path(world.answer())
    before = [child for child in psutil.Process().children(recursive=True) if child not in others]
    assert len(before) >= 4  # the runtime, the two that it started, the warden
    world.functions.close()
    assert alive(before) == []
    assert not tmp.parent.exists()
    world.functions.close()


def test_close_fails_what_is_running(world: World) -> None:
    world.put(SLEEP)
    (running,) = in_background(world, {"s": 60})
    world.functions.close()
    assert running.result().function_error == "Unhandled"
    assert world.functions.environments() == []


def test_a_runtime_that_ignores_sigterm_is_killed(world: World) -> None:
    world.put("import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + ECHO)
    world.invoke()
    (pid,) = world.pids()
    world.functions.close()
    assert not psutil.pid_exists(pid)


TWIN = """
import json, pathlib, sys, threading, time
from local.functions import Functions
from local.types import FunctionConfig
functions = Functions(log=lambda group, stream, lines: None)
functions.put(FunctionConfig(name="fn", version="1", handler="app.handler", code_dir=pathlib.Path(sys.argv[1]),
    layer_dirs=(), environment={}, memory_mb=256, timeout_s=60, log_group="/aws/lambda/fn"))
threading.Thread(target=functions.invoke, args=("fn:1", b'{"s": 60}'), daemon=True).start()
while True:
    views = functions.environments()
    if views and views[0].state == "busy":
        break
    time.sleep(0.01)
print(views[0].pid, flush=True)
time.sleep(60)
"""


def test_nothing_is_left_when_the_twin_itself_is_killed(world: World) -> None:
    code_dir = world.config(SLEEP).code_dir
    twin = subprocess.Popen([sys.executable, "-c", TWIN, str(code_dir)], stdout=subprocess.PIPE, text=True)
    assert twin.stdout is not None
    with twin.stdout:
        pid = int(twin.stdout.readline())
    left = psutil.Process(twin.pid).children(recursive=True)
    scratch = Path(psutil.Process(pid).environ()["TMPDIR"])
    assert len(left) == 2
    twin.kill()
    twin.wait()
    until(lambda: alive(left) == [] and not scratch.parent.exists())


def test_many_threads_lose_nothing(make_world: Callable[..., World]) -> None:
    world = make_world(account_concurrency=4)
    world.put()
    answers: list[Any] = []

    def client(number: int) -> None:
        answers.extend(world.answer([number, turn]) for turn in range(25))

    threads = [threading.Thread(target=client, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [[number, turn] for number in range(4) for turn in range(25)]
    assert len(world.pids()) <= 4
