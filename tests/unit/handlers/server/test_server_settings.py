"""The server's settings: their defaults, and what is refused by the variable's name."""

from __future__ import annotations

from pathlib import Path

import pytest

from handlers.server.machine import memory_mb, processors
from handlers.server.settings import BatchLimit, ServerSettings
from warmstart.errors import InvalidSetting
from warmstart.refs import ModelRef

STORE = {"WARMSTART_STORE_URL": "file:///models"}


def read(**env: str) -> ServerSettings:
    return ServerSettings.from_env({**STORE, **env}, processors=2, memory_mb=4096)


def test_a_store_is_enough() -> None:
    settings = read()

    assert settings._replace(
        inference=settings.inference._replace(models_dir=Path(), tmp_dir=Path())
    ) == ServerSettings(
        store_url="file:///models",
        inference=settings.inference._replace(models_dir=Path(), tmp_dir=Path()),
        host="127.0.0.1",
        port=8080,
        preload=(),
        concurrency=8,
        queue=100,
        batching={},
        max_body_mb=64,
        busy_poll_us=50,
        drain_s=25.0,
        log="errors",
        aliases={},
    )
    assert (settings.inference.threads, settings.inference.session_budget_bytes) == (2, 4000 * 1024 * 1024)
    assert (settings.inference.alias_ttl_s, settings.inference.default_model) == (10.0, None)


def test_every_setting_is_read() -> None:
    settings = read(
        WARMSTART_HOST="0.0.0.0",
        WARMSTART_PORT="0",
        WARMSTART_PRELOAD="iris, digits:3",
        WARMSTART_THREADS="5",
        WARMSTART_CONCURRENCY="20",
        WARMSTART_QUEUE="7",
        WARMSTART_MAX_BATCH_SIZE="iris=32,digits=16",
        WARMSTART_MAX_DELAY_MS="digits=2.5",
        WARMSTART_MAX_BODY_MB="1",
        WARMSTART_BUSY_POLL_US="0",
        WARMSTART_DRAIN_S="0.5",
        WARMSTART_LOG="all",
        WARMSTART_DEFAULT_MODEL="iris@canary",
        WARMSTART_V1_PROTOCOL="kserve",
        WARMSTART_ALIAS_TTL_S="1",
        TMPDIR="/scratch",
    )

    assert (settings.host, settings.port, settings.preload) == ("0.0.0.0", 0, ("iris", "digits:3"))
    assert (settings.inference.threads, settings.queue, settings.max_body_mb) == (5, 7, 1)
    assert settings.batching == {"iris": BatchLimit(32, 0.005), "digits": BatchLimit(16, 0.0025)}
    assert (settings.drain_s, settings.busy_poll_us, settings.log) == (0.5, 0, "all")
    assert settings.inference.default_model == ModelRef("iris", None, "canary")
    assert (settings.inference.v1_protocol, settings.inference.alias_ttl_s) == ("kserve", 1.0)
    assert settings.inference.tmp_dir == Path("/scratch")
    assert settings.concurrency == 32  # as many as a batch may need


def test_bodies_by_reference_lie_where_the_prefixes_and_the_region_say() -> None:
    prefixes = "s3://bodies/in/,s3://bodies/out/"
    settings = read(WARMSTART_PAYLOAD_LOCATIONS=prefixes, AWS_DEFAULT_REGION="eu-west-1").inference

    assert [str(prefix) for prefix in settings.payload_locations] == prefixes.split(",")
    assert settings.region == "eu-west-1"
    with pytest.raises(InvalidSetting, match="AWS_REGION: expected the region of the buckets in WARMSTART_PAYLOAD"):
        read(WARMSTART_PAYLOAD_LOCATIONS=prefixes)


@pytest.mark.parametrize("store", ["s3://store", "s3://store/team", "s3://store/team/"])
def test_bodies_never_lie_in_the_store(store: str) -> None:
    place = {"WARMSTART_PAYLOAD_LOCATIONS": "s3://bodies/,s3://store/in/", "AWS_REGION": "eu-west-1"}
    with pytest.raises(InvalidSetting, match="WARMSTART_PAYLOAD_LOCATIONS: expected other buckets than the store's"):
        read(WARMSTART_STORE_URL=store, **place)


def test_vertex_chooses_the_port_and_the_paths() -> None:
    settings = read(
        AIP_HTTP_PORT="7080",
        AIP_HEALTH_ROUTE="/v1/endpoints/1/deployedModels/2",
        AIP_PREDICT_ROUTE="/v1/endpoints/1/deployedModels/2:predict",
        AIP_STORAGE_URI="gs://somewhere",
        WARMSTART_PRELOAD="iris",
    )

    assert settings.port == 7080
    assert settings.aliases == {
        "/v1/endpoints/1/deployedModels/2": "/v2/health/ready",
        "/v1/endpoints/1/deployedModels/2:predict": "/v1/models/iris:predict",
    }


