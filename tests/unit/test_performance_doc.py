"""The figures in docs/performance.md are those of the last run that was committed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import contenders, growth, publish, servers
from benchmarks.__main__ import render, render_fetches

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "benchmarks" / "results" / "lambda.json").read_text())
    return found


def test_the_document_shows_the_tables_of_the_last_run(results: dict[str, Any]) -> None:
    document = (ROOT / "docs" / "performance.md").read_text()
    assert render(results["rows"]) in document
    assert render_fetches(results["fetches"]) in document


def test_the_document_names_the_machine_and_the_versions(results: dict[str, Any]) -> None:
    document = (ROOT / "docs" / "performance.md").read_text()
    machine = results["machine"]
    for package in ("onnxruntime", "numpy", "orjson", "boto3", "fastapi", "mangum", "pydantic"):
        assert f"{package} {machine[package]}" in document
    assert f"{machine['cpu']}, {machine['cores']} vCPU, {machine['system']}; Python {machine['python']}" in document


@pytest.fixture(scope="module")
def published() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "benchmarks" / "results" / "publish.json").read_text())
    return found


def test_the_document_shows_what_the_gate_wrote_as_it_was_measured_last(published: dict[str, Any]) -> None:
    document = (ROOT / "docs" / "performance.md").read_text()
    assert publish.render(published["rows"]) in document
    assert publish.render_gate(published["gate"]) in document
    assert f"`{published['processor']}`" in document
    assert f"{published['rounds']} rounds" in document


def test_the_reference_models_are_all_there_and_the_first_row_of_each_is_the_default(published: dict[str, Any]) -> None:
    cases: dict[str, list[str]] = {}
    for row in published["rows"]:
        cases.setdefault(row["model"], []).append(row["case"])
    assert list(cases) == ["tabular", "resnet", "minilm"]
    assert all(names[:2] == ["default", "portable"] for names in cases.values())


def test_the_document_shows_the_comparison_of_servers_as_it_was_measured_last() -> None:
    document = (ROOT / "docs" / "performance.md").read_text()
    measured = json.loads((ROOT / "benchmarks" / "results" / "servers.json").read_text())
    assert servers.render(measured["rows"]) in document
    assert servers.render_origin(measured) in document


def test_every_server_is_in_the_comparison_ours_first() -> None:
    measured = json.loads((ROOT / "benchmarks" / "results" / "servers.json").read_text())
    assert [row["server"] for row in measured["rows"]] == [server.name for server in contenders.servers()]


def test_the_document_shows_the_growth_as_it_was_measured_last() -> None:
    document = (ROOT / "docs" / "performance.md").read_text()
    measured = json.loads((ROOT / "benchmarks" / "results" / "growth.json").read_text())
    assert growth.render(measured) in document
    assert [row["size"] for row in measured["store"]] == list(growth.STORES)
    assert [row["size"] for row in measured["cache"]] == list(growth.CACHES)
    assert [row["size"] for row in measured["json"]] == list(growth.BATCHES)


def test_a_store_of_a_thousand_models_is_asked_for_no_more_than_a_store_of_one() -> None:
    measured = json.loads((ROOT / "benchmarks" / "results" / "growth.json").read_text())
    assert len({row["requests"] for row in measured["store"]}) == 1
