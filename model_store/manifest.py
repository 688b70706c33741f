"""What is known of one version, as a value and as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from warmstart.datatypes import DATATYPES
from warmstart.errors import InvalidManifest
from warmstart.tensors import ANY, Signature, TensorSpec

SCHEMA_MAJOR: Final = 1
SCHEMA_VERSION: Final = "1.0"
_NAME_BYTES: Final = 255
"""Of a file or folder: the least that any file system takes."""
_SHA256: Final = re.compile(r"[0-9a-f]{64}\Z")


class ModelFile(NamedTuple):
    """One file of a version: path relative to it, size, sha256 in hex.

    `parts` are those of a large file's parts, as `integrity.part_bounds` cuts it: who fetches several at once checks
    each as it comes.
    """

    path: str
    size_bytes: int
    sha256: str
    parts: tuple[str, ...] = ()


class RunOptions(NamedTuple):
    """How a session is opened. `optimise` is False for a graph that was optimised before it was published.

    With `extensions` the graph has operators of onnxruntime-extensions, whose library is registered first. With
    `preprocess` requests go through what `preprocessing.json` declares, which lies beside the graph. Requests of up to
    `single_thread_rows` rows are computed by one thread, however many there are.
    """

    optimise: bool = True
    extensions: bool = False
    preprocess: bool = False
    single_thread_rows: int = 0


class Variant(NamedTuple):
    """The same model laid out for one kind of processor, under one release of the runtime.

    `processor` names both, as `warmstart.processor.layout_name` does: `x86_64-avx512-vnni-ort1.28`.
    """

    processor: str
    files: tuple[ModelFile, ...]
    run: RunOptions


class Manifest(NamedTuple):
    """One version of a model. `files[0]` is the graph that a session opens; the others lie beside it.

    `labels` are the class labels that a classifier's label output or score columns stand for, in column order.
    `run` says how to open `files`; `variants` are alternatives to both for a kind of processor. `documents` lie in the
    version too (the gate's report, statistics, golden examples), and no session needs them. `preprocessing` says what
    is in the graph before the model proper. `extra` are the fields that this release does not know: they are kept.
    """

    name: str
    version: int
    created_at: str
    signature: Signature
    files: tuple[ModelFile, ...]
    labels: tuple[str | int, ...] = ()
    provenance: Mapping[str, str] = {}
    run: RunOptions = RunOptions()
    variants: tuple[Variant, ...] = ()
    documents: tuple[ModelFile, ...] = ()
    preprocessing: Mapping[str, str] = {}
    schema_version: str = SCHEMA_VERSION
    extra: Mapping[str, Any] = {}

    @property
    def size_bytes(self) -> int:
        """Bytes of all files together."""
        return sum(file.size_bytes for file in self.files)


def render_manifest(manifest: Manifest) -> bytes:
    """Write a manifest as JSON, known fields first, then those that this release does not know."""
    document = {
        "schema_version": manifest.schema_version,
        "name": manifest.name,
        "version": manifest.version,
        "created_at": manifest.created_at,
        "inputs": [_render_spec(spec) for spec in manifest.signature.inputs],
        "outputs": [_render_spec(spec) for spec in manifest.signature.outputs],
        "labels": list(manifest.labels),
        "files": _render_files(manifest.files),
        "run": _render_run(manifest.run),
        "variants": [
            {"processor": processor, "files": _render_files(files), "run": _render_run(run)}
            for processor, files, run in manifest.variants
        ],
        "documents": _render_files(manifest.documents),
        "preprocessing": dict(manifest.preprocessing),
        "provenance": dict(manifest.provenance),
        **manifest.extra,
    }
    return json.dumps(document, indent=2).encode()


def parse_manifest(body: bytes, *, where: str) -> Manifest:
    """Read a manifest. `where` is its key, for the message.

    Raises: InvalidManifest if it is not JSON, lacks a field, or has an unknown major schema version.
    """
    try:
        document = json.loads(body)
        schema_version = document.pop("schema_version")
        if int(schema_version.partition(".")[0]) != SCHEMA_MAJOR:
            raise InvalidManifest(
                f"{where}: schema version {schema_version}; this release reads {SCHEMA_MAJOR}.x: upgrade warmstart"
            )
        files = _parse_files(document.pop("files"))
        return Manifest(
            schema_version=schema_version,
            name=_text(document.pop("name")),
            version=_whole(document.pop("version")),
            created_at=_text(document.pop("created_at")),
            signature=Signature(
                tuple(_parse_spec(spec) for spec in document.pop("inputs")),
                tuple(_parse_spec(spec) for spec in document.pop("outputs")),
            ),
            files=files,
            labels=tuple(_label(label) for label in document.pop("labels", ())),
            provenance=_texts(document.pop("provenance", {})),
            run=_parse_run(document.pop("run", {})),
            variants=tuple(_parse_variant(variant) for variant in document.pop("variants", ())),
            documents=tuple(_parse_file(file) for file in document.pop("documents", ())),
            preprocessing=_texts(document.pop("preprocessing", {})),
            extra=document,
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidManifest(f"{where}: not a manifest: {type(error).__name__} {error}; publish it again") from error


def _render_files(files: tuple[ModelFile, ...]) -> list[dict[str, Any]]:
    return [{name: value for name, value in file._asdict().items() if value != ()} for file in files]


def _render_run(run: RunOptions) -> dict[str, Any]:
    """Write run options; one that changes nothing is not there for releases that do not know it."""
    document = run._asdict()
    if not run.single_thread_rows:
        del document["single_thread_rows"]
    return document


def _render_spec(spec: TensorSpec) -> dict[str, Any]:
    return {"name": spec.name, "datatype": spec.datatype, "shape": list(spec.shape)}


def _parse_spec(document: Mapping[str, Any]) -> TensorSpec:
    datatype = document["datatype"]
    if datatype not in DATATYPES:
        raise ValueError(f"datatype {datatype!r} is none of {', '.join(DATATYPES)}")
    shape = document["shape"]
    if type(shape) is not list or not all(type(size) is int and size >= ANY for size in shape):
        raise ValueError(f"shape: expected whole numbers, {ANY} or more; got {shape!r:.80}")
    return TensorSpec(_text(document["name"]), datatype, tuple(shape))


def _parse_file(document: Mapping[str, Any]) -> ModelFile:
    path, sha256 = _text(document["path"]), _text(document["sha256"])
    if "\0" in path or any(part in ("", ".", "..") or len(part.encode()) > _NAME_BYTES for part in path.split("/")):
        raise ValueError(f"file path {path!r:.300} is none within the version's folder")
    parts = tuple(_text(part) for part in document.get("parts", ()))
    for digest in (sha256, *parts):
        if not _SHA256.match(digest):
            raise ValueError(f"sha256: expected 64 hexadecimal digits in lower case, got {digest[:80]!r}")
    return ModelFile(path, _whole(document["size_bytes"]), sha256, parts)


def _parse_files(documents: Any) -> tuple[ModelFile, ...]:
    files = tuple(_parse_file(file) for file in documents)
    if not files:
        raise ValueError("files: expected at least one, got none")
    paths = {file.path for file in files}
    if len(paths) < len(files) or any(folder in paths for path in paths for folder in _folders(path)):
        raise ValueError("files: expected each path once, and no file below another")
    return files


def _folders(path: str) -> list[str]:
    """List the folders that a path goes through."""
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


def _parse_run(document: Mapping[str, Any]) -> RunOptions:
    """Read run options; one that this release does not know would be run without, so it is refused."""
    if unknown := set(document) - set(RunOptions._fields):
        raise ValueError(f"run: this release does not know {', '.join(sorted(unknown))}: upgrade warmstart")
    rows = document.get("single_thread_rows", 0)
    if type(rows) is not int or rows < 0:
        raise TypeError(f"run: single_thread_rows: expected a whole number, 0 or more; got {rows!r:.80}")
    given = {**document, "single_thread_rows": False}
    if any(type(value) is not bool for value in given.values()):
        raise TypeError(f"run: expected true or false, got {dict(document)!r:.80}")
    return RunOptions(**given)._replace(single_thread_rows=rows)


def _parse_variant(document: Mapping[str, Any]) -> Variant:
    return Variant(_text(document["processor"]), _parse_files(document["files"]), _parse_run(document["run"]))


def _texts(document: Mapping[str, Any]) -> dict[str, str]:
    return {_text(name): _text(value) for name, value in document.items()}


def _text(value: Any) -> str:
    if type(value) is not str:
        raise TypeError(f"expected text, got {value!r:.80}")
    return value


def _whole(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise TypeError(f"expected a whole number, 0 or more; got {value!r:.80}")
    return value


def _label(value: Any) -> str | int:
    if type(value) not in (str, int):
        raise TypeError(f"labels: expected text or whole numbers, got {value!r:.80}")
    label: str | int = value
    return label
