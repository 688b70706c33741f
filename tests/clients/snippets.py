"""The examples of a document, run as they stand."""

from __future__ import annotations

import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
_EXAMPLE: Final = re.compile(r"```python\n(.*?)```\n+```text\n(.*?)```", re.DOTALL)
_DOCUMENTED: Final = "localhost:8500"


def run_example(document: str, library: str, address: str) -> tuple[str, str]:
    """Run the example that imports a library against an address; return what it printed and what the document says."""
    (example,) = [
        match
        for match in _EXAMPLE.finditer((ROOT / document).read_text(encoding="utf-8"))
        if f"import {library}" in match[1] or f"from {library}" in match[1]
    ]
    printed = StringIO()
    with redirect_stdout(printed):
        exec(compile(example[1].replace(_DOCUMENTED, address), document, "exec"), {})  # noqa: S102 - our own document
    return printed.getvalue(), example[2]
