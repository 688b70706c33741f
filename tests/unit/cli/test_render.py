"""Tables and streams: for a terminal, for a pipe, for machines."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from cli.render import Output, brief, escape, megabytes

WORDS = "word " * 30


def output(*, terminal: bool, as_json: bool = False) -> tuple[Output, io.StringIO, io.StringIO]:
    """An output on text in memory; its terminal has 80 columns."""
    results, messages = io.StringIO(), io.StringIO()
    return Output(_console(results, terminal), _console(messages, terminal), as_json), results, messages


def _console(file: io.StringIO, terminal: bool) -> Console:
    return Console(file=file, force_terminal=terminal, width=80, color_system=None, highlight=False, soft_wrap=True)


def test_cells_fold_at_a_terminals_width() -> None:
    made, results, _ = output(terminal=True)

    made.table(("name", "words"), [("a", WORDS)], empty="")

    assert [len(line) for line in results.getvalue().splitlines()] == [80, 80, 80]


def test_in_a_pipe_each_row_is_one_line() -> None:
    made, results, _ = output(terminal=False)

    made.table(("name", "words"), [("a", WORDS), ("b", "")], empty="")

    assert results.getvalue().splitlines() == ["name  words", f"a     {WORDS.strip()}", "b"]


def test_a_long_message_is_not_broken() -> None:
    made, _, messages = output(terminal=False)

    made.error("code", WORDS, "")

    assert messages.getvalue() == f"code: {WORDS}\n"


def test_no_rows_are_said_to_be_none() -> None:
    made, results, _ = output(terminal=False)

    made.table(("name",), [], empty="none [yet]")

    assert results.getvalue() == "none [yet]\n"


@pytest.mark.parametrize(
    ("terminal", "as_json", "shows"), [(True, False, True), (True, True, False), (False, False, False)]
)
def test_work_is_shown_to_those_who_watch_on_standard_error(terminal: bool, as_json: bool, shows: bool) -> None:
    made, results, messages = output(terminal=terminal, as_json=as_json)

    with made.working("building"):
        pass

    assert ("building" in messages.getvalue()) is shows
    assert results.getvalue() == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1 / 3, "0.333333"),
        (2.0, "2"),
        (True, "true"),
        (None, "null"),
        (10**9, "1000000000"),
        ([], "[]"),
        ({}, ""),
        ({"a": [1.0, 2.0], "b": "text"}, "a [1, 2]  b text"),
    ],
)
def test_values_are_brief(value: object, text: str) -> None:
    assert brief(value) == text


def test_sizes_are_in_kilobytes_below_a_megabyte() -> None:
    assert (megabytes(512), megabytes(999_999), megabytes(1_000_000)) == ("0.5 kB", "1000.0 kB", "1.0 MB")


def test_what_a_terminal_would_obey_is_shown_and_not_obeyed() -> None:
    made, results, messages = output(terminal=True)
    name = "x\x1b]0;owned\x07\x9b31m\u202e[red]"

    made.line(escape(name))
    made.table((name,), [(name,)], empty="")
    made.error("code", name, name)

    written = results.getvalue() + messages.getvalue()
    assert written.count("x\\x1b]0;owned\\x07\\x9b31m\\u202e[red]") == 5
    assert written.replace("\n", "").isprintable()
