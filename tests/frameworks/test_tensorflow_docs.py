"""What docs/tensorflow.md shows, runs."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import pytest

DOCUMENT = Path(__file__).parents[2] / "docs" / "tensorflow.md"


@pytest.mark.parametrize("example", re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL))
def test_an_example_runs(example: str, tmp_path: Path) -> None:
    with contextlib.chdir(tmp_path):
        exec(compile(example, str(DOCUMENT), "exec"), {})  # noqa: S102 - the document is ours
