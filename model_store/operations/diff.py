"""What differs between two versions: what they take and give, how large they are, what the gate found."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

from model_store.keys import GATE
from model_store.manifest import Manifest
from model_store.registry import Registry
from warmstart.errors import InvalidManifest
from warmstart.refs import ModelRef

Leaf: TypeAlias = str | int | float | bool | None


class Difference(NamedTuple):
    """One fact that differs; None where a version does not have it. `section`: signature, files, gate, ..."""

    section: str
    field: str
    before: Leaf
    after: Leaf


class VersionDiff(NamedTuple):
    """Two versions, and every fact in which they differ, by section."""

    before: ModelRef
    after: ModelRef
    differences: tuple[Difference, ...]


def diff(registry: Registry, before: ModelRef, after: ModelRef) -> VersionDiff:
    """Compare two versions, of one model or of two; aliases are resolved first.

    Raises: ModelNotFound, AliasNotFound, VersionNotFound, IntegrityError, StoreError.
    """
    first, second = registry.resolve(before), registry.resolve(after)
    facts = _facts(registry, first), _facts(registry, second)
    places = dict.fromkeys([*facts[0], *facts[1]])
    found = [
        Difference(section, field, facts[0].get((section, field)), facts[1].get((section, field)))
        for section, field in sorted(places, key=lambda place: _SECTIONS.index(place[0]))
    ]
    return VersionDiff(
        ModelRef.at(first.name, first.version),
        ModelRef.at(second.name, second.version),
        tuple(each for each in found if each.before != each.after),
    )


_NAMES = ("name", "output", "layout", "processor", "memory_mb")
_SECTIONS = ("signature", "labels", "size", "files", "run", "preprocessing", "provenance", "gate")


def _facts(registry: Registry, manifest: Manifest) -> dict[tuple[str, str], Leaf]:
    facts: dict[tuple[str, str], Leaf] = {}
    for role, specs in (("input", manifest.signature.inputs), ("output", manifest.signature.outputs)):
        for spec in specs:
            facts["signature", f"{role} {spec.name}"] = f"{spec.datatype} {list(spec.shape)}"
    if manifest.labels:
        facts["labels", "labels"] = ", ".join(map(str, manifest.labels))
    facts["size", "size_bytes"] = manifest.size_bytes
    for file in (*manifest.files, *(file for variant in manifest.variants for file in variant.files)):
        facts["files", f"{file.path} size_bytes"] = file.size_bytes
        facts["files", f"{file.path} sha256"] = file.sha256
    for run, name in [(manifest.run, ""), *((variant.run, f"{variant.processor} ") for variant in manifest.variants)]:
        facts |= {("run", f"{name}{option}"): value for option, value in run._asdict().items()}
    facts |= {("preprocessing", field): value for field, value in manifest.preprocessing.items()}
    facts |= {("provenance", field): value for field, value in manifest.provenance.items()}
    facts |= {("gate", field): value for field, value in _gate(registry.document(manifest, GATE), manifest)}
    return facts


def _gate(body: bytes | None, manifest: Manifest) -> Iterator[tuple[str, Leaf]]:
    """Walk the figures of the gate's steps that tell versions apart: neither how long a step took, nor single rows.

    Of layouts, those that are published; of the function's sizes, its own.
    """
    if body is None:
        return
    try:
        steps = json.loads(body)["steps"]
        seen: dict[str, int] = {}
        for step in steps:
            name = str(step["step"])
            seen[name] = seen.get(name, 0) + 1
            where = name if seen[name] == 1 else f"{name} {seen[name]}"
            yield f"{where}.status", str(step["status"])
            yield from _leaves(where, _of_its_size(step.get("figures", {})))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InvalidManifest(
            f"{manifest.name}:{manifest.version}: {GATE}: not a gate's report: {type(error).__name__} {error}"
        ) from error


_SINGLE = frozenset({"log10_difference", "worst"})
"""Figures of single values: bins and rows."""


def _of_its_size(figures: Any) -> Any:
    """Leave out what a forecast says of other sizes than the function's own."""
    match figures:
        case {"target": {"memory_mb": own}, "by_memory": list(rows)}:
            return {**figures, "by_memory": [row for row in rows if row["memory_mb"] == own]}
        case _:
            return figures


def _leaves(where: str, figure: Any) -> Iterator[tuple[str, Leaf]]:
    match figure:
        case {"kept": False}:
            return
        case Mapping():
            for name, value in figure.items():
                if name not in _SINGLE:
                    yield from _leaves(f"{where}.{name}", value)
        case list() if any(isinstance(item, list | dict) for item in figure):
            for number, item in enumerate(figure):
                yield from _leaves(f"{where}[{_name(item, number)}]", item)
        case list():
            yield where, ", ".join(map(str, figure))
        case _:
            yield where, figure


def _name(item: Any, number: int) -> str:
    """Call an element of a list by what the gate calls it: elements may come in another order."""
    if isinstance(item, Mapping):
        return str(next((item[field] for field in _NAMES if field in item), number))
    return str(number)
