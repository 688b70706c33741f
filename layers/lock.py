"""Make the hash-pinned requirement files anew: `python -m layers.lock` (needs uv, of the dev extra).

One file per recipe and Python serves both architectures, since it lists the hashes of all wheels: that
both resolve to the same is checked, not assumed.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from layers.recipes import RECIPES, Recipe
from layers.target import LAMBDA_PYTHONS
from warmstart.errors import BuildError

FOLDER: Final = Path(__file__).parent / "requirements"
PYTHONS: Final = ("3.11", *LAMBDA_PYTHONS)
"""3.11 is the oldest Python that a host may have; Lambda's 3.11 is not on Amazon Linux 2023."""

_PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==(\S+)", re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def lock_file(recipe: Recipe, python: str) -> Path:
    """Path of the requirement file. Raises: BuildError if there is none for this Python."""
    path = FOLDER / f"{recipe.name}-{python}.txt"
    if not path.is_file():
        raise BuildError(f"no locked requirements for Python {python}: there are {', '.join(PYTHONS)}")
    return path


def pins(lock: str) -> dict[str, str]:
    """Versions in a requirement file, by the distribution's name."""
    return dict(_PINNED.findall(lock))


def hashes(lock: str) -> frozenset[str]:
    """All sha256 in a requirement file, in hex."""
    return frozenset(_HASH.findall(lock))


def resolve(recipe: Recipe, python: str) -> str:
    """Resolve a recipe for both architectures and return the requirement file that serves both.

    Raises: BuildError if nothing fits or the architectures resolve differently.
    """
    arm64, x86_64 = (_compile(recipe, python, f"{machine}-manylinux_2_28") for machine in ("aarch64", "x86_64"))
    if arm64 != x86_64:
        raise BuildError(f"{recipe.name}, Python {python}: arm64 and x86_64 resolve to different versions; pin one")
    return arm64


def _compile(recipe: Recipe, python: str, platform: str) -> str:
    options = ["--generate-hashes", "--no-emit-index-url", "--no-header", "--no-annotate", "--quiet"]
    options += ["--only-binary", ":all:", "--python-version", python, "--python-platform", platform]
    for name in recipe.without:
        options += ["--no-emit-package", name]
    done = subprocess.run(
        [sys.executable, "-m", "uv", "pip", "compile", *options, "-"],
        input="\n".join(recipe.requirements),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BuildError(f"{recipe.name}, Python {python}, {platform}: {done.stderr.strip()}")
    return done.stdout


def main() -> None:
    """Write all files."""
    FOLDER.mkdir(exist_ok=True)
    for recipe in RECIPES.values():
        for python in PYTHONS:
            text = resolve(recipe, python)
            (FOLDER / f"{recipe.name}-{python}.txt").write_text(text)
            print(f"{recipe.name}-{python}: {' '.join(f'{name} {version}' for name, version in pins(text).items())}")


if __name__ == "__main__":
    main()
