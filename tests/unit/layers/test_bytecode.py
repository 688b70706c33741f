"""Bytecode for a Python that this machine need not have."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from layers.bytecode import MAGIC, Compiler, compile_sources, find_compiler, find_node, magic_of
from layers.target import LAMBDA_PYTHONS, Target
from warmstart.errors import BuildError

ROOT = Path(__file__).parents[3]
SOURCE = """\
import math
from . import sibling

VALUES = frozenset({"a", "b", "c", "d", "e"})


def fail() -> None:
    raise ValueError("in fail")


ANSWER = "bytecode"
"""

IMPORT_IN_WASM = """
const { loadPyodide } = await import(`file://${process.argv[1]}/pyodide.mjs`);
const python = await loadPyodide({ indexURL: `${process.argv[1]}/` });
python.FS.mkdir("/opt");
python.FS.mount(python.FS.filesystems.NODEFS, { root: process.argv[2] }, "/opt");
console.log(python.runPython("import sys; sys.path.insert(0, '/opt'); import one; one.ANSWER"));
"""


def _tree(folder: Path) -> Path:
    for path, text in {"one/__init__.py": SOURCE, "one/sibling.py": "x = 1\n"}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def _bytecode(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.pyc")}


def _interpreters(minor: str) -> list[str]:
    """Return real interpreters of a minor version, where this machine has some."""
    found = [path for path in (Path.home() / ".pyenv/versions").glob(f"{minor}.*/bin/python{minor}") if path.is_file()]
    return [str(path) for path in found]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Compile the same two sources for a minor version, in WebAssembly, once."""
    done: dict[str, Path] = {}

    def compile_for(minor: str) -> Path:
        if minor not in done:
            done[minor] = _tree(tmp_path_factory.mktemp(f"python{minor}"))
            compiler = find_compiler(Target(python=minor), root=ROOT)
            assert compiler.identity.startswith("pyodide ")
            compile_sources(done[minor], "/opt/python", compiler)
        return done[minor]

    return compile_for


@pytest.mark.parametrize("minor", LAMBDA_PYTHONS)
def test_webassembly_writes_bytecode_of_the_targets_magic_number_that_is_never_checked(
    minor: str, compiled: Callable[[str], Path]
) -> None:
    found = _bytecode(compiled(minor))
    tag = minor.replace(".", "")
    assert sorted(found) == [
        f"one/__pycache__/__init__.cpython-{tag}.pyc",
        f"one/__pycache__/sibling.cpython-{tag}.pyc",
    ]
    assert {data[:4] for data in found.values()} == {MAGIC[minor]}
    assert {data[4:8] for data in found.values()} == {b"\x01\x00\x00\x00"}


@pytest.mark.parametrize("minor", LAMBDA_PYTHONS)
def test_an_interpreter_of_the_minor_version_runs_the_bytecode_and_not_the_source(
    minor: str, compiled: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = compiled(minor)
    (folder / "one/__init__.py").write_text(SOURCE.replace('"bytecode"', '"source"'))
    package = ROOT / "node_modules" / f"pyodide-{minor}"
    commands = [[str(find_node()), "--input-type=module", "-e", IMPORT_IN_WASM, str(package), str(folder)]]
    script = f"import sys; sys.path.insert(0, {str(folder)!r}); import one; print(one.ANSWER)"
    commands += [[python, "-I", "-S", "-B", "-c", script] for python in _interpreters(minor)]
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
        assert (done.stdout.strip(), done.stderr) == ("bytecode", "")


def test_two_compilations_give_the_same_bytes(compiled: Callable[[str], Path], tmp_path: Path) -> None:
    again = _tree(tmp_path / "elsewhere")
    compile_sources(again, "/opt/python", find_compiler(Target(python="3.13"), root=ROOT))
    assert _bytecode(again) == _bytecode(compiled("3.13"))


def test_the_host_compiles_for_itself_with_tracebacks_that_name_where_it_will_lie(tmp_path: Path) -> None:
    compiler = find_compiler(Target.host(), root=tmp_path)
    compile_sources(_tree(tmp_path), "/opt/python", compiler)
    path = importlib.util.cache_from_source(str(tmp_path / "one/__init__.py"))
    assert compiler.identity == f"cpython {sys.version.split()[0]}"
    assert Path(path).read_bytes()[:4] == magic_of(Target.host())
    assert b"/opt/python/one/__init__.py" in Path(path).read_bytes()


def test_the_imports_that_a_source_cannot_do_without_are_told(tmp_path: Path) -> None:
    source = """\
import a.b
from . import c
from .d import e
try:
    import optional
except ImportError:
    optional = None
if __name__ == "x":
    import sometimes
def later():
    import lazy
"""
    (tmp_path / "one").mkdir()
    (tmp_path / "one/__init__.py").write_text(source)
    found = compile_sources(tmp_path, "/opt/python", find_compiler(Target.host(), root=tmp_path))
    assert found.imports == {"one/__init__.py": ("a.b", "one", "one.c", "one.d", "one.d.e")}


def test_a_source_that_does_not_compile_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("x = 1\ndef f(:\n")
    with pytest.raises(BuildError, match=r"broken\.py:.*line 2"):
        compile_sources(tmp_path, "/opt/python", find_compiler(Target.host(), root=tmp_path))


def test_a_compiler_that_fails_is_named_with_what_it_said(tmp_path: Path) -> None:
    compiler = Compiler("cpython 0.0", (sys.executable, "-c", "raise SystemExit('no memory')"))
    with pytest.raises(BuildError, match=r"(?s)cpython 0\.0 failed to compile.*no memory"):
        compile_sources(tmp_path, "/opt/python", compiler)


def test_without_any_compiler_the_remedies_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    minor = next(minor for minor in LAMBDA_PYTHONS if minor != Target.host().python)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BuildError, match=rf"npm ci.*python{minor}"):
        find_compiler(Target(python=minor), root=tmp_path)


def test_the_pinned_compilers_are_locked_without_addresses() -> None:
    lock = (ROOT / "package-lock.json").read_text()
    packages = json.loads(lock)["packages"]
    assert {packages[f"node_modules/pyodide-{minor}"]["name"] for minor in LAMBDA_PYTHONS} == {"pyodide"}
    assert "resolved" not in lock
    assert "://" not in lock
