"""What a build prints."""

from __future__ import annotations

from pathlib import Path

from layers.recipes import Cut, Recipe
from layers.report import cuts, table
from layers.target import Built

MIB = 1024 * 1024
LAYER = Built(
    path=Path(),
    zip_path=Path(),
    digest="",
    sizes={"numpy": 40 * MIB, "onnxruntime": 21 * MIB},
    bytecode={"numpy": 3 * MIB},
    cut={"numpy": 10 * MIB},
    cut_by={"*/tests/*": 7 * MIB, "*.pyi": 3 * MIB},
)
CODE = Built(path=Path(), zip_path=Path(), digest="", sizes={"handlers": MIB // 2})


def test_packages_are_listed_by_size_with_their_sum() -> None:
    assert table(LAYER, CODE).splitlines() == [
        "package           MiB  bytecode  left out",
        "numpy           40.00      3.00     10.00",
        "onnxruntime     21.00      0.00      0.00",
        "handlers         0.50      0.00      0.00",
        "sum             61.50      3.00     10.00",
    ]


def test_cuts_are_listed_by_size_with_their_reason() -> None:
    recipe = Recipe(
        name="tiny",
        requirements=(),
        cuts=(Cut("*.pyi", "stubs"), Cut("*/tests/*", "its own tests"), Cut("*.c", "never seen")),
        budget_bytes=0,
        without={"protobuf": "for tools"},
    )
    assert cuts(LAYER, recipe).splitlines() == [
        "left out        MiB  why",
        "*/tests/*      7.00  its own tests",
        "*.pyi          3.00  stubs",
        "protobuf      whole  for tools",
    ]
