"""Get a lock's wheels for a target into a cache: pip downloads them, since the user's pip configuration applies."""

from __future__ import annotations

import contextlib
import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from layers.lock import hashes, pins
from layers.target import Target
from warmstart.errors import BuildError

_GLIBC_MINORS: Final = (34, 28, 27, 17)
"""Amazon Linux 2023 has glibc 2.34; pip takes a wheel's platform by its name, so older ones are named too."""


def fetch_wheels(lock: Path, target: Target, *, root: Path) -> tuple[Path, ...]:
    """Return the wheels of a requirement file for a target, in order of their names; download what is missing.

    Raises: BuildError if pip is missing or fails, or what it brought is not in the file.
    """
    text = lock.read_text()
    key = hashlib.sha256(f"{target}\n{text}".encode()).hexdigest()[:16]
    folder = root / "build" / "wheels" / f"{lock.stem}-{target}-{key}"
    if folder.is_dir():
        if _unlisted(folder, text) is None and len(_wheels(folder)) == len(pins(text)):
            return _wheels(folder)
        remove(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        _download(lock, target, Path(scratch))
        if (wheel := _unlisted(Path(scratch), text)) is not None:
            raise BuildError(f"{wheel.name}: its sha256 is not in {lock.name}; run `python -m layers.lock`")
        publish(Path(scratch), folder)
    return _wheels(folder)


def pip_command(lock: Path, target: Target, folder: Path) -> list[str]:
    """Return the pip command line that downloads a lock's wheels."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--dest", str(folder)]
    command += ["--only-binary=:all:", "--require-hashes", "--no-deps", "--requirement", str(lock)]
    if target.platform == "lambda":
        command += ["--implementation", "cp", "--python-version", target.python]
        for minor in _GLIBC_MINORS:
            command += ["--platform", f"manylinux_2_{minor}_{target.machine}"]
        command += ["--platform", f"manylinux2014_{target.machine}"]
    return command


def publish(scratch: Path, folder: Path) -> None:
    """Move a finished folder to its place in one step; if another build was first, keep that one's."""
    scratch.chmod(0o755)
    try:
        scratch.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
    else:
        scratch.mkdir()  # the caller's temporary folder, which it is going to remove


def remove(folder: Path) -> None:
    """Take a folder out of its place in one step, then delete it: no build ever finds half of it there."""
    with (
        tempfile.TemporaryDirectory(dir=folder.parent, prefix=".removing-", ignore_cleanup_errors=True) as scratch,
        contextlib.suppress(FileNotFoundError),  # another build was first
    ):
        folder.rename(Path(scratch) / "removed")


def _download(lock: Path, target: Target, folder: Path) -> None:
    done = subprocess.run(pip_command(lock, target, folder), capture_output=True, text=True, check=False)
    if "No module named pip" in done.stderr:
        raise BuildError(f"{sys.executable} has no pip, which downloads the wheels; run `python -m ensurepip`")
    if done.returncode:
        raise BuildError(f"pip could not download {lock.name} for {target}:\n{done.stderr.strip()[-2000:]}")


def _unlisted(folder: Path, lock: str) -> Path | None:
    listed = hashes(lock)
    return next((wheel for wheel in _wheels(folder) if sha256_of(wheel) not in listed), None)


def _wheels(folder: Path) -> tuple[Path, ...]:
    return tuple(sorted(folder.glob("*.whl")))


def sha256_of(path: Path) -> str:
    """sha256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
