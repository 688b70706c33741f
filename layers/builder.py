"""Build a layer from its recipe: resolve, unpack without what is cut, compile, check, zip. No Docker."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from layers import verify
from layers.bytecode import Compiler, compile_sources, find_compiler
from layers.lock import lock_file, pins
from layers.output import DIRECT_LIMIT_BYTES, Sizes, builder_key, built_once, key_of
from layers.recipes import Recipe, recipe_named
from layers.report import table
from layers.target import Built, Target
from layers.unpack import Unpacked, unpack
from layers.wheels import fetch_wheels
from warmstart.errors import BuildError

_OPT: Final = "/opt/python"
"""Where Lambda puts a layer's `python/` (Lambda developer guide, "Packaging layers")."""
_FIRST_ON_ARM64: Final = (1, 26)


def build_layer(recipe: str, target: Target, *, root: Path) -> Built:
    """Build the layer `inference` or `control` below `root`/build; the same inputs again are a cache hit.

    `root` also holds `node_modules`. Raises: BuildError.
    """
    found = recipe_named(recipe)
    return build_recipe(found, lock_file(found, target.python), target, root=root)


def build_recipe(recipe: Recipe, lock: Path, target: Target, *, root: Path) -> Built:
    """Build a layer from a recipe and its locked requirements. Raises: BuildError."""
    refuse_unrunnable(pins(lock.read_text()), target)
    compiler = find_compiler(target, root=root)
    key = key_of(builder_key(), repr(recipe), lock.read_bytes(), str(target), compiler.identity)
    folder = root / "build" / "layers" / f"{recipe.name}-{target}-{key}"
    built = built_once(folder, lambda tree: _fill(tree, recipe, lock, target, compiler, root))
    check_budget(built, recipe)
    return built


def refuse_unrunnable(versions: Mapping[str, str], target: Target) -> None:
    """Refuse versions that are known to fail on Lambda. Raises: BuildError."""
    version = versions.get("onnxruntime")
    if version is None or target.platform != "lambda" or target.architecture != "arm64":
        return
    if tuple(int(part) for part in version.split(".")[:2]) < _FIRST_ON_ARM64:
        raise BuildError(
            f"onnxruntime {version} aborts at import on Lambda's arm64, which has no /sys/devices/system/cpu: "
            "1.26 is the first that does not; lock a newer one or choose x86_64"
        )


def check_budget(built: Built, recipe: Recipe) -> None:
    """Check a layer against its recipe's budget and Lambda's limit. Raises: BuildError with the table."""
    zipped = built.zip_path.stat().st_size
    if built.size_bytes > recipe.budget_bytes:
        raise BuildError(f"{recipe.name} layer: over its budget of {recipe.budget_bytes:,} bytes\n{table(built)}")
    if zipped > DIRECT_LIMIT_BYTES:
        raise BuildError(f"{recipe.name} layer: {zipped:,} bytes zipped, above {DIRECT_LIMIT_BYTES:,}\n{table(built)}")


def _fill(tree: Path, recipe: Recipe, lock: Path, target: Target, compiler: Compiler, root: Path) -> Sizes:
    packages = tree / "python"
    unpacked = unpack(fetch_wheels(lock, target, root=root), recipe, packages)
    compiled = compile_sources(packages, _OPT, compiler)
    verify.check(packages, target, imports=compiled.imports, cut=unpacked.cut)
    verify.probe(recipe.probe, (packages,), target)
    return _sizes(packages, unpacked)


def _sizes(packages: Path, unpacked: Unpacked) -> Sizes:
    total: dict[str, int] = {}
    bytecode: dict[str, int] = {}
    cut: dict[str, int] = {}
    for path, size in unpacked.kept.items():
        package = unpacked.package_of[path]
        total[package] = total.get(package, 0) + size
        if path.endswith(".py"):
            source = packages / path
            compiled = sum(pyc.stat().st_size for pyc in source.parent.glob(f"__pycache__/{source.stem}.cpython-*.pyc"))
            bytecode[package] = bytecode.get(package, 0) + compiled
            total[package] += compiled
    for package, size in unpacked.cut.values():
        cut[package] = cut.get(package, 0) + size
    return Sizes(total, bytecode, cut, {found.pattern: size for found, size in unpacked.cut_by.items()})
