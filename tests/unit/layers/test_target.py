"""What can be built for."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

import pytest

from layers.target import Built, Target
from warmstart.errors import InvalidSetting


def test_lambda_means_arm64_and_python_3_13_unless_said_otherwise() -> None:
    assert str(Target()) == "lambda-arm64-python3.13"


def test_the_host_is_this_interpreter_on_this_processor() -> None:
    target = Target.host()
    assert target.python == ".".join(map(str, sys.version_info[:2]))
    assert target.machine == {"arm64": "aarch64"}.get(platform.machine(), platform.machine())
    assert target.platform == "host"


@pytest.mark.parametrize(
    ("field", "value"), [("python", "3.11"), ("python", "3.13.1"), ("architecture", "aarch64"), ("platform", "azure")]
)
def test_what_lambda_does_not_have_is_refused_by_the_fields_name(field: str, value: str) -> None:
    with pytest.raises(InvalidSetting) as caught:
        Target(**{field: value})  # type: ignore[arg-type]  # wrong on purpose
    assert caught.value.name == field
    assert repr(value) in caught.value.message


def test_a_host_target_of_another_python_is_refused() -> None:
    with pytest.raises(InvalidSetting, match="python: expected"):
        Target(python="3.9", platform="host")


def test_size_is_the_sum_of_all_packages() -> None:
    built = Built(path=Path(), zip_path=Path(), digest="", sizes={"numpy": 40, "orjson": 2})
    assert built.size_bytes == 42
