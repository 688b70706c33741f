"""The local twin: moto's AWS, the functions' execution environments and the gateway, deployed by the real `cdk deploy`."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from local.types import TwinAddress


class Twin:
    """The whole stack, running on this machine. Start it with `Twin.start`, as a context manager."""

    def __init__(self, address: TwinAddress) -> None:
        self.address = address

    @classmethod
    def start(cls, *, port: int = 0, data: Path | None = None, ready_file: Path | None = None) -> Self:
        """Start everything and return when it serves. Raises: Unreachable (a port in use, a tool missing)."""
        raise NotImplementedError

    def logs(self, group: str) -> list[str]:
        """Return the lines of a CloudWatch log group, oldest first."""
        raise NotImplementedError

    def stop(self) -> None:
        """Stop everything: no process, port or temporary directory is left."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def run(*, port: int = 0, ready_file: Path | None = None, data: Path | None = None) -> int:
    """Start a twin, print where it is, and keep it until Ctrl-C or SIGTERM. Returns the exit code."""
    raise NotImplementedError
