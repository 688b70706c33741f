"""The synthesized stacks, as plain JSON: one synthesis per set of settings, whoever asks."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

# Before aws_cdk is imported: its own template validator takes 4 s per process (the gate runs it once, in
# `cdk synth`), and node is the environment's own.
os.environ.setdefault("CDK_VALIDATION", "false")
os.environ.setdefault("JSII_NODE", str(Path(sys.prefix) / "bin" / "node"))

from aws_cdk import App

from infra.app import add_stacks, config_of
from infra.assets import Assets
from infra.stacks.serving import ServingStack
from infra.stacks.store import StoreStack
from tests.build.assets import stand_in_assets

ROOT: Final = Path(__file__).resolve().parents[2]
CONTEXT: Final[Mapping[str, Any]] = json.loads((ROOT / "cdk.json").read_text())["context"]
"""The context that `cdk` passes to the app: the stages and the CDK's flags."""


@dataclass(frozen=True)
class Template:
    """A template; `path` is its file."""

    path: Path
    document: Mapping[str, Any]

    @property
    def resources(self) -> Mapping[str, Mapping[str, Any]]:
        """Resources by logical id."""
        resources: Mapping[str, Mapping[str, Any]] = self.document["Resources"]
        return resources

    def of(self, kind: str) -> list[Mapping[str, Any]]:
        """Properties of every resource of a type, such as `Lambda::Function`."""
        return [found.get("Properties", {}) for found in self.resources.values() if found["Type"] == f"AWS::{kind}"]

    def one(self, kind: str, where: Callable[[Mapping[str, Any]], bool] = lambda _: True) -> Mapping[str, Any]:
        """Properties of the only resource of a type that fits."""
        [found] = [properties for properties in self.of(kind) if where(properties)]
        return found

    def function(self, name: str) -> Mapping[str, Any]:
        """Properties of the function `inference` or `control`."""
        return self.one("Lambda::Function", lambda found: found.get("Handler", "").startswith(f"handlers.{name}."))

    def ids(self, kind: str) -> list[str]:
        """Logical ids of a type, to be compared between two templates."""
        return [name for name, found in self.resources.items() if found["Type"] == f"AWS::{kind}"]


@dataclass(frozen=True)
class Synthesized:
    """Both stacks of a stage."""

    store: Template
    serving: Template


def synthesize(
    folder: Path, assets: Assets, prepare: Callable[[App], None] = lambda _: None, **over: Any
) -> Synthesized:
    """Synthesize the stacks with settings as `-c key=value` gives them."""
    app = App(context={**CONTEXT, **over}, outdir=str(folder))
    prepare(app)
    stacks: tuple[StoreStack, ServingStack] = add_stacks(app, config=config_of(app), assets=assets)
    app.synth()
    store, serving = (folder / stack.template_file for stack in stacks)
    return Synthesized(
        Template(store, json.loads(store.read_text())), Template(serving, json.loads(serving.read_text()))
    )


@cache
def workplace() -> Path:
    """A folder that lives as long as the process."""
    folder = tempfile.TemporaryDirectory(prefix="warmstart-templates-")
    _KEPT.append(folder)
    return Path(folder.name)


def stacks(**over: Any) -> Synthesized:
    """Synthesize with stand-in assets; the same settings again cost nothing."""
    return _stacks(json.dumps(over, sort_keys=True))


@cache
def _stacks(over: str) -> Synthesized:
    folder = Path(tempfile.mkdtemp(dir=workplace()))
    return synthesize(folder / "cdk.out", stand_in_assets(folder / "assets"), **json.loads(over))


def text(value: Any) -> str:
    """Write a template's value as one string: references as `<Name>`, attributes as `<Name.Attribute>`."""
    match value:
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case {"Fn::ImportValue": name}:
            return f"<{text(name)}>"
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(text(part) for part in parts)
        case _:
            return str(value)


def statements(policy: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every statement of a policy document."""
    yield from policy["Statement"]


_KEPT: list[tempfile.TemporaryDirectory[str]] = []
