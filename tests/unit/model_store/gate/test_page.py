"""The gate's report as a page: what matters stands on it, in units that people read."""

from __future__ import annotations

import re

from model_store.gate.page import render_page
from model_store.gate.steps import Figure, GateReport, StepReport

PARITY: dict[str, Figure] = {
    "rows": 50,
    "outputs": {
        "label": {"agreement": 0.98, "rows_beyond": 1, "ties": 0, "worst": [{"row": 7, "expected": "a", "got": "<b>"}]},
        "scores": {
            "tolerance": {"absolute": 0.0001, "relative": 0.001},
            "max_absolute_difference": 8.5e-08,
            "values": 150,
            "equal_values": 30,
            "rows_beyond": 0,
            "log10_difference": [[-12, 0], [-9, 0], [-8, 120], [-7, 0], [-6, 0], [-5, 0], [-4, 0], [-3, 0]],
            "worst": [],
        },
    },
}
OPTIMISE: dict[str, Figure] = {
    "layouts": [
        {
            "layout": "as converted",
            "kept": False,
            "size_bytes": 90_000_000,
            "first_answer_ms": 152.3,
            "memory_mb": 210.0,
        },
        {
            "layout": "weights mapped",
            "kept": True,
            "size_bytes": 90_000_000,
            "first_answer_ms": 81.6,
            "memory_mb": 120.5,
        },
    ],
}
FORECAST: dict[str, Figure] = {
    "target": {"memory_mb": 1769, "ephemeral_storage_mb": 1024},
    "sizes": {"needed_memory_mb": 105, "needed_storage_mb": 5},
    "limits": {"init_s": 10.0, "gateway_s": 29.0, "timeout_s": 29},
    "by_memory": [
        {"memory_mb": 512, "works": True, "warm_ms": 0.1, "init_s": 0.4, "download_s": 0.1, "cold_s": 0.5},
        {"memory_mb": 1769, "works": True, "warm_ms": 0.03, "init_s": 0.1, "download_s": 0.1, "cold_s": 0.2},
    ],
}


def page(**figures: dict[str, Figure]) -> str:
    """Render a report whose steps have these figures."""
    steps = tuple(
        StepReport(step=name, status="passed", seconds=0.5, summary="", figures=found)
        for name, found in figures.items()
    )
    return render_page(
        GateReport(name="iris", source="iris.pkl", created_at="now", machine={"python": "3.11.7"}, steps=steps)
    )


def cells(html: str) -> list[list[str]]:
    """Read the rows of all tables."""
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", html)
    return [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row) for row in rows]


def test_before_and_after_stand_at_the_top_and_what_stayed_once() -> None:
    top = page(optimise=OPTIMISE).partition("<h2>")[0]

    assert re.findall(r"<b>(.*?)</b>([^<]*)", top) == [
        ("90.0 MB", "size"),
        ("152 ms → 81.6 ms", "load and first answer, here"),
        ("210 MB → 120 MB", "memory of the session"),
    ]


def test_what_was_quantized_is_compared_with_the_model_before() -> None:
    precisions: list[Figure] = [
        {"precision": "as converted", "size_bytes": 360_000_000, "first_answer_ms": 900.0},
        {"precision": "int8, static", "size_bytes": 90_000_000, "first_answer_ms": 300.0},
    ]
    html = page(optimise={**OPTIMISE, "quantized": {"rows": 40, "precisions": precisions, "chosen": "int8, static"}})

    assert "<b>360.0 MB → 90.0 MB</b>size" in html
    assert (
        "<b>900 ms → 161 ms</b>load and first answer, here" in html
    )  # 300 · 81.6 / 152.3: each in its own measurement
    assert '<tr class="marked"><td>int8, static</td>' in html


def test_each_outputs_differences_are_drawn_up_to_the_tolerance() -> None:
    html = page(parity=PARITY)

    [plot] = re.findall(r"<svg.*?</svg>", html)
    assert re.findall(r"<title>(\d+)</title>", plot) == ["30", "120", "0", "0", "0"]
    assert re.findall(r'class="mid">(equal|1e-?\d+)<', plot) == ["equal", "1e-8", "1e-7", "1e-6", "1e-5"]
    assert "tolerance 0.0001" in plot
    assert "98 %" in html


def test_what_the_function_needs_stands_beside_what_it_has() -> None:
    assert cells(page(forecast=FORECAST))[1:6] == [
        ["memory, MB", "105", "1,769"],
        ["disk, MB", "5", "1,024"],
        ["init phase, s", "0.1", "10"],
        ["first invocation, s", "–", "29"],
        ["cold start, s", "0.2", "29"],
    ]


def test_a_cold_start_is_drawn_in_its_parts() -> None:
    html = page(forecast=FORECAST)

    assert re.findall(r'<i class="part\d" style="width:([\d.]+)%" title="(init phase|download): ', html) == [
        ("64.00", "init phase"),
        ("16.00", "download"),
        ("16.00", "init phase"),
        ("16.00", "download"),
    ]


def test_figures_that_this_release_does_not_know_are_shown_and_break_nothing() -> None:
    html = page(parity={"outputs": [1, 2]}, optimise={"layouts": "none"}, forecast={"by_memory": [3]}, new={"a_b": 4})

    assert '<span class="soft">a b</span> 4' in html


def test_a_models_answers_are_text_on_the_page() -> None:
    assert "<td>&lt;b&gt;</td>" in page(parity=PARITY)
