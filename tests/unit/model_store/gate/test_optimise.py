"""The layout that is kept: by a rule over figures, and in the end a model that answers as before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model_store.gate.candidate import open_session, run
from model_store.gate.layouts import AS_CONVERTED, this_processor
from model_store.gate.optimise import Choice, choose, optimise
from model_store.gate.side_by_side import Measured, Patience, measure
from model_store.gate.steps import GateOptions, Target
from tests.build import layered
from warmstart.errors import UnsupportedModel

QUICK = Patience(loading_s=0.0, warm_s=0.0, min_pairs=3, in_doubt_s=0.0)
NONE: frozenset[str] = frozenset()
OWN = frozenset({"own"})
MB = 1_000_000


def took(first_ms: float, *, warm_ratio: float = 1.0, size_bytes: int = 10 * MB) -> tuple[Measured, int]:
    """Figures of a layout beside a model that takes 100 ms from opening to the first answer."""
    return Measured(first_ms, first_ms, 1.0, 10.0, first_ms / 100, first_ms / 100, warm_ratio), size_bytes


def test_the_shortest_cold_start_wins() -> None:
    assert choose({AS_CONVERTED: took(100), "a": took(60), "b": took(40)}, NONE) == Choice("b")


def test_one_that_is_slower_warm_does_not() -> None:
    measured = {AS_CONVERTED: took(100), "a": took(60, warm_ratio=1.03), "b": took(40, warm_ratio=1.04)}
    assert choose(measured, NONE) == Choice("a")


@pytest.mark.parametrize(("first_ms", "kept"), [(95.0, AS_CONVERTED), (94.0, "a")])
def test_what_is_simpler_is_kept_unless_a_twentieth_is_won(first_ms: float, kept: str) -> None:
    assert choose({AS_CONVERTED: took(100), "a": took(first_ms)}, NONE) == Choice(kept)


def test_less_than_a_millisecond_is_nothing() -> None:
    two_ms = Measured(2.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0)
    assert choose({AS_CONVERTED: (two_ms, MB), "a": (two_ms._replace(first_ratio=0.6), MB)}, NONE) == Choice(
        AS_CONVERTED
    )


def test_bytes_that_are_more_count_as_what_they_cost_to_fetch() -> None:
    # 9 MB more at 90 MB/s: 100 ms.
    measured = {AS_CONVERTED: took(100), "a": took(60), "b": took(10, size_bytes=19 * MB)}
    assert choose(measured, NONE) == Choice("a")


def test_one_for_this_processor_lies_beside_the_portable_one() -> None:
    assert choose({AS_CONVERTED: took(100), "a": took(60), "own": took(40)}, OWN) == Choice("a", "own")


@pytest.mark.parametrize("own", [took(51), took(40, warm_ratio=1.04), took(40, size_bytes=13 * MB)])
def test_one_for_this_processor_has_to_win_a_tenth(own: tuple[Measured, int]) -> None:
    assert choose({AS_CONVERTED: took(100), "a": took(60), "own": own}, OWN) == Choice("a")


def test_what_is_kept_answers_as_before_and_the_rest_is_deleted(tmp_path: Path) -> None:
    given = layered.candidate(tmp_path / "in", layered.dense())
    options = GateOptions(target=Target(architecture="x86_64"))
    outcome = optimise(given, {"x": layered.ROWS}, None, options, tmp_path / "out", patience=QUICK)
    kept = outcome.value
    inputs = {"x": layered.ROWS[:5]}
    expected = run(open_session(given.layout), inputs)["y"]
    for layout in (kept.layout, *kept.variants.values()):
        np.testing.assert_allclose(run(open_session(layout), inputs)["y"], expected, rtol=1e-4, atol=1e-5)
    there = {path for path in (tmp_path / "out").rglob("*") if path.is_file()}
    named = {path for layout in (kept.layout, *kept.variants.values()) for _, path in layout.files}
    assert there == named - {given.layout.graph}
    assert kept.signature == given.signature


def test_every_layout_is_in_the_figures_and_the_kept_ones_are_marked(tmp_path: Path) -> None:
    given = layered.candidate(tmp_path / "in", layered.dense())
    outcome = optimise(given, {"x": layered.ROWS}, None, GateOptions(), tmp_path / "out", patience=QUICK)
    rows = outcome.figures["layouts"]
    assert isinstance(rows, list)
    found = {row["layout"]: row["kept"] for row in rows if isinstance(row, dict)}
    assert found[outcome.figures["chosen"]] is True
    assert set(found) >= {"as converted", "weights mapped", "optimised, weights mapped"}


def test_for_another_architecture_there_are_portable_layouts_only(tmp_path: Path) -> None:
    own = this_processor("1.28.0") or "x86_64"
    other = GateOptions(target=Target(architecture="x86_64" if own.startswith("arm64") else "arm64"))
    given = layered.candidate(tmp_path / "in", layered.convolution())
    outcome = optimise(given, {"x": layered.images()}, None, other, tmp_path / "out", patience=QUICK)
    assert outcome.value.variants == {}
    assert "portable layouts only" in outcome.summary


def test_a_layout_that_cannot_be_opened_is_left_out(tmp_path: Path) -> None:
    given = layered.candidate(tmp_path / "in", layered.dense(2))
    (tmp_path / "broken.onnx").write_bytes(b"no graph")
    broken = given.layout._replace(files=(("model.onnx", tmp_path / "broken.onnx"),))
    inputs = {"x": layered.ROWS[:1]}
    assert set(measure({"a": given.layout, "b": broken}, inputs, threads=1, patience=QUICK)) == {"a"}
    with pytest.raises(UnsupportedModel, match="could not be timed"):
        measure({"b": broken}, inputs, threads=1, patience=QUICK)
