"""A layer from its wheels to its zip, without a network."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

from layers.builder import build_layer, build_recipe, check_budget, refuse_unrunnable
from layers.recipes import Cut, Recipe
from layers.target import Built, Target
from tests.build.wheels import lock, wheel
from warmstart.errors import BuildError

HOST = Target.host()
TINY = Recipe(name="tiny", requirements=(), cuts=(Cut("*/tests/*", "tests"),), budget_bytes=100_000)


class Inputs(NamedTuple):
    """A lock, and the folder that pip finds its wheels in."""

    locked: Path
    wheels: Path


@pytest.fixture
def inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Inputs:
    """Two wheels, one of which imports the other."""
    index = tmp_path / "index"
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    one = wheel(index, "one", {"one/__init__.py": "import two\n", "one/tests/test_one.py": "assert True\n"})
    two = wheel(index, "two", {"two.py": "x = 2\n"})
    return Inputs(lock(tmp_path / "tiny.txt", one, two), index)


def test_a_layer_holds_sources_and_bytecode_below_python(tmp_path: Path, inputs: Inputs) -> None:
    built = build_recipe(TINY, inputs.locked, HOST, root=tmp_path)
    names = zipfile.ZipFile(built.zip_path).namelist()
    tag = HOST.python.replace(".", "")
    assert [name for name in names if "dist-info" not in name] == [
        "python/__pycache__/two.cpython-" + tag + ".pyc",
        "python/one/__init__.py",
        "python/one/__pycache__/__init__.cpython-" + tag + ".pyc",
        "python/two.py",
    ]
    assert sorted(path.relative_to(built.path).as_posix() for path in built.path.rglob("*") if path.is_file()) == names


def test_bytes_are_counted_per_package_with_bytecode_and_what_was_cut(tmp_path: Path, inputs: Inputs) -> None:
    built = build_recipe(TINY, inputs.locked, HOST, root=tmp_path)
    assert built.size_bytes == sum(path.stat().st_size for path in built.path.rglob("*") if path.is_file())
    assert set(built.sizes) == {"one", "two"}
    assert built.bytecode["two"] == sum(path.stat().st_size for path in built.path.glob("python/__pycache__/two.*"))
    assert built.cut == {"one": len("assert True\n")}
    assert built.cut_by == {"*/tests/*": len("assert True\n")}


def test_two_builds_in_different_places_at_different_times_give_the_same_bytes(tmp_path: Path, inputs: Inputs) -> None:
    first = build_recipe(TINY, inputs.locked, HOST, root=tmp_path / "here")
    for path in inputs.wheels.iterdir():
        os.utime(path, (1_000_000_000, 1_000_000_000))
    second = build_recipe(TINY, inputs.locked, HOST, root=tmp_path / "deeper/elsewhere")
    assert first.digest == second.digest
    assert first.zip_path.read_bytes() == second.zip_path.read_bytes()


def test_the_same_inputs_again_touch_nothing(tmp_path: Path, inputs: Inputs) -> None:
    first = build_recipe(TINY, inputs.locked, HOST, root=tmp_path)
    written = first.zip_path.stat().st_mtime_ns
    for path in (*inputs.wheels.iterdir(), *(tmp_path / "build/wheels").rglob("*.whl")):
        path.unlink()
    assert build_recipe(TINY, inputs.locked, HOST, root=tmp_path) == first
    assert first.zip_path.stat().st_mtime_ns == written


def test_another_recipe_is_another_output(tmp_path: Path, inputs: Inputs) -> None:
    first = build_recipe(TINY, inputs.locked, HOST, root=tmp_path)
    second = build_recipe(TINY._replace(cuts=()), inputs.locked, HOST, root=tmp_path)
    assert second.path != first.path
    assert (second.path / "python/one/tests/test_one.py").is_file()


def test_of_many_outputs_the_newest_three_stay(tmp_path: Path, inputs: Inputs) -> None:
    built = [
        build_recipe(TINY._replace(budget_bytes=100_000 + number), inputs.locked, HOST, root=tmp_path)
        for number in range(4)
    ]
    assert [output.path.is_dir() for output in built] == [False, True, True, True]


def test_a_cut_that_breaks_an_import_is_refused_and_leaves_nothing(tmp_path: Path, inputs: Inputs) -> None:
    broken = TINY._replace(cuts=(Cut("two.py", "a mistake"),))
    with pytest.raises(BuildError, match=r"one/__init__\.py: imports two, which was cut \(two\.py\)"):
        build_recipe(broken, inputs.locked, HOST, root=tmp_path)
    assert list((tmp_path / "build/layers").iterdir()) == []


def test_a_layer_over_its_budget_is_refused_with_the_table(tmp_path: Path, inputs: Inputs) -> None:
    with pytest.raises(BuildError, match=r"(?s)tiny layer: over its budget of 10 bytes\n.*one .*two .*sum"):
        build_recipe(TINY._replace(budget_bytes=10), inputs.locked, HOST, root=tmp_path)


def test_a_zip_above_lambdas_direct_limit_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "asset.zip").open("wb") as file:
        file.truncate(52_428_801)
    built = Built(path=tmp_path, zip_path=tmp_path / "asset.zip", digest="", sizes={"big": 1})
    with pytest.raises(BuildError, match="52,428,801 bytes zipped, above 52,428,800"):
        check_budget(built, TINY)


def test_onnx_runtime_before_1_26_is_refused_on_arm64_with_the_reason() -> None:
    with pytest.raises(BuildError, match=r"onnxruntime 1\.25\.1 aborts at import on Lambda's arm64"):
        refuse_unrunnable({"onnxruntime": "1.25.1"}, Target(architecture="arm64"))


@pytest.mark.parametrize(
    ("version", "target"),
    [("1.26.0", Target(architecture="arm64")), ("1.25.1", Target(architecture="x86_64")), ("1.25.1", HOST)],
)
def test_onnx_runtime_that_starts_is_not_refused(version: str, target: Target) -> None:
    refuse_unrunnable({"onnxruntime": version}, target)


def test_an_unknown_layer_is_refused_with_those_that_exist(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="expected one of inference, control, signing; got 'training'"):
        build_layer("training", HOST, root=tmp_path)
