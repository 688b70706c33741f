"""The locked requirements."""

from __future__ import annotations

import pytest
from packaging.requirements import Requirement

from layers.lock import FOLDER, PYTHONS, hashes, lock_file, pins
from layers.recipes import CONTROL, INFERENCE, RECIPES, Recipe
from warmstart.errors import BuildError

TEXT = """\
annotated-doc==0.0.7 \\
    --hash=sha256:0a30ef8f5322a4173720ae6712dc9a5e58f5a19868f3f167b4b5778db066c2b5 \\
    --hash=sha256:6bc31bbbec6dfaaedc1676dbc11dbda96fe22a2b5c400e9ebad113fec44a9dc6
numpy==2.5.5 \\
    --hash=sha256:00d6f6d8f1fd4e9da2dbb3e3a8e5bd1ee0e0cb8b0be5ef2bc2ba87da6ebee13d
# The following packages were excluded from the output:
# protobuf
"""


def applies(requirement: str, python: str) -> bool:
    """Say whether a requirement's marker lets a Python have it."""
    marker = Requirement(requirement).marker
    return marker is None or marker.evaluate({"python_version": python})


def test_versions_and_hashes_are_read() -> None:
    assert pins(TEXT) == {"annotated-doc": "0.0.7", "numpy": "2.5.5"}
    assert len(hashes(TEXT)) == 3


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
@pytest.mark.parametrize("python", PYTHONS)
def test_every_layer_is_locked_for_every_python(recipe: Recipe, python: str) -> None:

    names = pins(lock_file(recipe, python).read_text())
    assert {Requirement(text).name for text in recipe.requirements if applies(text, python)} <= set(names)
    assert not set(recipe.without) & set(names)


def test_no_lock_names_a_registry() -> None:
    assert [path.name for path in FOLDER.iterdir() if "://" in path.read_text()] == []


def test_the_inference_layer_has_an_onnx_runtime_without_telemetry_that_starts_on_arm64() -> None:
    for python in PYTHONS:
        version = tuple(map(int, pins(lock_file(INFERENCE, python).read_text())["onnxruntime"].split(".")[:2]))
        assert (1, 26) <= version < (1, 29)


def test_the_data_plane_carries_no_web_framework_and_no_sdk() -> None:
    for python in PYTHONS:
        zstd = {"backports-zstd"} if python < "3.14" else set()  # there it is in the standard library
        assert set(pins(lock_file(INFERENCE, python).read_text())) == zstd | {
            *("numpy", "onnxruntime", "orjson", "pillow", "tokenizers")
        }


def test_a_python_without_a_lock_is_refused_with_those_that_have_one() -> None:
    with pytest.raises(BuildError, match=r"Python 3\.10: there are 3\.11, 3\.12, 3\.13, 3\.14"):
        lock_file(CONTROL, "3.10")
