"""Check a layer: by using it where its Python and processor are at hand, and by reading it everywhere."""

from __future__ import annotations

import json
import platform
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from layers import elf
from layers.bytecode import magic_of
from layers.interpreters import find_interpreter
from layers.target import Target, host_architecture
from warmstart.errors import BuildError

_PROBE: Final = Path(__file__).parent / "probe.py"


def check(folder: Path, target: Target, *, imports: Mapping[str, Iterable[str]], cut: Iterable[str]) -> None:
    """Read every file below a folder. `imports` are the modules that sources need, `cut` the paths left out.

    Raises: BuildError with everything that is wrong.
    """
    found = [*_bytecode(folder, target), *_missing_imports(imports, frozenset(cut))]
    if target.platform == "lambda":
        found += elf.complaints(filter(elf.is_elf, _files(folder)), target)
    if found:
        raise BuildError("this would not run on " + str(target) + ":\n" + "\n".join(f"  {line}" for line in found))


def probe(kind: str, folders: Iterable[Path], target: Target) -> Mapping[str, str] | None:
    """Use a layer in a fresh process that has nothing else, and return the versions it met.

    Returns None if this machine has no such interpreter, or it is of another processor.
    Raises: BuildError if what should work does not, a module came from elsewhere, or something went to stderr.
    """
    if (python := interpreter(target)) is None:
        return None
    command = [python, "-I", "-S", "-B", str(_PROBE), kind, *(str(folder.absolute()) for folder in folders)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"the layer does not work under {python}:\n{done.stderr.strip()[-2000:]}")
    if done.stderr:
        raise BuildError(
            f"the layer complains under {python}; each cold start would log:\n{done.stderr.strip()[-2000:]}"
        )
    versions: Mapping[str, str] = json.loads(done.stdout.splitlines()[-1])
    return versions


def interpreter(target: Target) -> str | None:
    """Return an interpreter that can run what is built for a target, None if there is none."""
    if target.platform == "lambda" and (
        target.architecture != host_architecture() or platform.libc_ver()[0] != "glibc"
    ):
        return None
    return found.path if (found := find_interpreter(target.python)) else None


def _bytecode(folder: Path, target: Target) -> Iterator[str]:
    magic, tag = magic_of(target), target.python.replace(".", "")
    for source in _files(folder):
        if source.suffix != ".py":
            continue
        path = source.parent / "__pycache__" / f"{source.stem}.cpython-{tag}.pyc"
        head = path.read_bytes()[:8] if path.is_file() else b""
        if head[:4] != magic:
            yield f"{source.relative_to(folder)}: has no bytecode for Python {target.python}"
        elif head[4:] != b"\x01\x00\x00\x00":  # PEP 552: bit 0 a hash, bit 1 unset: not checked against the source
            yield f"{source.relative_to(folder)}: its bytecode would be checked against the source"


def _missing_imports(imports: Mapping[str, Iterable[str]], cut: frozenset[str]) -> Iterator[str]:
    gone = {module_of(path): path for path in cut if path.endswith((".py", ".so"))}
    present = {module_of(path) for path in imports}
    for path, modules in imports.items():
        for module in modules:
            if module in gone and module not in present:
                yield f"{path}: imports {module}, which was cut ({gone[module]})"


def module_of(path: str) -> str:
    """Name the module that a source or an extension module is."""
    *folders, name = path.split("/")
    stem = name.partition(".")[0]
    return ".".join(folders if stem == "__init__" else [*folders, stem])


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())
