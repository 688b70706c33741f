"""The control function's settings."""

import pytest

from handlers.control.settings import ControlSettings
from warmstart.errors import InvalidSetting


def test_the_bucket_alone_is_enough() -> None:
    assert ControlSettings.from_env({"WARMSTART_STORE_BUCKET": "models"}) == ControlSettings(
        store_bucket="models", metrics_namespace="Warmstart", service_name="control", log_level="INFO"
    )


def test_every_setting_is_read_from_its_variable() -> None:
    assert ControlSettings.from_env(
        {
            "WARMSTART_STORE_BUCKET": "models",
            "POWERTOOLS_METRICS_NAMESPACE": "Ours",
            "POWERTOOLS_SERVICE_NAME": "admin",
            "POWERTOOLS_LOG_LEVEL": "DEBUG",
        }
    ) == ControlSettings(store_bucket="models", metrics_namespace="Ours", service_name="admin", log_level="DEBUG")


@pytest.mark.parametrize(
    ("env", "name"),
    [
        ({}, "WARMSTART_STORE_BUCKET"),
        ({"WARMSTART_STORE_BUCKET": ""}, "WARMSTART_STORE_BUCKET"),
        ({"WARMSTART_STORE_BUCKET": "models", "POWERTOOLS_LOG_LEVEL": "loud"}, "POWERTOOLS_LOG_LEVEL"),
    ],
)
def test_a_bad_setting_is_refused_by_its_name(env: dict[str, str], name: str) -> None:
    with pytest.raises(InvalidSetting, match=name) as refused:
        ControlSettings.from_env(env)
    assert refused.value.name == name
