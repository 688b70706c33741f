"""One execution environment: a runtime process, its Runtime API, its /tmp and its log stream.

Lambda's rules that are kept here, from "Understanding the Lambda execution environment lifecycle":
- the init phase may take 10 s; when it fails, it is run again at the invocation, within the function's timeout;
- one invocation at a time; between invocations the process is frozen (SIGSTOP);
- after a crash or a timeout the environment stays, with its /tmp, and the next invocation starts the runtime again.
"""

from __future__ import annotations

import selectors
import shutil
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Final, Literal

from local.functions import faults, report, surroundings
from local.functions.faults import Fault
from local.functions.journal import Journal
from local.functions.process import MB, RuntimeProcess
from local.functions.runtime_api import Event, Failure, InitFailure, Message, Next, Oversized, Response, RuntimeApi
from local.functions.warden import Warden
from local.types import FunctionConfig, Invocation, LogSink

SHUTDOWN_S: Final = 0.5
"""From SIGTERM to SIGKILL."""

_TICK_S = 0.05  # how often a running process is measured and its log goes out


class State(Enum):
    """Where an environment is in its life.

    STARTING → BUSY ⇄ IDLE, BUSY → RESET → BUSY, then IDLE | RESET → STOPPING → DEAD.
    """

    STARTING = "starting"
    """Made; the init phase has not ended."""
    IDLE = "idle"
    """Initialized, frozen, ready for an invocation."""
    BUSY = "busy"
    """In an invocation."""
    RESET = "reset"
    """Its process is gone (crash, timeout, memory): the next invocation initializes it again, in its own time."""
    STOPPING = "stopping"
    """Asked to end."""
    DEAD = "dead"
    """Ended; nothing of it is left."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """What all environments of the twin share."""

    root: Path
    """Scratch directories go below it."""
    runtime_dir: Path
    warden: Warden
    log: LogSink
    endpoint_url: str | None
    init_limit_s: float
    now: Callable[[], datetime]


@dataclass(frozen=True, kw_only=True)
class Call:
    """One invocation to run."""

    request_id: str
    payload: bytes
    arn: str
    trace_id: str


class Environment:
    """An execution environment. One thread at a time has it (the pool sees to that); `kill` is for any thread."""

    def __init__(self, config: FunctionConfig, site: Site, *, unique: str) -> None:
        """`unique`: 32 hex digits, the end of the log stream's name. Starts nothing yet."""
        self.config = config
        self.state = State.STARTING
        self.log_stream = report.log_stream(site.now(), config.version, unique)
        self._site = site
        self._scratch = site.root / unique
        self._scratch.mkdir()
        self._selector = selectors.DefaultSelector()
        self._api = RuntimeApi(self._selector)
        self._journal = Journal(lambda lines: site.log(config.log_group, self.log_stream, lines))
        self._process: RuntimeProcess | None = None
        self._doomed = threading.Event()
        self._used_bytes = 0
        self._sampled = 0.0

    @property
    def pid(self) -> int | None:
        """The runtime's process, None while there is none."""
        process = self._process
        return process.pid if process else None

    def invoke(self, call: Call) -> Invocation:
        """Run one invocation, after the init phase if there has been none."""
        init_ms = self._initialize() if self.state is State.STARTING else None
        self.state = State.BUSY
        started = time.monotonic()
        answer, fault = self._attempt(call, started + self.config.timeout_s)
        return self._conclude(call, answer, fault, duration_ms=_ms_since(started), init_ms=init_ms)

    def kill(self) -> None:
        """Kill the process, from any thread; a running invocation fails, and no process is started any more."""
        self._doomed.set()
        if (process := self._process) is not None:
            process.kill()

    def terminate(self) -> None:
        """Ask the process to end; `stop` waits for it."""
        self.state = State.STOPPING
        if self._process is not None:
            self._process.terminate()

    def stop(self, grace_s: float = SHUTDOWN_S) -> None:
        """End it: SIGTERM, after `grace_s` SIGKILL; its directory and its port are given back."""
        if self.state is State.DEAD:
            return
        if self.state is not State.STOPPING:
            self.terminate()
        self._end_process(grace_s)
        self._journal.flush()
        self._api.close()
        self._selector.close()
        shutil.rmtree(self._scratch, ignore_errors=True)
        self.state = State.DEAD

    def _initialize(self) -> float | None:
        """The init phase of a new environment; give its milliseconds.

        A failure is only logged (None): the invocation runs the phase again.
        """
        self._journal.add(report.init_start_line(surroundings.PYTHON))
        started = time.monotonic()
        fault = self._init("init", self._site.init_limit_s)
        return None if fault else _ms_since(started)

    def _init(self, phase: Literal["init", "invoke"], limit_s: float) -> Fault | None:
        """Start the runtime and wait until it asks for work; where it fails, end it."""
        started = time.monotonic()
        self._start_process()
        match self._wait(started + limit_s):
            case Next():
                return None
            case InitFailure(error_type, body):
                fault = Fault(error_type=error_type, payload=body)
            case Fault() as fault:
                pass
            case Response() | Failure() | Oversized():  # the API refuses these while no event was given
                fault = faults.exited(1)
        self._end_process()
        milliseconds = _ms_since(started)
        line = report.init_report_line(milliseconds, phase=phase, status=fault.status, error_type=fault.error_type)
        self._journal.add(line)
        return fault

    def _attempt(self, call: Call, deadline: float) -> tuple[Response | Failure | None, Fault | None]:
        """Run the invocation and bring the environment to rest: frozen, or without a process."""
        if self._process is not None and self._process.exit_code() is not None:  # it ended while it was idle
            self._end_process()
        fault = self._init("invoke", self.config.timeout_s) if self._process is None else None
        self._journal.add(report.start_line(call.request_id, self.config.version))
        if fault is not None:
            return None, fault
        message = self._deliver(call, deadline)
        after = message if isinstance(message, Fault) else self._wait(deadline)
        if isinstance(message, Oversized):
            fault = faults.response_too_large(message.size)
        answer = message if isinstance(message, Response | Failure) else None
        if isinstance(after, Next):
            limit = self._limit_passed()
            if limit is None:
                self._freeze()
                return answer, fault
            answer, after = None, limit
        self._end_process()
        return answer, fault or (after if isinstance(after, Fault) else None)

    def _deliver(self, call: Call, deadline: float) -> Message | Fault:
        """Give the event to the runtime; give what comes of it."""
        if self._process is not None:
            self._process.thaw()
        left_s = max(0.0, deadline - time.monotonic())
        event = Event(
            request_id=call.request_id,
            payload=call.payload,
            deadline_ms=int((self._site.now().timestamp() + left_s) * 1000),
            arn=call.arn,
            trace_id=call.trace_id,
        )
        self._api.offer(event)  # where it cannot, the process is gone, and the wait says how
        return self._wait(deadline)

    def _conclude(
        self,
        call: Call,
        answer: Response | Failure | None,
        fault: Fault | None,
        *,
        duration_ms: float,
        init_ms: float | None,
    ) -> Invocation:
        """Write the end of the log, and make the answer."""
        if fault is not None:
            for line in fault.lines(call.request_id, self._site.now()):
                self._journal.add(line)
            if fault.status == "timeout":
                duration_ms = self.config.timeout_s * 1000
        figures = report.Report(
            request_id=call.request_id,
            duration_ms=duration_ms,
            memory_mb=self.config.memory_mb,
            used_mb=min(self.config.memory_mb, -(-self._used_bytes // MB)),
            init_ms=init_ms,
            status=fault.status if fault else None,
            error_type=fault.error_type if fault else None,
            trace_id=call.trace_id if self.config.tracing_active else None,
        )
        self._journal.add(report.end_line(call.request_id))
        self._journal.add(figures.line())
        self._journal.flush()
        self.state = State.IDLE if self._process else State.RESET
        failed = not isinstance(answer, Response)
        return Invocation(
            payload=answer.body if answer else (fault or faults.exited(0)).answer(call.request_id),
            function_error="Unhandled" if failed else None,
            executed_version=self.config.version,
            request_id=call.request_id,
            log_tail=self._journal.take_tail(),
        )

    def _wait(self, deadline: float) -> Message | Fault:
        """Run the environment's sockets and its log until the runtime says something, ends, or breaks a limit."""
        self._sampled = time.monotonic()
        process = self._process
        while not self._api.messages:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return faults.timed_out(self.config.timeout_s)
            for key, _ in self._selector.select(min(left_s, _TICK_S)):
                key.data()
            if self._api.messages:
                break
            code = process.exit_code() if process else -signal.SIGKILL
            if code is not None:
                return faults.exited(code)
            if process and self._sample(process):
                return faults.out_of_memory()
        return self._api.messages.popleft()

    def _sample(self, process: RuntimeProcess) -> bool:
        """At every tick: measure the memory, say whether it is above the limit; let the log go out."""
        now = time.monotonic()
        if now - self._sampled < _TICK_S:
            return False
        self._sampled = now
        self._journal.flush()
        self._used_bytes = max(self._used_bytes, process.used_bytes())
        return self._used_bytes > self.config.memory_mb * MB

    def _limit_passed(self) -> Fault | None:
        """After an invocation: what its peak of memory and its files say."""
        assert self._process is not None  # noqa: S101 - it has just asked for work
        self._used_bytes = max(self._used_bytes, self._process.peak_bytes() or self._process.used_bytes())
        if self._used_bytes > self.config.memory_mb * MB:
            return faults.out_of_memory()
        stored = _stored_bytes(self._scratch)
        if stored > self.config.ephemeral_storage_mb * MB:
            return faults.no_space(-(-stored // MB), self.config.ephemeral_storage_mb)
        return None

    def _start_process(self) -> None:
        self._used_bytes = 0
        if self._doomed.is_set():
            return
        environment = surroundings.variables(
            self.config,
            runtime_dir=self._site.runtime_dir,
            tmp=self._scratch,
            runtime_api=self._api.address,
            log_stream=self.log_stream,
            endpoint_url=self._site.endpoint_url,
        )
        self._process = RuntimeProcess(
            surroundings.command(self.config.handler),
            cwd=self.config.code_dir,
            environment=environment,
            selector=self._selector,
            write=self._journal.feed,
            warden=self._site.warden,
        )
        if self._doomed.is_set():  # `kill` came while it was being started
            self._process.kill()

    def _freeze(self) -> None:
        assert self._process is not None  # noqa: S101 - it has just asked for work
        self._process.freeze()
        self._process.drain()
        self._journal.cut()

    def _end_process(self, grace_s: float = 0.0) -> None:
        """Kill and reap the process, if there is one; the environment can start another."""
        if self._process is None:
            return
        self._used_bytes = max(self._used_bytes, self._process.peak_bytes())
        self._process.reap(grace_s)
        self._process = None
        self._api.forget()
        self._journal.cut()


def _ms_since(started: float) -> float:
    return (time.monotonic() - started) * 1000


def _stored_bytes(directory: Path) -> int:
    """Bytes on disk below a directory, as its file system counts them."""
    return sum(path.lstat().st_blocks * 512 for path in directory.rglob("*"))
