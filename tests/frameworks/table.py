"""Take a run's results into benchmarks/results/frameworks.json, and rewrite the table in docs/frameworks.md.

    python -m tests.frameworks.table build/frameworks/results.jsonl

A run replaces the results of the models that it has; the others stay.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.frameworks.matrix import Result

ROOT: Final = Path(__file__).resolve().parents[2]
RESULTS: Final = ROOT / "benchmarks" / "results" / "frameworks.json"
DOCUMENT: Final = ROOT / "docs" / "frameworks.md"
START: Final = "<!-- results: written by `make test-frameworks` -->"
END: Final = "<!-- end of results -->"


def read_results(path: Path) -> list[Result]:
    """Read the results of all frameworks, as they are kept."""
    return [Result(**row) for row in json.loads(path.read_text(encoding="utf-8"))]


def merge(kept: Sequence[Result], new: Sequence[Result]) -> list[Result]:
    """Replace the results of the models that ran: of the same name, in the same framework."""
    ran = {(result.framework, result.model) for result in new}
    rows = [result for result in kept if (result.framework, result.model) not in ran] + list(new)
    return sorted(rows, key=lambda result: (result.framework, result.model))


def render(results: Sequence[Result]) -> str:
    """Write the table."""
    head = "| framework | model | is | rows | largest difference | tolerance | same labels | size |"
    return "\n".join([head, "|---|---|---|--:|--:|--:|--:|--:|", *(_row(result) for result in results)])


def _row(result: Result) -> str:
    difference = "" if result.max_difference is None else f"{result.max_difference:.1e}"
    agreement = "" if result.label_agreement is None else f"{result.label_agreement:.1%}"
    tolerance = f"{result.tolerance:.0e}" if difference else ""
    size = f"{result.size_bytes / 1000:,.1f} kB"
    cells = (f"{result.framework} {result.version}", result.model, result.kind.replace("|", "\\|"), str(result.rows))
    return f"| {' | '.join((*cells, difference, tolerance, agreement, size))} |"


def in_document(document: str, table: str) -> str:
    """Put the table between its marks."""
    before, _, rest = document.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}\n{table}\n{END}{after}"


def main(path: Path) -> None:
    """Merge a run's lines, keep them, show them."""
    new = [Result(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
    results = merge(read_results(RESULTS) if RESULTS.is_file() else [], new)
    RESULTS.write_text(json.dumps([result._asdict() for result in results], indent=1) + "\n", encoding="utf-8")
    DOCUMENT.write_text(in_document(DOCUMENT.read_text(encoding="utf-8"), render(results)), encoding="utf-8")
    print(f"{len(new)} results; {len(results)} in {DOCUMENT.relative_to(ROOT)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
