"""Bodies that are no JSON and are wrong: each is answered by a message that says what was expected, never a 500."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.build import bad_bodies, bad_input
from tests.build.bad_bodies import FILES, TABLES
from tests.build.bad_input import Row, expected_body, send
from tests.build.inference import World

DOCUMENT = Path(__file__).parents[4] / "docs" / "errors.md"


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> World:
    return bad_input.world(tmp_path_factory.mktemp("tables"))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> World:
    return bad_bodies.world(tmp_path_factory.mktemp("files"))


@pytest.mark.parametrize(
    "row", [row for rows in TABLES.values() for row in rows], ids=lambda row: f"{row.event['path']}: {row.what}"
)
def test_a_bad_table_has_its_own_answer(tables: World, row: Row) -> None:
    assert send(tables, row) == (row.status, expected_body(row))


@pytest.mark.parametrize(
    "row", [row for rows in FILES.values() for row in rows], ids=lambda row: f"{row.event['path']}: {row.what}"
)
def test_a_bad_file_has_its_own_answer(files: World, row: Row) -> None:
    assert send(files, row) == (row.status, expected_body(row))


@pytest.mark.parametrize(("title", "rows"), [*TABLES.items(), *FILES.items()])
def test_the_documentation_shows_exactly_these_answers(title: str, rows: list[Row]) -> None:
    section = DOCUMENT.read_text().partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    assert f"{bad_input.table(rows)}\n" in section
