"""Settings that do not go together are refused with the reason, before anything is built."""

from __future__ import annotations

from typing import Any

import pytest

from infra.config import StageConfig
from warmstart.errors import InvalidSetting


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"snap_start": True},
            "snap_start: expected ephemeral_storage_mb of 512 with it, got 1024: Lambda takes snapshots of no larger",
        ),
        (
            {"snap_start": True, "ephemeral_storage_mb": 512, "provisioned_concurrency": 3},
            "snap_start: expected no provisioned_concurrency with it, got 3: Lambda has one or the other on a version",
        ),
        (
            {"snap_start": True, "ephemeral_storage_mb": 512, "packaging": "image"},
            "snap_start: expected packaging of zip with it, got image: Lambda takes no snapshots of images",
        ),
        (
            {"packaging": "image", "layer_platform": "host"},
            "packaging: expected zip on the local twin, got image: it runs no containers; add -c packaging=zip",
        ),
        (
            {"provisioned_concurrency_max": 5},
            "provisioned_concurrency_max: expected provisioned_concurrency to start from; got 5",
        ),
        (
            {"provisioned_concurrency": 5, "provisioned_concurrency_max": 4},
            "provisioned_concurrency_max: expected 5 or more, as provisioned_concurrency is; got 4",
        ),
        (
            {"provisioned_schedule": ["rate(1 day)=5"]},
            "provisioned_schedule: expected provisioned_concurrency to start from; got none",
        ),
        (
            {"concurrency": 5, "provisioned_concurrency": 2, "provisioned_concurrency_max": 6},
            "provisioned_concurrency: expected at most the 5 of concurrency, got 6",
        ),
        (
            {"provisioned_concurrency": 2, "provisioned_schedule": ["at noon=5"]},
            "provisioned_schedule: expected at most",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidSetting) as caught:
        StageConfig(**settings)
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize(
    "settings",
    [
        {"snap_start": True, "ephemeral_storage_mb": 512},
        {"provisioned_concurrency": 2, "concurrency": 2},
        {"provisioned_concurrency": 2, "provisioned_schedule": ["cron(0 7 ? * MON-FRI *)=5"]},
    ],
)
def test_what_goes_together_is_taken(settings: dict[str, Any]) -> None:
    assert StageConfig(**settings)
