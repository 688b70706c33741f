"""References to models."""

from __future__ import annotations

import pytest

from warmstart.errors import InvalidReference
from warmstart.refs import ModelRef, check_alias, parse_version


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("iris", ModelRef("iris", None, "live")),
        ("iris:3", ModelRef("iris", 3, None)),
        ("iris@canary", ModelRef("iris", None, "canary")),
        ("0-a", ModelRef("0-a", None, "live")),
        ("a" * 63, ModelRef("a" * 63, None, "live")),
        ("iris:999999999", ModelRef("iris", 999999999, None)),
    ],
)
def test_a_reference_is_read(text: str, ref: ModelRef) -> None:
    assert ModelRef.parse(text) == ref


@pytest.mark.parametrize(
    "text",
    ["", "Iris", "-iris", "a" * 64, "iris:", "iris:0", "iris:03", "iris:1.0", "iris:9999999999", "iris@", "iris@1st",
     "iris:3@canary", "iris@canary:3", "iris\n", "iris:3\n", "iris@live\n", "i/ris", "../iris", "iris:٣", "írís"],
)  # fmt: skip
def test_a_malformed_reference_is_refused(text: str) -> None:
    with pytest.raises(InvalidReference):
        ModelRef.parse(text)


@pytest.mark.parametrize("text", ["iris", "iris:3", "iris@canary"])
def test_a_reference_is_written_as_it_was_read(text: str) -> None:
    assert str(ModelRef.parse(text)) == text


def test_the_alias_live_is_what_a_bare_name_means() -> None:
    assert ModelRef.parse("iris@live") == ModelRef.parse("iris") == ModelRef.aliased("iris")
    assert str(ModelRef.aliased("iris", "live")) == "iris"


def test_a_version_is_named() -> None:
    assert ModelRef.at("iris", 3) == ModelRef("iris", 3, None)
    with pytest.raises(InvalidReference, match="expected a whole number from 1 to 999999999; got '0'"):
        ModelRef.at("iris", 0)
    assert parse_version("12") == 12


def test_the_message_quotes_what_came_and_no_more_than_80_characters_of_it() -> None:
    with pytest.raises(InvalidReference) as caught:
        check_alias("A" * 1000)
    assert len(caught.value.message) < 200