def test_a_route_of_ours_needs_no_other_name() -> None:
    env = {"AIP_PREDICT_ROUTE": "/v1/models/iris:predict", "AIP_HEALTH_ROUTE": "/v2/health/ready"}

    assert read(WARMSTART_DEFAULT_MODEL="iris", **env).aliases == {}


def test_our_own_port_goes_before_vertexs() -> None:
    assert read(AIP_HTTP_PORT="7080", WARMSTART_PORT="9").port == 9


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("WARMSTART_PORT", "65536", "WARMSTART_PORT: expected a whole number from 0 to 65535, got '65536'"),
        ("AIP_HTTP_PORT", "x", "AIP_HTTP_PORT: expected a whole number from 0 to 65535, got 'x'"),
        ("WARMSTART_THREADS", "0", "WARMSTART_THREADS: expected a whole number from 1 to 1024, got '0'"),
        ("WARMSTART_CONCURRENCY", "-1", "WARMSTART_CONCURRENCY: expected a whole number from 1 to 1024, got '-1'"),
        ("WARMSTART_QUEUE", "1.5", "WARMSTART_QUEUE: expected a whole number from 1 to 1000000, got '1.5'"),
        ("WARMSTART_MAX_BODY_MB", "2048", "WARMSTART_MAX_BODY_MB: expected a whole number from 1 to 2047, got '2048'"),
        (
            "WARMSTART_BUSY_POLL_US",
            "1001",
            "WARMSTART_BUSY_POLL_US: expected a whole number from 0 to 1000, got '1001'",
        ),
        ("WARMSTART_DRAIN_S", "nan", "WARMSTART_DRAIN_S: expected a number from 0 to 3600, got 'nan'"),
        ("WARMSTART_LOG", "loud", "WARMSTART_LOG: expected errors or all or none, got 'loud'"),
        ("WARMSTART_MAX_BATCH_SIZE", "32", "WARMSTART_MAX_BATCH_SIZE: "),
        ("WARMSTART_MAX_BATCH_SIZE", "iris", "WARMSTART_MAX_BATCH_SIZE: expected MODEL=NUMBER, got 'iris'"),
        ("WARMSTART_MAX_BATCH_SIZE", "iris:1=4", "WARMSTART_MAX_BATCH_SIZE: expected MODEL=NUMBER, got 'iris:1=4'"),
        (
            "WARMSTART_MAX_BATCH_SIZE",
            "iris=1",
            "WARMSTART_MAX_BATCH_SIZE: expected a whole number from 2 to 4096, got '1'",
        ),
        (
            "WARMSTART_MAX_DELAY_MS",
            "iris=5",
            "WARMSTART_MAX_DELAY_MS: expected models that WARMSTART_MAX_BATCH_SIZE names, got iris",
        ),
        ("WARMSTART_PRELOAD", "Iris", "WARMSTART_PRELOAD: "),
        ("WARMSTART_V1_PROTOCOL", "x", "WARMSTART_V1_PROTOCOL: expected tensorflow or kserve, got 'x'"),
        (
            "AIP_PREDICT_ROUTE",
            "/predict-it",
            "AIP_PREDICT_ROUTE: expected the model that it asks in WARMSTART_DEFAULT_MODEL, got none",
        ),
    ],
)
def test_a_bad_setting_is_refused_by_its_name(name: str, value: str, message: str) -> None:
    with pytest.raises(InvalidSetting) as refused:
        read(**{name: value})

    assert refused.value.name == name
    assert refused.value.message.startswith(message)


def test_without_a_store_it_is_said_where_to_name_one() -> None:
    with pytest.raises(InvalidSetting, match="WARMSTART_STORE_URL, or --store: expected s3://bucket"):
        ServerSettings.from_env({})


def test_a_containers_share_of_the_machine_is_counted(tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    (tmp_path / "memory.max").write_text(f"{512 * 1024 * 1024}\n")

    assert (processors(tmp_path), memory_mb(tmp_path)) == (1, 512)


def test_without_a_limit_it_is_all_of_the_machine(tmp_path: Path) -> None:
    bare = (processors(tmp_path), memory_mb(tmp_path))
    (tmp_path / "cpu.max").write_text("max 100000\n")
    (tmp_path / "memory.max").write_text("max\n")

    assert (processors(tmp_path), memory_mb(tmp_path)) == bare
    assert min(bare) >= 1
