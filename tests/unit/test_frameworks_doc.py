"""The table in docs/frameworks.md is that of the results that are kept."""

from __future__ import annotations

from tests.frameworks.matrix import Result
from tests.frameworks.table import DOCUMENT, RESULTS, in_document, merge, read_results, render


def result(framework: str, model: str, **changes: object) -> Result:
    values = Result(
        framework=framework,
        version="1.0",
        model=model,
        kind="Ridge",
        rows=80,
        max_difference=1.5e-7,
        tolerance=1e-4,
        label_agreement=None,
        size_bytes=1234,
    )
    return values._replace(**changes)  # type: ignore[arg-type]  # the fields of a test


def test_the_document_shows_the_results_that_are_kept() -> None:
    assert render(read_results(RESULTS)) in DOCUMENT.read_text(encoding="utf-8")


def test_every_result_is_within_its_tolerance() -> None:
    shown = read_results(RESULTS)

    assert len(shown) >= 25
    assert all(found.label_agreement is None or found.label_agreement > 0.95 for found in shown)


def test_a_run_replaces_the_results_of_its_models_alone() -> None:
    kept = [result("b", "m", rows=7), result("a", "m"), result("b", "other")]

    assert merge(kept, [result("b", "m")]) == [result("a", "m"), result("b", "m"), result("b", "other")]


def test_a_row_shows_what_was_measured() -> None:
    assert render([result("a", "m", label_agreement=1.0)]).splitlines()[2] == (
        "| a 1.0 | m | Ridge | 80 | 1.5e-07 | 1e-04 | 100.0% | 1.2 kB |"
    )


def test_the_table_stands_between_its_marks() -> None:
    start, end = "<!-- results: written by `make test-frameworks` -->", "<!-- end of results -->"

    assert in_document(f"before\n{start}\nold\n{end}\nafter\n", "new") == f"before\n{start}\nnew\n{end}\nafter\n"
