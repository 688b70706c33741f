"""What must hold in every file of the repository."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

import handlers.control.problems
import handlers.inference.answers
from warmstart import errors
from warmstart.errors import WarmstartError

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGES: Final = ("warmstart", "model_store", "handlers", "layers", "infra", "local", "cli")
FOLDERS: Final = (*PACKAGES, ".ci", "benchmarks", "docs", "examples", "requirements", "tests")
TEXT: Final = frozenset(
    {"", ".cfg", ".css", ".csv", ".html", ".in", ".js", ".json", ".md", ".mjs", ".py", ".toml", ".txt", ".yaml", ".yml"}
)
NOT_OURS: Final = frozenset({"__pycache__", ".cache", "results"})

REGISTRIES: Final = re.compile(
    r"pypi\.org/simple|pythonhosted\.org|registry\.(npmjs|yarnpkg)|(?<!no-emit-)index-url|find-links|\"resolved\":"
)
"""A lock or a script that names a registry works with that one alone: which one to ask is the machine's to say."""
MACHINE: Final = re.compile(r"(?<![\w.$}/-])/(?:work|root|Users/\w+|home/(?!sbx_user)\w+)/")
"""Paths that exist on one machine. /home/sbx_user1051 is Lambda's own."""

READS_ENVIRONMENT: Final = frozenset(
    {
        "cli/main.py",
        "handlers/server/__main__.py",
        "infra/app.py",
        "local/process.py",
        "local/sam.py",
        "local/twin.py",
        "model_store/gate/trial.py",
    }
)
"""Entries, beside the functions' `lambda_handler.py`: they hand the environment on as a mapping.

Those of the twin start programs (node, cdk, sam) that want the environment of whoever started them; the CDK's app is
told the region by `cdk` in no other way. The server tells ONNX Runtime
and OpenBLAS what they read when they are loaded.
"""

SERVED_TO_NOBODY: Final = frozenset(
    {
        errors.WarmstartError,
        errors.InvalidKey,
        errors.InvalidSetting,
        errors.BuildError,
        errors.UnsupportedModel,
        errors.Untrusted,
        errors.InvalidSample,
        errors.Unreachable,
    }
)
"""Raised at init or on a user's machine: for a request they would be our mistake, and the root's row is right."""


def files() -> Iterator[Path]:
    """Walk the repository's own text files, relative to its root."""
    found = [path for path in ROOT.iterdir() if path.is_file()]
    found += [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file()]
    for path in sorted(found):
        relative = path.relative_to(ROOT)
        if path.suffix in TEXT and not NOT_OURS & set(relative.parts) and relative.name != Path(__file__).name:
            yield relative


def python_files() -> list[Path]:
    """List the Python files of the product's packages, relative to the root."""
    return [path for path in files() if path.suffix == ".py" and path.parts[0] in PACKAGES]


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    """List the lines in which a pattern is found, with their places."""
    return [
        f"{path}:{number}: {line.strip()[:120]}"
        for path in files()
        for number, line in enumerate((ROOT / path).read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_file_names_a_package_registry() -> None:
    assert lines_with(REGISTRIES) == []


def test_no_file_names_a_path_of_one_machine() -> None:
    assert lines_with(MACHINE) == []


def test_the_environment_is_read_at_the_entries_alone() -> None:
    readers = {path.as_posix() for path in python_files() if _reads_environment(_parsed(path))}

    assert {path for path in readers if Path(path).name != "lambda_handler.py"} == READS_ENVIRONMENT


def test_nothing_that_runs_in_lambda_can_load_a_pickle() -> None:
    forbidden = {"pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}
    found = [
        f"{path}: {name}"
        for path in python_files()
        if path.parts[0] in {"handlers", "warmstart"} or path.parent == Path("model_store")
        for name in _imported(_parsed(path))
        if name.partition(".")[0] in forbidden
    ]

    assert found == []


def test_numpy_is_never_told_to_load_a_pickle() -> None:
    assert lines_with(re.compile(r"allow_pickle\s*=\s*True")) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_says_what_it_is_for(package: str) -> None:
    silent = [path for path in python_files() if path.parts[0] == package and not ast.get_docstring(_parsed(path))]

    assert silent == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_folder_with_python_is_a_package(package: str) -> None:
    folders = {path.parent for path in python_files() if path.parts[0] == package}

    assert [folder for folder in folders if not (ROOT / folder / "__init__.py").is_file()] == []


def test_no_source_file_is_longer_than_400_lines() -> None:
    lengths = {path: len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in python_files()}

    assert [path.as_posix() for path, length in lengths.items() if length > 400] == []


def test_no_module_is_named_for_nothing() -> None:
    hollow = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers"}

    assert [path for path in python_files() if hollow & set(path.with_suffix("").parts)] == []


ERRORS: Final = tuple(cls for _, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, WarmstartError))


@pytest.mark.parametrize(
    "table",
    [handlers.inference.answers.STATUS, handlers.control.problems.STATUS],
    ids=["data plane", "control plane"],
)
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_every_error_has_a_row_that_was_meant_for_it(
    error: type[WarmstartError], table: Mapping[type[WarmstartError], int]
) -> None:
    nearest = next(cls for cls in error.__mro__ if cls in table)

    assert nearest is not WarmstartError or error in SERVED_TO_NOBODY


def test_the_tree_in_the_docstring_is_the_tree_in_the_code() -> None:
    drawn = re.findall(r"[├└]── (\w+)", errors.__doc__ or "")

    assert len(drawn) == len(set(drawn))
    assert {cls.__name__ for cls in ERRORS} - {*drawn, "WarmstartError", "TensorError"} == set()


def test_every_error_has_a_code_of_its_own() -> None:
    codes = [cls.code for cls in ERRORS]

    assert len(codes) == len(set(codes))


def _parsed(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names):
                yield from (name.name for name in names)
            case ast.ImportFrom(str(module), _):
                yield module


def _reads_environment(tree: ast.Module) -> bool:
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(ast.Name("os"), "environ" | "environb" | "getenv" | "putenv"):
                return True
            case ast.ImportFrom("os", names) if {"environ", "environb", "getenv"} & {name.name for name in names}:
                return True
    return False
