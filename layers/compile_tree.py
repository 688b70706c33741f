"""Compile every source below a folder to bytecode that is never checked against its source.

Runs alone, in whatever CPython is to compile: this one, another on the path, or one compiled to WebAssembly.
So it imports the standard library only, and tells what it found as JSON.
"""

import ast
import json
import os
import py_compile
import sys
from collections.abc import Iterator
from pathlib import Path


def compile_tree(root: str, prefix: str) -> str:
    """Compile, and return {"imports": {path: [modules]}, "failed": {path: reason}} as JSON.

    `prefix` is the folder that tracebacks name: /opt/python. Modules are those whose absence would fail the import
    of the file: imported at its top level, not inside `try` and not for type checking.
    """
    imports: dict[str, list[str]] = {}
    failed: dict[str, str] = {}
    for path in _sources(root):
        relative = os.path.relpath(path, root).replace(os.sep, "/")
        try:
            py_compile.compile(
                path,
                dfile=prefix + "/" + relative,
                doraise=True,
                optimize=0,
                invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
            )
            imports[relative] = sorted(set(_imported(ast.parse(Path(path).read_bytes()).body, relative)))
        except (py_compile.PyCompileError, SyntaxError, ValueError) as error:
            failed[relative] = str(error)
    return json.dumps({"imports": imports, "failed": failed})


def _sources(root: str) -> Iterator[str]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(files):
            if name.endswith(".py"):
                yield f"{folder}/{name}"


def _imported(body: list[ast.stmt], relative: str) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, relative)
            yield base
            for alias in node.names:
                yield base + "." + alias.name
        elif isinstance(node, (ast.ClassDef, ast.With)):
            yield from _imported(node.body, relative)


def _absolute(node: ast.ImportFrom, relative: str) -> str:
    module = [node.module] if node.module else []
    if not node.level:
        return ".".join(module)
    package = relative.split("/")[:-1]
    package = package[: len(package) - node.level + 1]
    return ".".join(package + module)


if __name__ == "__main__":
    sys.stdout.write(compile_tree(sys.argv[1], sys.argv[2]))
