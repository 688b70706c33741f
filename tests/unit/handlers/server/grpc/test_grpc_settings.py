"""The server's one setting of gRPC."""

from __future__ import annotations

import pytest

from handlers.server.settings import ServerSettings
from warmstart.errors import InvalidSetting


def read(**env: str) -> int | None:
    return ServerSettings.from_env({"WARMSTART_STORE_URL": "file:///models", **env}).grpc_port


def test_grpc_is_served_only_where_a_port_is_given() -> None:
    assert read() is None
    assert read(WARMSTART_GRPC_PORT="") is None
    assert read(WARMSTART_GRPC_PORT="8500") == 8500
    assert read(WARMSTART_GRPC_PORT="0") == 0


@pytest.mark.parametrize("value", ["65536", "-1", "grpc"])
def test_a_port_that_is_none_is_refused_by_name(value: str) -> None:
    with pytest.raises(
        InvalidSetting, match=f"WARMSTART_GRPC_PORT: expected a whole number from 0 to 65535, got '{value}'"
    ):
        read(WARMSTART_GRPC_PORT=value)
