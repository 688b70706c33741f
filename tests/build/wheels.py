"""Tiny wheels, and the requirement file that pins them."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path


def wheel(folder: Path, name: str, files: Mapping[str, str | bytes], *, version: str = "1.0") -> Path:
    """Write a pure wheel that holds these files, and what every wheel has beside them."""
    info = f"{name}-{version}.dist-info"
    metadata = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/licenses/LICENSE": "do as you please\n",
    }
    everything = {**files, **metadata}
    record = "".join(f"{path},,\n" for path in [*everything, f"{info}/RECORD"])
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for inside, content in [*everything.items(), (f"{info}/RECORD", record)]:
            archive.writestr(inside, content)
    return path


def lock(path: Path, *wheels: Path) -> Path:
    """Write a requirement file with the hashes of these wheels."""
    lines = []
    for found in wheels:
        name, version, *_ = found.name.split("-")
        lines.append(f"{name}=={version} \\\n    --hash=sha256:{hashlib.sha256(found.read_bytes()).hexdigest()}\n")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(lines))
    return path
