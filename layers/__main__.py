"""Build from a shell: `python -m layers build inference --python 3.13 --architecture arm64`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import get_args

from layers.assets import FUNCTIONS, build_function
from layers.builder import build_layer
from layers.recipes import RECIPES
from layers.report import cuts, table
from layers.target import LAMBDA_PYTHONS, Architecture, Platform, Target
from layers.wheels import sha256_of
from warmstart.errors import WarmstartError


def main(arguments: list[str]) -> int:
    """Build a function's layer and code, print bytes per package; 0 done, 1 refused (argparse exits with 2)."""
    chosen = _parser().parse_args(arguments)
    try:
        target = Target.host() if chosen.platform == "host" else Target(chosen.python, chosen.architecture)
        layer = build_layer(chosen.recipe, target, root=Path.cwd())
        code = build_function(chosen.recipe, target, root=Path.cwd()) if chosen.recipe in FUNCTIONS else None
    except WarmstartError as error:
        print(error.message, file=sys.stderr)
        return 1
    built = {"layer": layer} | ({"code": code} if code else {})
    print(table(*built.values()), cuts(layer, RECIPES[chosen.recipe]), sep="\n\n", end="\n\n")
    for name, part in built.items():
        print(f"{name}: {part.path}\n  digest {part.digest}")
        print(f"  zipped {part.zip_path.stat().st_size:,} bytes, sha256 {sha256_of(part.zip_path)}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m layers", description="Build Lambda layers without Docker.")
    build = parser.add_subparsers(required=True, metavar="build").add_parser(
        "build", help="a layer, and its function's code"
    )
    build.add_argument("recipe", choices=RECIPES)
    build.add_argument("--python", default=Target.python, choices=LAMBDA_PYTHONS)
    build.add_argument("--architecture", default=Target.architecture, choices=get_args(Architecture))
    build.add_argument("--platform", default=Target.platform, choices=get_args(Platform), help="host: this machine")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
