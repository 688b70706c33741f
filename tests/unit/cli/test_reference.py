"""docs/cli.md."""

from cli.main import VERBS
from cli.reference import PATH, render


def test_the_document_is_what_the_command_says() -> None:
    assert PATH.read_text(encoding="utf-8") == render(), "run: python -m cli.reference"


def test_the_document_has_every_verb() -> None:
    assert [line[3:] for line in render().splitlines() if line.startswith("## ")] == [
        *VERBS,
        "Exit codes",
        "Environment variables",
    ]
