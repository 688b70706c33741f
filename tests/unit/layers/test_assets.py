"""The code that a function is deployed with."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from layers.assets import OURS, build_function, modules_of
from layers.target import Target
from warmstart.errors import BuildError

HOST = Target.host()
SOURCES = {
    "handlers/__init__.py": "",
    "handlers/inference/__init__.py": "",
    "handlers/inference/py.typed": "",
    "handlers/inference/lambda_handler.py": "from handlers.inference import service\nimport model_store.reading\n",
    "handlers/inference/service.py": (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from model_store.writing import Writer\n"
        "def load() -> None:\n    from warmstart import refs\n"
    ),
    "handlers/inference/page.html": "<p>",
    "handlers/inference/tests/test_service.py": "",
    "handlers/control/__init__.py": "",
    "handlers/control/lambda_handler.py": "from model_store import writing\n",
    "model_store/__init__.py": "",
    "model_store/py.typed": "",
    "model_store/reading.py": "from . import keys\nimport json\n",
    "model_store/keys.py": "",
    "model_store/writing.py": "from .keys import *\n",
    "warmstart/__init__.py": "",
    "warmstart/refs.py": "from warmstart.errors import X\n",
    "warmstart/errors.py": "X = 1\n",
    "warmstart/client.py": "",
}


def _write(folder: Path, sources: Mapping[str, str] = SOURCES) -> Path:
    for path, text in sources.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def _names(built_zip: Path) -> list[str]:
    return [name for name in zipfile.ZipFile(built_zip).namelist() if not name.endswith(".pyc")]


def test_an_asset_holds_its_function_and_what_that_imports_at_run_time(tmp_path: Path) -> None:
    built = build_function("inference", HOST, root=tmp_path, sources=_write(tmp_path / "src"))
    assert _names(built.zip_path) == [
        "handlers/__init__.py",
        "handlers/inference/__init__.py",
        "handlers/inference/lambda_handler.py",
        "handlers/inference/page.html",
        "handlers/inference/service.py",
        "model_store/__init__.py",
        "model_store/keys.py",
        "model_store/reading.py",
        "warmstart/__init__.py",
        "warmstart/errors.py",
        "warmstart/refs.py",
    ]


def test_every_source_has_bytecode_and_is_counted(tmp_path: Path) -> None:
    built = build_function("control", HOST, root=tmp_path, sources=_write(tmp_path / "src"))
    names = zipfile.ZipFile(built.zip_path).namelist()
    assert sum(name.endswith(".py") for name in names) == sum(name.endswith(".pyc") for name in names) == 6
    assert set(built.sizes) == {"handlers", "model_store"}
    assert built.size_bytes == sum(path.stat().st_size for path in built.path.rglob("*") if path.is_file())


def test_two_stagings_in_different_places_at_different_times_give_the_same_bytes(tmp_path: Path) -> None:
    first = build_function("inference", HOST, root=tmp_path / "one", sources=_write(tmp_path / "src"))
    again = _write(tmp_path / "elsewhere/src")
    for path in again.rglob("*.py"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    second = build_function("inference", HOST, root=tmp_path / "two", sources=again)
    assert first.digest == second.digest


def test_the_same_sources_again_touch_nothing(tmp_path: Path) -> None:
    first = build_function("inference", HOST, root=tmp_path, sources=_write(tmp_path / "src"))
    written = first.zip_path.stat().st_mtime_ns
    assert build_function("inference", HOST, root=tmp_path, sources=tmp_path / "src") == first
    assert first.zip_path.stat().st_mtime_ns == written


def test_a_changed_source_is_another_digest(tmp_path: Path) -> None:
    first = build_function("inference", HOST, root=tmp_path, sources=_write(tmp_path / "src"))
    (tmp_path / "src/warmstart/errors.py").write_text("X = 2\n")
    assert build_function("inference", HOST, root=tmp_path, sources=tmp_path / "src").digest != first.digest


def test_an_import_by_a_computed_name_is_refused_with_its_line(tmp_path: Path) -> None:
    source = "import importlib\nname = 'x'\nimportlib.import_module(name)\n"
    _write(tmp_path, {**SOURCES, "handlers/inference/service.py": source})
    with pytest.raises(BuildError, match=r"service\.py, line 3: an import by a computed name"):
        modules_of("handlers.inference", tmp_path)


def test_a_source_that_is_not_python_is_refused_with_its_line(tmp_path: Path) -> None:
    _write(tmp_path, {**SOURCES, "model_store/keys.py": "x = 1\ndef f(:\n"})
    with pytest.raises(BuildError, match=r"keys\.py, line 2: "):
        modules_of("handlers.inference", tmp_path)


def test_an_unknown_function_is_refused_with_those_that_exist(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="expected one of inference, control; got 'batch'"):
        build_function("batch", HOST, root=tmp_path)


def test_a_missing_package_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"handlers\.inference: there is no such package"):
        build_function("inference", HOST, root=tmp_path, sources=tmp_path)


def test_the_data_planes_code_carries_neither_the_writing_half_nor_the_tools() -> None:
    sources = Path(__file__).parents[3]
    modules = {path.as_posix() for path in modules_of("handlers.inference", sources)}
    assert "handlers/inference/lambda_handler.py" in modules
    forbidden = (
        "model_store/convert",
        "model_store/gate",
        "model_store/registry.py",
        "handlers/control",
        "warmstart/client",
    )
    assert [path for path in modules if path.startswith(forbidden)] == []
    assert {path.partition("/")[0] for path in modules} <= set(OURS)


def test_what_a_package_imports_when_it_is_asked_for_a_name_is_not_carried(tmp_path: Path) -> None:
    (tmp_path / "handlers" / "inference").mkdir(parents=True)
    for name in ("handlers/__init__.py", "handlers/inference/__init__.py", "handlers/tool.py"):
        (tmp_path / name).write_text("")
    (tmp_path / "handlers/__init__.py").write_text("def __getattr__(name):\n    from handlers import tool\n")

    assert Path("handlers/tool.py") not in modules_of("handlers.inference", tmp_path)
