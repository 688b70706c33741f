"""What the control plane tells its operators."""

from __future__ import annotations

from typing import Protocol

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit, single_metric

from model_store.registry import Alias


class Telemetry(Protocol):
    """What is worth a line in the log and a point on a graph. Requests themselves are in the gateway's access log."""

    def moved(self, model: str, alias: Alias) -> None:
        """An alias was created or moved."""
        ...

    def failed(self, error: Exception, *, method: str, path: str) -> None:
        """A request was answered with 500 or above because of this error."""
        ...


class PowertoolsTelemetry:
    """JSON log lines and CloudWatch metrics in the embedded metric format, both on standard output."""

    def __init__(self, logger: Logger, *, namespace: str, service: str) -> None:
        self._logger, self._namespace, self._service = logger, namespace, service

    def moved(self, model: str, alias: Alias) -> None:
        """Log who moved what, and count `AliasMoves` by model."""
        self._logger.info("alias moved", extra={"model": model, **alias.change._asdict()})
        self._count("AliasMoves", model=model)

    def failed(self, error: Exception, *, method: str, path: str) -> None:
        """Log the error with its trace, and count `ControlFaults`."""
        self._logger.error("request failed", extra={"method": method, "path": path}, exc_info=error)
        self._count("ControlFaults")

    def _count(self, metric: str, **dimensions: str) -> None:
        with single_metric(name=metric, unit=MetricUnit.Count, value=1, namespace=self._namespace) as point:
            for name, value in {"service": self._service, **dimensions}.items():
                point.add_dimension(name=name, value=value)
