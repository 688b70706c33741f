"""Python objects in files: skops, joblib and pickle. What they hold is seen without running what they contain.

A pickle is a program: reading one runs it. Its instructions name the classes that it builds, the object's own first, so
that is found by listing them. Source: CPython, `pickletools`; joblib, "Persistence"; skops, "Secure persistence".
"""

from __future__ import annotations

import bz2
import io
import json
import lzma
import pickletools
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from model_store.convert.source import LoadOptions, lacks
from warmstart.errors import UnsupportedModel, Untrusted

_HEAD_BYTES: Final = 1_000_000
"""An object's class stands at its pickle's start; so much is looked through."""
_SCHEMA: Final = "schema.json"
_PLAIN: Final = frozenset({"copyreg", "copy_reg", "builtins", "__builtin__", "collections", "numpy", "functools"})
"""Packages whose classes carry others: they do not say whose object it is."""
_DECOMPRESSORS: Final[Mapping[bytes, Callable[[bytes], bytes]]] = {
    b"\x1f\x8b": lambda head: zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(head, _HEAD_BYTES),
    b"BZh": lambda head: bz2.BZ2Decompressor().decompress(head, _HEAD_BYTES),
    b"\xfd7zXZ": lambda head: lzma.LZMADecompressor().decompress(head, _HEAD_BYTES),
    b"]\x00\x00": lambda head: lzma.LZMADecompressor().decompress(head, _HEAD_BYTES),
    b"x": lambda head: zlib.decompressobj().decompress(head, _HEAD_BYTES),
}
"""joblib's compressors, by the first bytes of what they write."""


class Saved(NamedTuple):
    """A file with a Python object: in which format, and of which class (`sklearn.pipeline.Pipeline`)."""

    format: str
    kind: str

    @property
    def package(self) -> str:
        """The package of the class."""
        return self.kind.partition(".")[0]


class Loaded(NamedTuple):
    """An object that was read, and what the framework warned of meanwhile (that another version of it wrote it)."""

    model: object
    warned: tuple[str, ...]


def saved(path: Path) -> Saved | None:
    """Look at a file: None if it is neither skops nor a pickle. Nothing in it is executed."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if head.startswith(b"PK"):
        return _skops(path)
    decompress = next((found for magic, found in _DECOMPRESSORS.items() if head.startswith(magic)), None)
    if decompress is None:
        return _pickle(head, "a pickle")
    try:
        return _pickle(decompress(head), "a compressed joblib file")
    except (OSError, EOFError, zlib.error, lzma.LZMAError):
        return None


def load_saved(path: Path, options: LoadOptions) -> Loaded:
    """Read the object.

    Raises: Untrusted without `options.trust`; UnsupportedModel if it cannot be read; Unreachable.
    """
    found = saved(path)
    if found is None:
        raise UnsupportedModel(f"{path}: expected a file of skops, joblib or pickle")
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        model = _load_skops(path, options) if found.format == "skops" else _load_pickle(path, found, options)
    told = (str(warning.message).partition(". This might")[0] for warning in heard if _concerns_version(warning))
    return Loaded(model, tuple(dict.fromkeys(told)))


def _concerns_version(warning: warnings.WarningMessage) -> bool:
    return "version" in str(warning.message).lower() and not issubclass(warning.category, DeprecationWarning)


def _skops(path: Path) -> Saved | None:
    try:
        with zipfile.ZipFile(path) as archive, archive.open(_SCHEMA) as file:
            schema = json.loads(file.read(64 * 1024 * 1024))
        return Saved("skops", f"{schema['__module__']}.{schema['__class__']}")
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, RecursionError, OSError):
        return None


def _pickle(body: bytes, written: str) -> Saved | None:
    """Find the class of a pickle's object: the first that is named, and is no mere container."""
    if not body:
        return None
    names = list(_globals(body))
    if body[:1] != b"\x80" and not (names and all(map(_is_dotted, names))):  # a text may begin like instructions
        return None
    telling = (name for name in names if name.partition(".")[0] not in _PLAIN)
    return Saved(written, next(telling, names[0] if names else "builtins.object"))


def _is_dotted(name: str) -> bool:
    return all(part.isidentifier() for part in name.split("."))


def _globals(body: bytes) -> Iterator[str]:
    """List what a pickle's instructions import, up to where they end, or cannot be followed (joblib's raw arrays)."""
    texts = list[str]()
    memo = dict[int, str]()
    try:
        for code, argument, _ in pickletools.genops(io.BytesIO(body)):
            match code.name:
                case "GLOBAL" | "INST":
                    yield str(argument).replace(" ", ".")
                case "STACK_GLOBAL":
                    if len(texts) > 1:
                        yield ".".join(texts[-2:])
                case "MEMOIZE":
                    memo[len(memo)] = texts[-1] if texts else ""
                case "BINPUT" | "LONG_BINPUT" | "PUT":
                    memo[int(argument or 0)] = texts[-1] if texts else ""
                case "BINGET" | "LONG_BINGET" | "GET":
                    texts.append(memo.get(int(argument or 0), ""))
                case _ if isinstance(argument, str):
                    texts.append(argument)
    except (ValueError, IndexError, UnicodeDecodeError):  # what pickletools raises for what is no instruction
        return


def _load_pickle(path: Path, found: Saved, options: LoadOptions) -> object:
    if not options.trust:
        raise Untrusted(
            f"{path}: {found.format} of {found.kind}: reading it runs the code that it contains. If you trust where it "
            "is from, say so (--trust, trust=True); better, save the model in a format that holds no code: "
            f"{_SAFER.get(found.package, _SAFER['sklearn'])}"
        )
    try:
        import joblib
    except ImportError as error:
        raise lacks(error, "sklearn") from error
    try:
        model: object = joblib.load(path)
    except (ImportError, AttributeError) as error:
        raise UnsupportedModel(
            f"{path}: {found.format} of {found.kind} needs what is not here: {error}; "
            "install the package, or run where its module can be imported"
        ) from error
    except Exception as error:  # a pickle is a program, and fails with whatever it runs into
        raise UnsupportedModel(
            f"{path}: {found.format} of {found.kind} cannot be read here: {type(error).__name__}: {error}; "
            "read it with the versions that wrote it, and save it again"
        ) from error
    return model


_SAFER: Final[Mapping[str, str]] = {
    "sklearn": "skops.io.dump(model, 'model.skops')",
    "xgboost": "model.save_model('model.json')",
    "lightgbm": "model.booster_.save_model('model.txt')",
}


def _load_skops(path: Path, options: LoadOptions) -> object:
    try:
        import skops.io
        from skops.io.exceptions import UnsupportedTypeException, UntrustedTypesFoundException
    except ImportError as error:
        raise lacks(error, "sklearn") from error
    try:
        unknown = skops.io.get_untrusted_types(file=path)
        if unknown and not options.trust:
            raise Untrusted(
                f"{path}: a skops file with types that skops does not know to be safe: {', '.join(unknown)}. "
                "If you trust them, say so (--trust, trust=True)"
            )
        model: object = skops.io.load(path, trusted=unknown)
    except (UnsupportedTypeException, UntrustedTypesFoundException, ImportError, *_BROKEN) as error:
        raise UnsupportedModel(f"{path}: skops cannot read it here: {type(error).__name__}: {error}") from error
    return model


_BROKEN: Final = (zipfile.BadZipFile, ValueError, TypeError, KeyError, AttributeError, EOFError, RecursionError)
"""What skops raises for a file that is cut off, or from another version of what is in it."""
