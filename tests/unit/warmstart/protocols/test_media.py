"""Media types: what a body is read as, and in what form an answer is written."""

from __future__ import annotations

import pytest

from warmstart.errors import NotAcceptable, UnsupportedMediaType
from warmstart.protocols.media import accepted, parse, read_as

JSON, CSV = "application/json", "text/csv"


def test_a_type_is_read_with_its_parameters() -> None:
    found = parse('Text/CSV; Header=present; charset="UTF-8"')
    assert (found.name, found.get("header"), found.get("charset"), found.get("q")) == (
        CSV,
        "present",
        "UTF-8",
        None,
    )


@pytest.mark.parametrize(
    ("content_type", "name"),
    [
        ("", JSON),
        (JSON, JSON),
        ("Application/JSON", JSON),
        ("application/json; charset=utf-8", JSON),
        ('application/json;charset="UTF-8"', JSON),
        ("application/x-www-form-urlencoded", JSON),  # what `curl -d` says by itself
        ("text/csv;", CSV),
    ],
)
def test_a_body_is_what_it_says_or_the_default_if_it_says_nothing(content_type: str, name: str) -> None:
    assert read_as(content_type, (JSON, CSV), JSON) == name


@pytest.mark.parametrize("content_type", ["text/html", "json", "application/json; charset=utf-16"])
def test_another_type_or_charset_is_refused_with_what_is_read(content_type: str) -> None:
    with pytest.raises(UnsupportedMediaType, match="content-type: expected"):
        read_as(content_type, (JSON, CSV), JSON)


@pytest.mark.parametrize(
    ("accept", "name"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("text/csv", CSV),
        ("text/*", CSV),
        ("text/csv, application/json", JSON),  # liked equally: the first that is offered
        ("text/csv, application/json;q=0.9", CSV),
        ("application/*;q=0.1, text/csv;q=0.2", CSV),
        ("*/*, application/json;q=0", CSV),
        ("text/html, */*;q=0.1", JSON),
        ("text/csv;q=zero, application/json;q=0.1", JSON),
    ],
)
def test_an_answer_has_the_form_that_is_liked_best(accept: str, name: str) -> None:
    assert accepted(accept, (JSON, CSV)) == name


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0", "image/*"])
def test_a_form_that_is_not_written_is_refused_with_those_that_are(accept: str) -> None:
    with pytest.raises(NotAcceptable, match=f"accept: expected {JSON}, got"):
        accepted(accept, (JSON,))
