"""One line per invocation: a log entry and CloudWatch metrics in one JSON document, in one write.

Source: CloudWatch user guide, "Specification: Embedded metric format". The metrics have SageMaker's names and units
(SageMaker developer guide, "Metrics for monitoring Amazon SageMaker AI with Amazon CloudWatch"); the other fields
have the names of Powertools' logger. No payload is ever in it: of an error its code, not its message, which may quote
a value, unless the fault is ours.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from traceback import format_tb
from typing import Any, NamedTuple, Protocol

import orjson

from handlers.inference.answers import Answer
from handlers.inference.routes.route import Operation
from handlers.inference.sessions import Ran
from warmstart.refs import ModelRef


class Spoken(Protocol):
    """What was asked, and in which protocol; `handlers.inference.routes.route.Route` is one."""

    @property
    def protocol(self) -> str:
        """Its name in the log."""
        ...

    @property
    def operation(self) -> Operation:
        """What was to be done."""
        ...


class Invocation(NamedTuple):
    """What the handler knows of an invocation beside its answer. `setup_ns` is None unless it is the first."""

    route: Spoken | None
    request_id: str
    trace_id: str | None
    setup_ns: int | None
    elapsed_ns: int
    failure: Exception | None


class Observer:
    """Writes what happened. `write` takes a line with its end; `now` gives seconds since the epoch."""

    def __init__(
        self,
        *,
        namespace: str,
        service: str,
        function_version: str,
        write: Callable[[bytes], object],
        now: Callable[[], float],
    ) -> None:
        self._namespace, self._service, self._function_version = namespace, service, function_version
        self._write, self._now = write, now
        self._constant = lru_cache(maxsize=256)(self._constants)

    def warn(self, message: str) -> None:
        """Log what an operator should know and no caller sees."""
        document = {
            "level": "WARNING",
            "message": message,
            "service": self._service,
            "timestamp": int(self._now() * 1000),
        }
        self._write(orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE))

    def note(self, invocation: Invocation, answer: Answer) -> None:
        """Log one invocation, with its metrics if it was an inference."""
        route, ran = invocation.route, answer.ran
        if route is not None and ran is not None and ran.opened is None and invocation.setup_ns is None:
            self.note_warm(route, invocation.request_id, invocation.trace_id, invocation.elapsed_ns, answer.model, ran)
            return
        document: dict[str, Any] = {
            "level": "INFO" if answer.status < 500 else "ERROR",
            "message": "answered",
            "service": self._service,
            "protocol": route.protocol if route else None,
            "operation": route.operation.value if route else None,
            "status": answer.status,
            "function_request_id": invocation.request_id,
            "function_version": self._function_version,
            "cold_start": invocation.setup_ns is not None,
        }
        if invocation.trace_id is not None:
            document["xray_trace_id"] = invocation.trace_id
        if answer.model is not None:
            document["model"] = answer.model.name
            document["model_version"] = str(answer.model.version)
        if answer.error is not None:
            document["error"] = answer.error.code
            if answer.status >= 500:
                document["error_message"] = answer.error.message
        if invocation.failure is not None:
            document["error"] = type(invocation.failure).__name__
            document["trace"] = format_tb(invocation.failure.__traceback__)
        if route is not None and route.operation is Operation.INFER:
            self._add_metrics(document, invocation, answer)
        self._write(orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE))

    def note_warm(
        self, route: Spoken, request_id: str, trace_id: str | None, elapsed_ns: int, model: ModelRef | None, ran: Ran
    ) -> None:
        """Log an inference that opened nothing, and was not a process's first: most of its line is always the same."""
        head, directive = self._constant(route.protocol, model)
        run_ns = ran.run_ns
        document: dict[str, object] = {
            "function_request_id": request_id,
            "ModelLatency": run_ns / 1000,
            "OverheadLatency": (elapsed_ns - run_ns) / 1000,
            "LoadedModelCount": ran.open_sessions,
            "xray_trace_id": trace_id,
            "_aws": {"Timestamp": int(self._now() * 1000), "CloudWatchMetrics": directive},
        }
        if trace_id is None:
            del document["xray_trace_id"]
        self._write(head + orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)[1:])

    def _constants(self, protocol: str, model: ModelRef | None) -> tuple[bytes, orjson.Fragment]:
        """Return what does not change from one warm inference to the next: the line's begin, and what metrics are."""
        document: dict[str, Any] = {
            "level": "INFO",
            "message": "answered",
            "service": self._service,
            "protocol": protocol,
            "operation": Operation.INFER.value,
            "status": 200,
            "function_version": self._function_version,
            "cold_start": False,
            "Invocations": 1,
            "Invocation4XXErrors": 0,
            "Invocation5XXErrors": 0,
            "ModelCacheHit": 1,
        }
        if model is not None:
            document |= {"model": model.name, "model_version": str(model.version)}
        directive = _directive(self._namespace, is_cold=False, names_model=model is not None, ran=True, opened=False)
        return orjson.dumps(document)[:-1] + b",", directive

    def _add_metrics(self, document: dict[str, Any], invocation: Invocation, answer: Answer) -> None:
        status, ran = answer.status, answer.ran
        document["Invocations"] = 1
        document["Invocation4XXErrors"] = 1 if 400 <= status < 500 else 0
        document["Invocation5XXErrors"] = 1 if status >= 500 else 0
        if invocation.setup_ns is not None:
            document["ModelSetupTime"] = invocation.setup_ns / 1000
        if answer.timing is not None:
            document["timing_ms"] = answer.timing.milliseconds()
        if ran is not None:
            spent_ns = ran.run_ns
            if (opened := ran.opened) is not None:
                spent_ns += opened.downloading_ns + opened.loading_ns
                document["model_file"] = opened.graph
                document["ModelDownloadingTime"] = opened.downloading_ns / 1000
                document["ModelLoadingTime"] = opened.loading_ns / 1000
            document["ModelLatency"] = ran.run_ns / 1000
            document["OverheadLatency"] = (invocation.elapsed_ns - spent_ns) / 1000
            document["ModelCacheHit"] = 1 if opened is None else 0
            document["LoadedModelCount"] = ran.open_sessions
        directive = _directive(
            self._namespace,
            is_cold=invocation.setup_ns is not None,
            names_model=answer.model is not None,
            ran=ran is not None,
            opened=ran is not None and ran.opened is not None,
        )
        document["_aws"] = {"Timestamp": int(self._now() * 1000), "CloudWatchMetrics": directive}


@lru_cache(maxsize=32)
def _directive(namespace: str, *, is_cold: bool, names_model: bool, ran: bool, opened: bool) -> orjson.Fragment:
    """Say which fields are metrics, and along which dimensions.

    A model's name is a dimension only once it is known to exist: each new value is a new, paid metric.
    """
    counts = ["Invocations", "Invocation4XXErrors", "Invocation5XXErrors"]
    times = []
    if is_cold:
        times.append("ModelSetupTime")
    if opened:
        times += ["ModelDownloadingTime", "ModelLoadingTime"]
    if ran:
        times += ["ModelLatency", "OverheadLatency"]
        counts += ["ModelCacheHit", "LoadedModelCount"]
    dimensions = [["service"], ["service", "model", "model_version"]] if names_model else [["service"]]
    metrics = [{"Name": name, "Unit": "Count"} for name in counts]
    metrics += [{"Name": name, "Unit": "Microseconds"} for name in times]
    return orjson.Fragment(orjson.dumps([{"Namespace": namespace, "Dimensions": dimensions, "Metrics": metrics}]))
