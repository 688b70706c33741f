"""Token buckets and quotas, in memory.

Sources: API Gateway developer guide, "Throttle requests to your REST APIs for better throughput" (token bucket,
order of limits); API reference, `QuotaSettings` (period, offset).
"""

from __future__ import annotations

import threading
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from local.gateway.api import Quota, Throttle


@dataclass
class _Bucket:
    tokens: float
    filled_at: float


@dataclass
class _Count:
    period: str
    used: int


class Throttles:
    """All token buckets of a gateway, each by its key. Times are seconds since the epoch."""

    def __init__(self) -> None:
        self._buckets: dict[Hashable, _Bucket] = {}
        self._lock = threading.Lock()

    def admit(self, key: Hashable, throttle: Throttle, now: float) -> bool:
        """Take one token; False if there is none. A bucket starts full."""
        with self._lock:
            bucket = self._buckets.setdefault(key, _Bucket(throttle.burst, now))
            grown = bucket.tokens + max(0.0, now - bucket.filled_at) * throttle.rate
            bucket.tokens, bucket.filled_at = min(float(throttle.burst), grown), now
            if bucket.tokens < 1:
                return False
            bucket.tokens -= 1
            return True


class Quotas:
    """All quota counts of a gateway. A count starts anew with each period; only the first has the offset."""

    def __init__(self) -> None:
        self._counts: dict[Hashable, _Count] = {}
        self._lock = threading.Lock()

    def admit(self, key: Hashable, quota: Quota, now: float) -> bool:
        """Count one request; False if the period's limit is reached."""
        period = _period(quota, now)
        with self._lock:
            count = self._counts.setdefault(key, _Count(period, quota.offset))
            if count.period != period:
                count.period, count.used = period, 0
            if count.used >= quota.limit:
                return False
            count.used += 1
            return True


def _period(quota: Quota, now: float) -> str:
    day = datetime.fromtimestamp(now, UTC).date()
    match quota.period:
        case "DAY":
            return day.isoformat()
        case "WEEK":  # from Sunday on
            return (day - timedelta(days=day.isoweekday() % 7)).isoformat()
        case "MONTH":
            return f"{day:%Y-%m}"
