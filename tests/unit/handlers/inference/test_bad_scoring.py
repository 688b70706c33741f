"""What comes wrong over a scoring protocol is answered in its own shape, as its page of the documentation says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.build import bad_scoring, scoring
from tests.build.bad_scoring import TABLES, Row, expected_body, send
from tests.build.inference import World

DOCS = Path(__file__).parents[4] / "docs"
ROWS = [row for tables in TABLES.values() for rows in tables for row in rows]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return scoring.world(tmp_path_factory.mktemp("bad-scoring"))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.path.split('/')[1]}: {row.what}")
def test_a_bad_request_has_its_own_answer(world: World, row: Row) -> None:
    answered = send(world, row)
    text = answered["headers"]["content-type"].startswith("text/plain")
    body = answered["body"] if text else json.loads(answered["body"])
    assert (answered["statusCode"], body) == (row.status, expected_body(row))


@pytest.mark.parametrize("row", bad_scoring.SAGEMAKER_ROWS, ids=lambda row: row.what)
def test_the_kind_of_sagemakers_errors_is_in_a_header(world: World, row: Row) -> None:
    assert send(world, row)["headers"]["x-amzn-errortype"] == row.kind


@pytest.mark.parametrize("page", TABLES)
def test_the_documentation_shows_exactly_these_answers(page: str) -> None:
    text = (DOCS / page).read_text()
    for rows in TABLES[page]:
        assert f"{bad_scoring.table(rows)}\n" in text
