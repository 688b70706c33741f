"""docs/twin.md: every behaviour has a test that exists."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
DOCUMENT = (ROOT / "docs" / "twin.md").read_text()
BEHAVIOURS = DOCUMENT[DOCUMENT.index("## Documented behaviours") : DOCUMENT.index("## What is different")]


def rows() -> list[str]:
    """The rows of the tables of behaviours, without their heads."""
    return [line for line in BEHAVIOURS.splitlines() if line.startswith("| ") and "`test_" in line]


def test_at_least_thirty_behaviours_are_shown() -> None:
    assert len(rows()) >= 30


def test_every_test_that_is_named_exists() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    files = {path.stem for path in (ROOT / "tests").rglob("test_*.py")}
    named = set(re.findall(r"`(test_\w+)`", BEHAVIOURS))
    assert [name for name in sorted(named) if f"def {name}(" not in sources and name not in files] == []
