"""Stand-in assets: tiny packages with the handlers' names, so that stacks synthesize without a build."""

from __future__ import annotations

import hashlib
from pathlib import Path

from infra.assets import Asset, Assets

ECHO = '''"""A stand-in that answers with the request it got."""

import json


def handler(event, context):
    body = {"function": context.function_name, "version": context.function_version, "event": event}
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(body)}
'''


def asset(folder: Path, files: dict[str, str]) -> Asset:
    """Write files into a folder and describe it as an asset."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Asset(folder, hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest())


def function_code(folder: Path, function: str, text: str = ECHO) -> Asset:
    """A function's code under the handler's name."""
    return asset(
        folder,
        {
            "handlers/__init__.py": "",
            f"handlers/{function}/__init__.py": "",
            f"handlers/{function}/lambda_handler.py": text,
        },
    )


def stand_in_assets(root: Path) -> Assets:
    """All assets of a serving stack that bakes no models and asks for no signatures, a few bytes each."""
    return Assets(
        inference_code=function_code(root / "inference", "inference"),
        inference_layer=asset(root / "inference-layer", {"python/inference_layer.py": "NAME = 'inference'\n"}),
        control_code=function_code(root / "control", "control"),
        control_layer=asset(root / "control-layer", {"python/control_layer.py": "NAME = 'control'\n"}),
    )
