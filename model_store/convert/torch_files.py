"""What PyTorch's files are, by their content, and how each is read. All of them may execute code when they are read."""

from __future__ import annotations

import pickle
import re
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from model_store.convert.quiet import quietly
from model_store.convert.source import LoadOptions, lacks
from warmstart.errors import UnsupportedModel, Untrusted

Kind: TypeAlias = Literal["exported", "torchscript", "pickle", "broken"]

ADDRESS: Final = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
"""`package.module:factory`; an attribute of a class may follow (`package.module:Net.small`)."""
_PICKLE_BEFORE_ZIP: Final = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""How torch.save began a file before PyTorch 1.6: torch/serialization.py, MAGIC_NUMBER."""
_ENDINGS: Final = (".pt", ".pth", ".pt2", ".ckpt")
_WEIGHTS_ALONE: Final = (
    "weights without the model that they belong to: write a function that builds the model and loads them, and publish "
    "it as package.module:function"
)
FAILURES: Final = (RuntimeError, ValueError, TypeError, LookupError, AttributeError, AssertionError, ArithmeticError)
"""What PyTorch, and the code of a model, fail with: there is no class of its own for "cannot"."""


def kind_of(path: Path) -> Kind | None:
    """Say what a file of PyTorch is; None if it is none. A zip archive of PyTorch's endings may be cut off."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        head = file.read(len(_PICKLE_BEFORE_ZIP))
    if head == _PICKLE_BEFORE_ZIP:
        return "pickle"
    if not head.startswith(b"PK\x03\x04"):
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            return _kind_of_archive(archive.namelist())
    except zipfile.BadZipFile:
        return "broken" if path.suffix in _ENDINGS else None


def _kind_of_archive(names: list[str]) -> Kind | None:
    inside = {name.partition("/")[2] for name in names}  # the first folder has the name that the file had
    if "archive_format" in inside or "serialized_exported_program.json" in {*names, *inside}:
        return "exported"
    if "data.pkl" in inside and "version" in inside:
        return "torchscript" if "constants.pkl" in inside else "pickle"
    return None


def read(path: Path, options: LoadOptions) -> Any:
    """Read a program, a TorchScript or a whole module.

    Raises: Untrusted without leave; UnsupportedModel; Unreachable if PyTorch is not installed.
    """
    kind = kind_of(path)
    if kind is None or kind == "broken":
        raise UnsupportedModel(f"{path}: its archive ends too early: copy or save it again")
    if kind != "pickle" and not options.trust:
        what = "torch.export.load" if kind == "exported" else "torch.jit.load"
        raise Untrusted(f"{path}: {what} may execute code that the file brings: --trust it if you know who made it")
    try:
        import torch
    except ImportError as error:
        raise lacks(error, "torch") from error
    if kind == "pickle":
        return _read_pickle(path, options)
    try:
        with quietly("torch.onnx"):
            if kind == "exported":
                return torch.export.load(path)
            return torch.jit.load(str(path), map_location="cpu")
    except (*FAILURES, pickle.UnpicklingError, zipfile.BadZipFile) as error:
        raise UnsupportedModel(
            f"{path}: PyTorch {torch.__version__} does not read it: {_first_line(error)}; save it again with this "
            "version"
        ) from error


def _read_pickle(path: Path, options: LoadOptions) -> Any:
    import torch

    try:
        torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        pass  # it names classes: a whole module, perhaps
    except (*FAILURES, EOFError, zipfile.BadZipFile) as error:
        raise UnsupportedModel(f"{path}: PyTorch does not read it: {_first_line(error)}: save it again") from error
    else:
        raise UnsupportedModel(f"{path}: {_WEIGHTS_ALONE}")
    if not options.trust:
        raise Untrusted(f"{path}: a pickle executes code when it is read: --trust it if you know who made it")
    try:
        with working_directory():
            loaded = torch.load(path, map_location="cpu", weights_only=False)
    except (*FAILURES, pickle.UnpicklingError, EOFError, ImportError) as error:
        raise UnsupportedModel(
            f"{path}: its classes cannot be found: {_first_line(error)}; run this in the folder of the code that it "
            "was saved with"
        ) from error
    if not isinstance(loaded, torch.nn.Module):
        raise UnsupportedModel(f"{path}: expected a module, got a {type(loaded).__name__}: {_WEIGHTS_ALONE}")
    return loaded


def make(address: str) -> Any:
    """Import `package.module:factory`, from the working directory too, and call it; a module is taken as it is.

    Raises: UnsupportedModel if it is not found, or fails.
    """
    try:
        import torch
    except ImportError as error:
        raise lacks(error, "torch") from error
    module, _, path = address.partition(":")
    with working_directory():
        try:
            found = import_module(module)
            for name in path.split("."):
                found = getattr(found, name)
            if isinstance(found, torch.nn.Module | torch.export.ExportedProgram) or not callable(found):
                return found
            return found()
        except ModuleNotFoundError as error:
            raise UnsupportedModel(
                f"{address}: no module {error.name}, neither installed nor in {Path.cwd()}: run this where its code is"
            ) from error
        except Exception as error:  # a user's code fails with anything, and this is where it enters
            raise UnsupportedModel(f"{address}: it fails: {type(error).__name__}: {error}") from error


@contextmanager
def working_directory() -> Iterator[None]:
    """Let code be imported from the working directory, as `python -m` does and a console script does not."""
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        yield
    finally:
        sys.path.remove(here)


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
