"""Build what a function's code asset holds: its own folder, and of the rest of ours what that imports."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from layers import verify
from layers.bytecode import Compiler, compile_sources, find_compiler
from layers.output import Sizes, builder_key, built_once, key_of, source_key
from layers.recipes import MIB
from layers.target import Built, Target
from warmstart.errors import BuildError

FUNCTIONS: Final[Mapping[str, str]] = {"inference": "handlers.inference", "control": "handlers.control"}
"""The package of each function: all of it goes into the asset, and is where the search for imports starts."""
OURS: Final = ("handlers", "model_store", "warmstart")
"""Packages that an asset may hold modules of."""
BUDGET_BYTES: Final = 5 * MIB

_LEFT_OUT: Final = frozenset({"py.typed", "tests", "__pycache__"})
_TASK_ROOT: Final = "/var/task"


def build_function(function: str, target: Target, *, root: Path, sources: Path | None = None) -> Built:
    """Stage the code of the function `inference` or `control` below `root`/build; the same again is a cache hit.

    `root` also holds `node_modules`; `sources` holds our packages, and is where this one lies unless said otherwise.
    Raises: BuildError.
    """
    if (package := FUNCTIONS.get(function)) is None:
        raise BuildError(f"function: expected one of {', '.join(FUNCTIONS)}; got {function!r}")
    sources = sources or Path(__file__).parents[1]
    compiler = find_compiler(target, root=root)
    candidates = source_key(sources, (path for name in OURS for path in _files(sources / name)))
    key = key_of(builder_key(), candidates, str(target), compiler.identity)
    folder = root / "build" / "functions" / f"{function}-{target}-{key}"
    return built_once(folder, lambda tree: _fill(tree, package, sources, target, compiler))


def modules_of(package: str, sources: Path) -> tuple[Path, ...]:
    """Return all files of a package, and all our modules that they import, wherever in a file the import stands.

    Paths are relative to `sources`, in order. Raises: BuildError if the package does not exist.
    """
    folder = sources.joinpath(*package.split("."))
    if not (folder / "__init__.py").is_file():
        raise BuildError(f"{package}: there is no such package below {sources}")
    found: set[Path] = set()
    waiting = [*_files(folder), *_files_of(package, sources)]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        if path.suffix == ".py":
            waiting += _imported(path, sources)
    return tuple(sorted(path.relative_to(sources) for path in found))


def _fill(tree: Path, package: str, sources: Path, target: Target, compiler: Compiler) -> Sizes:
    for path in modules_of(package, sources):
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(sources / path, tree / path)
    compile_sources(tree, _TASK_ROOT, compiler)
    verify.check(tree, target, imports={}, cut=())
    files = {path.relative_to(tree): path.stat().st_size for path in tree.rglob("*") if path.is_file()}
    names = sorted({path.parts[0] for path in files})
    total = {name: sum(size for path, size in files.items() if path.parts[0] == name) for name in names}
    compiled = {path: size for path, size in files.items() if path.suffix == ".pyc"}
    bytecode = {name: sum(size for path, size in compiled.items() if path.parts[0] == name) for name in names}
    if sum(total.values()) > BUDGET_BYTES:
        raise BuildError(f"{package}: {sum(total.values()):,} bytes, over its budget of {BUDGET_BYTES:,}: {total}")
    return Sizes(total, bytecode)


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and _LEFT_OUT.isdisjoint(path.relative_to(folder).parts) and path.suffix != ".pyc":
            yield path


def _imported(path: Path, sources: Path) -> Iterator[Path]:
    for module in _module_names(path, sources):
        if module.partition(".")[0] in OURS:
            yield from _files_of(module, sources)


def _files_of(module: str, sources: Path) -> Iterator[Path]:
    parts = module.split(".")
    for depth in range(1, len(parts) + 1):
        base = sources.joinpath(*parts[:depth])
        yield from filter(Path.is_file, (base / "__init__.py", base.with_suffix(".py")))


def _module_names(path: Path, sources: Path) -> Iterator[str]:
    package = path.relative_to(sources).parent.parts
    try:
        tree = ast.parse(path.read_bytes(), str(path))
    except SyntaxError as error:
        raise BuildError(f"{path}, line {error.lineno}: {error.msg}") from error
    for node in _runtime_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            raise BuildError(f"{path}, line {node.lineno}: an import by a computed name cannot be followed; name it")


def _runtime_nodes(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}:
            for otherwise in child.orelse:
                yield from _runtime_nodes(otherwise)
        elif isinstance(child, ast.FunctionDef) and child.name == "__getattr__" and isinstance(node, ast.Module):
            continue  # PEP 562: imported when somebody asks for the name; nobody on a function's way does
        else:
            yield from _runtime_nodes(child)
