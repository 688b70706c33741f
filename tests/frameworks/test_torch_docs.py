"""What docs/pytorch.md shows, runs."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import Any

import pytest

from model_store import open_store, publish

DOCUMENT = Path(__file__).parents[2] / "docs" / "pytorch.md"


@pytest.mark.parametrize("example", re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL))
def test_an_example_runs(example: str, tmp_path: Path) -> None:
    made = dict[str, Any]()
    with contextlib.chdir(tmp_path):
        exec(compile(example, str(DOCUMENT), "exec"), made)  # noqa: S102 - the document is ours
        if "build" in made:
            published = publish(made["build"](), name="texts", store=open_store((tmp_path / "store").as_uri()))
            assert published.manifest.signature.inputs[0].shape == (-1, -1)
