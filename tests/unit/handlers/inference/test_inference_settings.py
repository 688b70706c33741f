"""The inference function's settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from handlers.inference.settings import InferenceSettings
from model_store.sigv4 import Credentials
from tests.build.inference import env
from warmstart import environment
from warmstart.errors import InvalidSetting


def read(tmp_path: Path, **changes: str) -> InferenceSettings:
    return InferenceSettings.from_env(env(tmp_path, **changes))


def test_what_the_stack_sets_is_read(tmp_path: Path) -> None:
    settings = read(tmp_path, WARMSTART_ALIAS_TTL_S="2.5", AWS_SESSION_TOKEN="token", POWERTOOLS_SERVICE_NAME="s")
    assert (settings.store_bucket, settings.region, settings.alias_ttl_s) == ("store", "us-east-1", 2.5)
    assert (settings.credentials, settings.service_name) == (Credentials("test", "test", "token"), "s")
    assert (settings.tmp_dir, settings.models_dir) == (tmp_path, tmp_path / "baked")


def test_what_is_not_set_has_its_documented_default() -> None:
    names = (environment.STORE_BUCKET, environment.REGION, environment.ACCESS_KEY_ID, environment.SECRET_ACCESS_KEY)
    settings = InferenceSettings.from_env(dict.fromkeys(names, "x"))
    assert (settings.alias_ttl_s, settings.models_dir, settings.tmp_dir) == (10, Path("/opt/models"), Path("/tmp"))
    assert (settings.metrics_namespace, settings.service_name, settings.store_endpoint) == (
        "Warmstart",
        "inference",
        None,
    )


def test_the_stores_own_endpoint_goes_before_the_common_one(tmp_path: Path) -> None:
    assert read(tmp_path, AWS_ENDPOINT_URL="http://a").store_endpoint == "http://a"
    assert read(tmp_path, AWS_ENDPOINT_URL="http://a", AWS_ENDPOINT_URL_S3="http://b").store_endpoint == "http://b"


@pytest.mark.parametrize(
    ("memory_mb", "threads"), [("128", 1), ("1769", 1), ("2653", 1), ("2654", 2), ("3538", 2), ("10240", 6)]
)
def test_there_is_a_thread_per_processor_of_the_memory_size(tmp_path: Path, memory_mb: str, threads: int) -> None:
    assert read(tmp_path, AWS_LAMBDA_FUNCTION_MEMORY_SIZE=memory_mb).threads == threads


def test_models_may_take_what_the_runtime_leaves(tmp_path: Path) -> None:
    assert read(tmp_path, AWS_LAMBDA_FUNCTION_MEMORY_SIZE="1120").session_budget_bytes == 1024 * 1024 * 1024
    assert read(tmp_path, AWS_LAMBDA_FUNCTION_MEMORY_SIZE="128").session_budget_bytes == 32 * 1024 * 1024


def test_where_bodies_by_reference_may_lie(tmp_path: Path) -> None:
    settings = read(tmp_path, WARMSTART_PAYLOAD_LOCATIONS="s3://bodies/in/,s3://other/")
    assert [(prefix.bucket, prefix.key) for prefix in settings.payload_locations] == [("bodies", "in/"), ("other", "")]
    assert read(tmp_path, WARMSTART_PAYLOAD_LOCATIONS="").payload_locations == ()


def test_bodies_never_lie_in_the_store(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="WARMSTART_PAYLOAD_LOCATIONS: expected other buckets than the store's"):
        read(tmp_path, WARMSTART_PAYLOAD_LOCATIONS="s3://store/models/")


@pytest.mark.parametrize(("memory_mb", "mib"), [("128", 16), ("1024", 128), ("2048", 256), ("10240", 256)])
def test_a_body_by_reference_may_take_an_eighth_of_the_memory_and_no_more_than_256_mib(
    tmp_path: Path, memory_mb: str, mib: int
) -> None:
    assert read(tmp_path, AWS_LAMBDA_FUNCTION_MEMORY_SIZE=memory_mb).payload_bytes == mib * 1024 * 1024


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WARMSTART_PAYLOAD_LOCATIONS", "s3://bodies/in"),
        ("WARMSTART_STORE_BUCKET", ""),
        ("AWS_REGION", ""),
        ("WARMSTART_ALIAS_TTL_S", "soon"),
        ("WARMSTART_ALIAS_TTL_S", "-1"),
        ("WARMSTART_ALIAS_TTL_S", "nan"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1 GB"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "64"),
    ],
)
def test_a_bad_value_is_refused_with_its_name(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(InvalidSetting, match=f"{name}: expected .* got {value!r}") as caught:
        read(tmp_path, **{name: value})
    assert caught.value.name == name


def test_models_to_preload_are_references(tmp_path: Path) -> None:
    assert [str(ref) for ref in read(tmp_path, WARMSTART_PRELOAD="iris,digits:2").preload] == ["iris", "digits:2"]
    assert read(tmp_path).preload == ()
    with pytest.raises(InvalidSetting, match="WARMSTART_PRELOAD: model name: expected"):
        read(tmp_path, WARMSTART_PRELOAD="iris,Iris")


def test_settings_show_no_secret(tmp_path: Path) -> None:
    keys = {environment.SECRET_ACCESS_KEY: "hunter2"}
    asked = {environment.CONTAINER_CREDENTIALS_URI: "http://h/c", environment.CONTAINER_CREDENTIALS_TOKEN: "hunter2"}

    assert "hunter2" not in repr(read(tmp_path, **keys))
    assert "hunter2" not in repr(read(tmp_path, **asked))
