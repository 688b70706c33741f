"""What a template's resources need of each other: the order to make them in. Values in, values out; no moto."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

Resources = Mapping[str, Mapping[str, Any]]
"""A template's `Resources`."""

_SUBSTITUTION = re.compile(r"\$\{([^!}][^}]*)\}")


def references(value: Any) -> Iterator[str]:
    """Yield the logical ids (and parameters) that a piece of a template refers to."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _of_entry(key, item)


def _of_entry(key: str, item: Any) -> Iterator[str]:
    if key == "Ref" and isinstance(item, str):
        yield item
    elif key == "Fn::GetAtt":
        yield item.partition(".")[0] if isinstance(item, str) else item[0]
    elif key == "Fn::Sub":
        text, values = (item, {}) if isinstance(item, str) else item
        names = (name.partition(".")[0].strip() for name in _SUBSTITUTION.findall(text))
        yield from (name for name in names if name not in values)
        yield from references(values)
    else:
        yield from references(item)


def needs(resource: Mapping[str, Any]) -> Iterator[str]:
    """Yield what must be there before this resource: what it depends on, then what it refers to."""
    depends = resource.get("DependsOn", [])
    yield from [depends] if isinstance(depends, str) else depends
    yield from references(resource.get("Properties", {}))


def in_order(resources: Resources) -> list[str]:
    """Return the logical ids so that each comes after all that it needs. Raises: ValueError on a circle."""
    done: dict[str, None] = {}
    open_: set[str] = set()

    def visit(name: str) -> None:
        if name in done or name not in resources:
            return
        if name in open_:
            raise ValueError(f"Circular dependency between resources: {name}")
        open_.add(name)
        for needed in needs(resources[name]):
            visit(needed)
        open_.discard(name)
        done[name] = None

    for name in resources:
        visit(name)
    return list(done)
