"""The checks that a layer has to pass."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from layers.bytecode import compile_sources, find_compiler
from layers.target import Target
from layers.verify import check, module_of, probe
from warmstart.errors import BuildError

HOST = Target.host()


def _compiled(folder: Path, **sources: str) -> Path:
    for name, text in sources.items():
        (folder / f"{name}.py").write_text(text)
    compile_sources(folder, "/opt/python", find_compiler(HOST, root=folder))
    return folder


def _pyc(folder: Path, name: str) -> Path:
    return Path(importlib.util.cache_from_source(str(folder / f"{name}.py")))


def test_a_compiled_folder_passes(tmp_path: Path) -> None:
    check(_compiled(tmp_path, one="x = 1"), HOST, imports={}, cut=())


def test_a_source_without_bytecode_is_told(tmp_path: Path) -> None:
    _pyc(_compiled(tmp_path, one="x = 1"), "one").unlink()
    with pytest.raises(BuildError, match=r"one\.py: has no bytecode"):
        check(tmp_path, HOST, imports={}, cut=())


def test_bytecode_of_another_python_is_told(tmp_path: Path) -> None:
    path = _pyc(_compiled(tmp_path, one="x = 1"), "one")
    path.write_bytes(b"\x00\x00\r\n" + path.read_bytes()[4:])
    with pytest.raises(BuildError, match=r"one\.py: has no bytecode"):
        check(tmp_path, HOST, imports={}, cut=())


def test_bytecode_that_would_be_checked_against_its_source_is_told(tmp_path: Path) -> None:
    path = _pyc(_compiled(tmp_path, one="x = 1"), "one")
    path.write_bytes(path.read_bytes()[:4] + b"\x03\x00\x00\x00" + path.read_bytes()[8:])
    with pytest.raises(BuildError, match=r"one\.py: its bytecode would be checked"):
        check(tmp_path, HOST, imports={}, cut=())


def test_an_import_of_what_was_cut_is_told_with_both_files(tmp_path: Path) -> None:
    with pytest.raises(
        BuildError, match=r"one/__init__\.py: imports one\.tests\.data, which was cut \(one/tests/data\.py\)"
    ):
        check(tmp_path, HOST, imports={"one/__init__.py": ("one", "one.tests.data")}, cut=["one/tests/data.py"])


def test_a_cut_that_nothing_imports_passes(tmp_path: Path) -> None:
    check(tmp_path, HOST, imports={"one/__init__.py": ("json", "one")}, cut=["one/tests/data.py", "one/stubs.pyi"])


@pytest.mark.parametrize(
    ("path", "module"),
    [
        ("one.py", "one"),
        ("one/__init__.py", "one"),
        ("one/two.py", "one.two"),
        ("one/_c.cpython-313-aarch64-linux-gnu.so", "one._c"),
        ("one/_c.abi3.so", "one._c"),
    ],
)
def test_a_file_names_its_module(path: str, module: str) -> None:
    assert module_of(path) == module


def test_a_layer_is_imported_with_nothing_but_itself(tmp_path: Path) -> None:
    versions = probe("imports", (_compiled(tmp_path, one="import json"),), HOST)
    assert versions is not None
    assert list(versions) == ["python"]


def test_a_layer_that_needs_what_it_does_not_have_is_told(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="No module named 'orjson'"):
        probe("imports", (_compiled(tmp_path, one="import orjson"),), HOST)


def test_a_layer_that_takes_a_module_from_elsewhere_is_told(tmp_path: Path) -> None:
    elsewhere, layer = tmp_path / "elsewhere", tmp_path / "layer"
    for folder in (elsewhere, layer):
        folder.mkdir()
    (elsewhere / "stray.py").write_text("")
    _compiled(layer, one=f"import sys; sys.path.append({str(elsewhere)!r}); import stray")
    with pytest.raises(BuildError, match="modules that are not in the layer: stray from"):
        probe("imports", (layer,), HOST)


def test_a_layer_that_writes_a_warning_when_it_is_imported_is_told(tmp_path: Path) -> None:
    layer = _compiled(tmp_path, one="import sys; print('half of me is missing', file=sys.stderr)")
    with pytest.raises(BuildError, match=r"(?s)each cold start would log:\nhalf of me is missing"):
        probe("imports", (layer,), HOST)


def test_a_layer_for_another_processor_is_not_run(tmp_path: Path) -> None:
    other = Target(architecture="x86_64" if HOST.architecture == "arm64" else "arm64")
    assert probe("imports", (tmp_path,), other) is None
