"""What a function of some memory has."""

from __future__ import annotations

import pytest

from warmstart import limits


@pytest.mark.parametrize(("memory_mb", "threads"), [(128, 1), (1769, 1), (2653, 1), (2654, 2), (5307, 3), (10_240, 6)])
def test_a_function_has_one_thread_per_processor_and_at_least_one(memory_mb: int, threads: int) -> None:
    assert limits.threads(memory_mb) == threads


def test_processors_come_in_shares() -> None:
    assert limits.vcpus(1769) == 1.0
    assert limits.vcpus(3538) == 2.0


def test_sessions_get_what_the_runtime_leaves() -> None:
    assert limits.session_budget_bytes(1024) == 928 * 1024 * 1024
    assert limits.session_budget_bytes(64) == 0
