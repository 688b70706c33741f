"""What docs/gate-checks.md shows runs, and what it says of numbers is what the code has."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import pytest

from model_store.gate import sandbox
from model_store.gate.differences import TOLERANCES
from model_store.gate.onnx_tensors import MAX_TENSOR_BYTES
from model_store.gate.sample import MAX_BYTES, MAX_ROWS

DOCUMENT = Path(__file__).parents[4] / "docs" / "gate-checks.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")


@pytest.mark.parametrize("example", re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL))
def test_an_example_runs(example: str, tmp_path: Path) -> None:
    with contextlib.chdir(tmp_path):
        exec(compile(example, str(DOCUMENT), "exec"), {})  # noqa: S102 - the document is ours


def test_the_tolerances_are_those_of_the_code() -> None:
    rows = [f"| {name} | {limits.absolute:g} | {limits.relative:g} |" for name, limits in TOLERANCES.items()]

    assert [row for row in rows if row not in TEXT] == []


def test_the_limits_are_those_of_the_code() -> None:
    assert f"{MAX_ROWS} rows at even distances are tried, fewer if these have more than {MAX_BYTES >> 20} MB" in TEXT
    assert MAX_TENSOR_BYTES == sandbox.MEMORY_BYTES == 10_240 * 2**20
    assert f"and {sandbox.TIME_S:.0f} s, and runs once on zeros" in TEXT
