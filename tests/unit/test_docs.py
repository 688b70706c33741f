"""README.md and docs/: links resolve, named tests exist, commands parse."""

from __future__ import annotations

import ast
import importlib.util
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import unquote

import pytest
import typer

from cli.main import app

ROOT: Final = Path(__file__).resolve().parents[2]
DOCUMENTS: Final = tuple(
    sorted(path.relative_to(ROOT) for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
)

LINK: Final = re.compile(r"\[[^\]\[]*(?:\[[^\]]*\][^\]\[]*)*\]\(([^()\s]+)\)")
"""A link or a picture; its text may hold brackets."""
TEST_NAME: Final = re.compile(r"`(test_\w+)`")
VERB: Final = re.compile(r"`warmstart ([a-z]+)")
TARGET: Final = re.compile(r"\bmake ([a-z]+(?:-[a-z]+)*)\b")
SOURCE: Final = re.compile(r"`((?:\w+/)+\w+\.py)`")
MODULE: Final = re.compile(r"\bpython -m ([a-z_]+(?:\.[a-z_]+)*)")
OURS: Final = frozenset({"benchmarks", "cli", "examples", "infra", "layers", "local", "model_store", "tests"})


class Line(NamedTuple):
    """A line of a code block."""

    number: int
    text: str


@cache
def text_of(document: Path) -> str:
    """Return a document's text."""
    return (ROOT / document).read_text(encoding="utf-8")


def code_lines(document: Path) -> Iterator[Line]:
    """Walk the lines of the fenced and the indented code blocks; lines that end in a backslash are joined."""
    fenced, joined = False, ""
    for number, line in enumerate(text_of(document).splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif fenced or line.startswith("    "):
            joined += line.strip()
            if joined.endswith("\\"):
                joined = joined[:-1]
                continue
            yield Line(number, joined.removeprefix("$ "))
            joined = ""


def prose(document: Path) -> str:
    """Return a document without its fenced blocks and its inline code: what is left may hold links."""
    without_blocks = re.sub(r"^```.*?^```", "", text_of(document), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", "code", without_blocks)


@cache
def anchors(document: Path) -> frozenset[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    lines = re.sub(r"^```.*?^```", "", text_of(document), flags=re.MULTILINE | re.DOTALL).splitlines()
    headings = [line.lstrip("#").strip().lower() for line in lines if re.match(r"#{1,6} ", line)]
    return frozenset(re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in headings)


@cache
def names_of_tests() -> frozenset[str]:
    """Return the names of all test functions below tests/."""
    return frozenset(
        node.name
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    )


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_link_resolves(document: Path) -> None:
    broken = [link for link in LINK.findall(prose(document)) if not _resolves(document, link)]

    assert broken == []


def _resolves(document: Path, link: str) -> bool:
    if re.match(r"[a-z]+:", link):
        return True  # another host: no test of ours needs the network
    place, _, anchor = unquote(link).partition("#")
    target = (ROOT / document).parent / place if place else ROOT / document
    if not target.exists() or not target.resolve().is_relative_to(ROOT):
        return False
    return not anchor or target.suffix != ".md" or anchor in anchors(target.resolve().relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_test_that_a_document_names_exists(document: Path) -> None:
    modules = {path.stem for path in (ROOT / "tests").rglob("test_*.py")}

    assert set(TEST_NAME.findall(text_of(document))) - names_of_tests() - modules == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_command_of_ours_parses(document: Path) -> None:
    root = typer.main.get_command(app())
    assert isinstance(root, typer.core.TyperGroup)
    refused = []
    for number, line in code_lines(document):
        if not re.match(r"(\.venv/bin/)?warmstart [a-z]", line) or "[OPTIONS]" in line:  # a synopsis is no command
            continue
        try:
            _, verb, *arguments = shlex.split(line, comments=True)
            root.commands[verb].make_context(verb, arguments)
        except (KeyError, ValueError, typer.TyperException) as error:
            refused.append(f"{document}:{number}: {line}: {error}")

    assert refused == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_verb_target_and_module_that_a_document_names_exists(document: Path) -> None:
    root = typer.main.get_command(app())
    assert isinstance(root, typer.core.TyperGroup)
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    code = "\n".join([*(line.text for line in code_lines(document)), *re.findall(r"`[^`\n]+`", text_of(document))])
    modules = {module for module in MODULE.findall(code) if module.partition(".")[0] in OURS}

    assert set(VERB.findall(text_of(document))) - set(root.commands) == set()
    assert set(TARGET.findall(code)) - targets == set()
    assert {module for module in modules if importlib.util.find_spec(module) is None} == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_source_file_that_a_document_names_exists(document: Path) -> None:
    assert [path for path in SOURCE.findall(text_of(document)) if not (ROOT / path).is_file()] == []


def test_the_checks_see_what_they_look_for() -> None:
    readme = Path("README.md")

    assert not _resolves(readme, "docs/none.md")
    assert not _resolves(readme, "docs/cli.md#no-such-heading")
    assert not _resolves(readme, "../outside.md")
    assert _resolves(readme, "docs/cli.md#exit-codes")
    assert any(line.text.startswith("warmstart publish") for line in code_lines(readme))
    assert "test_every_link_resolves" in names_of_tests()
