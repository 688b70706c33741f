"""Whatever changes in a function makes a new published version; what does not change makes none."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.assets import Assets
from tests.build.assets import asset, function_code, stand_in_assets
from tests.build.templates import Template, stacks, synthesize

pytestmark = pytest.mark.xdist_group("template")


def version(template: Template, function: str) -> str:
    """Logical id of the version that the function's alias points at."""
    [name] = [
        name
        for name in template.ids("Lambda::Function")
        if template.resources[name]["Properties"]["Handler"].startswith(f"handlers.{function}.")
    ]
    alias = template.one("Lambda::Alias", lambda found: found["FunctionName"] == {"Ref": name})
    logical_id, attribute = alias["FunctionVersion"]["Fn::GetAtt"]
    assert attribute == "Version"
    return str(logical_id)


def with_assets(folder: Path, assets: Assets) -> Template:
    return synthesize(folder / "cdk.out", assets).serving


def test_the_same_again_makes_no_new_version(tmp_path: Path) -> None:
    again = with_assets(tmp_path, stand_in_assets(tmp_path / "assets"))

    assert again.document == stacks().serving.document


def test_changed_code_makes_a_new_version_of_that_function_alone(tmp_path: Path) -> None:
    code = function_code(tmp_path / "code", "inference", "handler = None\n")
    changed = with_assets(tmp_path, replace(stand_in_assets(tmp_path / "assets"), inference_code=code))

    assert version(changed, "inference") != version(stacks().serving, "inference")
    assert version(changed, "control") == version(stacks().serving, "control")


def test_a_changed_layer_makes_a_new_version(tmp_path: Path) -> None:
    layer = asset(tmp_path / "layer", {"python/inference_layer.py": "NAME = 'another'\n"})
    changed = with_assets(tmp_path, replace(stand_in_assets(tmp_path / "assets"), inference_layer=layer))

    assert version(changed, "inference") != version(stacks().serving, "inference")


@pytest.mark.parametrize("over", [{"alias_ttl_s": "60"}, {"memory_mb": "3008"}, {"ephemeral_storage_mb": "2048"}])
def test_a_changed_setting_makes_a_new_version(over: dict[str, Any]) -> None:
    assert version(stacks(**over).serving, "inference") != version(stacks().serving, "inference")


def test_a_setting_of_the_gateway_makes_no_new_version() -> None:
    changed = stacks(throttle_rate="7").serving

    assert version(changed, "inference") == version(stacks().serving, "inference")


def test_layers_are_uploaded_under_their_digest(tmp_path: Path) -> None:
    assets = stand_in_assets(tmp_path / "assets")
    moved = replace(assets, inference_layer=replace(assets.inference_layer, digest="0" * 64))

    assert version(with_assets(tmp_path, moved), "inference") != version(stacks().serving, "inference")
