"""Token buckets and quotas."""

from datetime import UTC, datetime

from local.gateway.api import Quota, Throttle
from local.gateway.throttle import Quotas, Throttles
from tests.build.gateway import NOON


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def test_a_burst_passes_and_the_next_request_does_not() -> None:
    throttles, limit = Throttles(), Throttle(rate=1, burst=3)
    assert [throttles.admit("k", limit, NOON) for _ in range(4)] == [True, True, True, False]


def test_tokens_come_back_at_the_rate() -> None:
    throttles, limit = Throttles(), Throttle(rate=2, burst=1)
    assert throttles.admit("k", limit, NOON)
    assert not throttles.admit("k", limit, NOON + 0.25)
    assert throttles.admit("k", limit, NOON + 0.5)


def test_a_bucket_never_holds_more_than_the_burst() -> None:
    throttles, limit = Throttles(), Throttle(rate=100, burst=2)
    throttles.admit("k", limit, NOON)
    assert [throttles.admit("k", limit, NOON + 60) for _ in range(3)] == [True, True, False]


def test_each_key_has_its_own_bucket() -> None:
    throttles, limit = Throttles(), Throttle(rate=1, burst=1)
    assert [throttles.admit(key, limit, NOON) for key in ("a", "a", "b")] == [True, False, True]


def test_a_clock_that_goes_back_gives_no_tokens() -> None:
    throttles, limit = Throttles(), Throttle(rate=1, burst=1)
    throttles.admit("k", limit, NOON)
    assert not throttles.admit("k", limit, NOON - 3600)


def test_a_burst_of_zero_admits_nothing() -> None:
    assert not Throttles().admit("k", Throttle(rate=10, burst=0), NOON)


def test_a_daily_quota_starts_anew_at_midnight_utc() -> None:
    quotas, quota = Quotas(), Quota(limit=2, period="DAY")
    times = ("2026-01-31T23:59:58", "2026-01-31T23:59:59", "2026-01-31T23:59:59", "2026-02-01T00:00:00")
    assert [quotas.admit("k", quota, at(time)) for time in times] == [True, True, False, True]


def test_a_weekly_quota_starts_anew_on_sunday() -> None:
    quotas, quota = Quotas(), Quota(limit=1, period="WEEK")
    times = ("2026-01-30T12:00:00", "2026-01-31T23:59:59", "2026-02-01T00:00:00")  # a Sunday
    assert [quotas.admit("k", quota, at(time)) for time in times] == [True, False, True]


def test_a_monthly_quota_starts_anew_on_the_first() -> None:
    quotas, quota = Quotas(), Quota(limit=1, period="MONTH")
    times = ("2026-01-01T00:00:00", "2026-01-31T23:59:59", "2026-02-01T00:00:00")
    assert [quotas.admit("k", quota, at(time)) for time in times] == [True, False, True]


def test_the_offset_is_taken_from_the_first_period_alone() -> None:
    quotas, quota = Quotas(), Quota(limit=2, period="DAY", offset=1)
    times = ("2026-01-30T01:00:00", "2026-01-30T02:00:00", "2026-01-31T01:00:00", "2026-01-31T02:00:00")
    assert [quotas.admit("k", quota, at(time)) for time in times] == [True, False, True, True]
