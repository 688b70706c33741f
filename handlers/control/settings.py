"""What the control function is told by its environment, read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from warmstart import environment
from warmstart.errors import InvalidSetting

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


@dataclass(frozen=True, kw_only=True)
class ControlSettings:
    """The control function's settings; build them with `from_env`."""

    store_bucket: str
    """The bucket that holds the registry."""
    metrics_namespace: str = "Warmstart"
    service_name: str = "control"
    """What log lines and metrics are filed under."""
    log_level: str = "INFO"

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> ControlSettings:
        """Read the settings from environment variables. Raises: InvalidSetting, naming the variable and the value."""
        bucket = env.get(environment.STORE_BUCKET, "")
        if not bucket:
            raise InvalidSetting(
                f"{environment.STORE_BUCKET}: expected the name of the store's bucket, got nothing",
                name=environment.STORE_BUCKET,
            )
        level = env.get(environment.LOG_LEVEL, cls.log_level)
        if level not in LOG_LEVELS:
            raise InvalidSetting(
                f"{environment.LOG_LEVEL}: expected one of {', '.join(LOG_LEVELS)}; got {level!r}",
                name=environment.LOG_LEVEL,
            )
        return cls(
            store_bucket=bucket,
            metrics_namespace=env.get(environment.METRICS_NAMESPACE, cls.metrics_namespace),
            service_name=env.get(environment.SERVICE_NAME, cls.service_name),
            log_level=level,
        )
