"""How an invocation fails when it is not the handler that answers: what Lambda says, and writes into the log.

Source: Lambda developer guide, "Troubleshoot invocation issues in Lambda", "Troubleshoot execution issues in Lambda".
"""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass
from datetime import datetime

from local.functions.report import Status
from local.functions.runtime_api import MAX_RESPONSE_BYTES


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A failed init phase or invocation."""

    error_type: str
    reason: str | None = None
    """What stands after `RequestId: <id> Error: `."""
    payload: bytes | None = None
    """The runtime's own description, where it could still give one."""
    status: Status = "error"

    def answer(self, request_id: str) -> bytes:
        """The payload that the caller of the invocation gets."""
        if self.payload is not None:
            return self.payload
        message = f"RequestId: {request_id} Error: {self.reason}"
        return _describe(self.error_type, message)

    def lines(self, request_id: str, now: datetime) -> list[str]:
        """What the platform writes into the log about it."""
        if self.reason is None:
            return []
        if self.status == "timeout":
            stamp = now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z"
            return [f"{stamp} {request_id} {self.reason}\n"]
        return [f"RequestId: {request_id} Error: {self.reason}\n{self.error_type}"]


def exited(returncode: int) -> Fault:
    """The runtime's process ended; `returncode` as `subprocess` gives it, negative for a signal."""
    if returncode < 0:
        name = signal.strsignal(-returncode) or f"signal {-returncode}"
        return Fault(error_type="Runtime.ExitError", reason=f"Runtime exited with error: signal: {name.lower()}")
    if returncode == 0:
        return Fault(error_type="Runtime.ExitError", reason="Runtime exited without providing a reason")
    return Fault(error_type="Runtime.ExitError", reason=f"Runtime exited with error: exit status {returncode}")


def timed_out(timeout_s: float) -> Fault:
    """No answer within the function's timeout."""
    reason = f"Task timed out after {timeout_s:.2f} seconds"
    return Fault(error_type="Sandbox.Timedout", reason=reason, status="timeout")


def out_of_memory() -> Fault:
    """More resident memory than the function's memory size: Lambda kills the process."""
    return Fault(error_type="Runtime.OutOfMemory", reason="Runtime exited with error: signal: killed")


def response_too_large(size: int) -> Fault:
    """A response above the limit of synchronous invocations."""
    message = (
        f"Response payload size ({size} bytes) exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes)."
    )
    kind = "Function.ResponseSizeTooLarge"
    return Fault(error_type=kind, payload=_describe(kind, message))


def no_space(used_mb: int, limit_mb: int) -> Fault:
    """More in /tmp than the ephemeral storage. Lambda lets the write fail with this errno; the twin sees it later."""
    message = f"[Errno 28] No space left on device: /tmp holds {used_mb} MB of at most {limit_mb} MB"
    return Fault(error_type="OSError", payload=_describe("OSError", message))


def _describe(error_type: str, message: str) -> bytes:
    return json.dumps({"errorType": error_type, "errorMessage": message}, separators=(",", ":")).encode()
