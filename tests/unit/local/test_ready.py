"""The ready file."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from pathlib import Path

from local import ready
from local.types import TwinAddress

ADDRESS = TwinAddress(
    endpoint="http://127.0.0.1:8080/prod",
    api_key="k" * 40,
    admin_endpoint="http://127.0.0.1:8080/prod/admin",
    store="warmstart-store",
    aws_endpoint_url="http://127.0.0.1:5000",
)


def test_it_holds_where_everything_is(tmp_path: Path) -> None:
    ready.write(tmp_path / "twin.json", ADDRESS)
    assert json.loads((tmp_path / "twin.json").read_text()) == {
        "endpoint": "http://127.0.0.1:8080/prod",
        "api_key": "k" * 40,
        "admin_endpoint": "http://127.0.0.1:8080/prod/admin",
        "store": "warmstart-store",
        "aws_endpoint_url": "http://127.0.0.1:5000",
        "region": "us-east-1",
    }


def test_it_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    ready.write(tmp_path / "twin.json", ADDRESS)
    assert stat.S_IMODE((tmp_path / "twin.json").stat().st_mode) == 0o600


def test_its_folder_is_made_and_holds_nothing_else(tmp_path: Path) -> None:
    ready.write(tmp_path / ".warmstart" / "twin.json", ADDRESS)
    assert [entry.name for entry in (tmp_path / ".warmstart").iterdir()] == ["twin.json"]


def test_it_is_read_back(tmp_path: Path) -> None:
    ready.write(tmp_path / "twin.json", ADDRESS)
    assert ready.read(tmp_path / "twin.json") == ADDRESS


def test_it_is_removed_and_may_be_gone_already(tmp_path: Path) -> None:
    ready.write(tmp_path / "twin.json", ADDRESS)
    ready.remove(tmp_path / "twin.json", ADDRESS)
    ready.remove(tmp_path / "twin.json", ADDRESS)
    assert list(tmp_path.iterdir()) == []


def test_a_later_twins_file_is_left_alone(tmp_path: Path) -> None:
    later = replace(ADDRESS, aws_endpoint_url="http://127.0.0.1:5001")
    ready.write(tmp_path / "twin.json", later)
    ready.remove(tmp_path / "twin.json", ADDRESS)
    assert ready.read(tmp_path / "twin.json") == later
