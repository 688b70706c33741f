"""Print what was built: bytes per package as a table."""

from __future__ import annotations

from typing import Final

from layers.recipes import Recipe
from layers.target import Built

_MIB: Final = 1024 * 1024


def table(*outputs: Built) -> str:
    """Render bytes per package in MiB, largest first, and the sum; several outputs are one function's."""
    sizes = {name: size for built in outputs for name, size in built.sizes.items()}
    bytecode = {name: size for built in outputs for name, size in built.bytecode.items()}
    cut = {name: size for built in outputs for name, size in built.cut.items()}
    names = sorted(sizes, key=lambda name: (-sizes[name], name))
    width = max(map(len, [*names, "package"]))
    lines = [f"{'package':{width}}  {'MiB':>8}  {'bytecode':>8}  {'left out':>8}"]
    rows = [(name, sizes[name], bytecode.get(name, 0), cut.get(name, 0)) for name in names]
    rows.append(("sum", sum(sizes.values()), sum(bytecode.values()), sum(cut.values())))
    lines += [f"{name:{width}}  {_mib(size)}  {_mib(code)}  {_mib(gone)}" for name, size, code, gone in rows]
    return "\n".join(lines)


def cuts(built: Built, recipe: Recipe) -> str:
    """Render what a layer leaves out and why, largest first, then the distributions that are not even downloaded."""
    reasons = {cut.pattern: cut.why for cut in recipe.cuts}
    found = sorted(built.cut_by.items(), key=lambda item: (-item[1], item[0]))
    width = max(map(len, [*built.cut_by, *recipe.without, "left out"]))
    lines = [f"{'left out':{width}}  {'MiB':>8}  why"]
    lines += [f"{pattern:{width}}  {_mib(size)}  {reasons[pattern]}" for pattern, size in found]
    lines += [f"{name:{width}}  {'whole':>8}  {why}" for name, why in recipe.without.items()]
    return "\n".join(lines)


def _mib(size_bytes: int) -> str:
    return f"{size_bytes / _MIB:8.2f}"
