"""From a trained model to a published version, in one call: what the command line does, for a notebook."""

from __future__ import annotations

import getpass
import re
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from model_store.convert.source import Sample
from model_store.gate.apply import Published, apply
from model_store.gate.gate import NOBODY, Examined, Watch, examine
from model_store.gate.plan import PublishPlan, plan_publish
from model_store.gate.report import render_report
from model_store.gate.steps import GateOptions
from model_store.integrity import sha256_of_bytes
from model_store.keys import GATE
from model_store.objects import ObjectStore
from model_store.signing.sign import Signer
from model_store.stores import Store, open_store
from model_store.workplace import workplace
from warmstart import __version__
from warmstart.errors import InvalidSample
from warmstart.refs import check_name

OPTIONS: Final = GateOptions()
_INERT: Final = (
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    *(f"protocol.{name}.allow=never" for name in ("ext", "file", "git", "http", "https", "ssh")),
)
"""A model's folder may bring a repository whose settings name programs: none of them is run. Source: git-config(1)."""
_FILTER: Final = re.compile(r"filter\.(.+)\.\w+$", re.MULTILINE)
_NAME: Final = re.compile(r"[\w-]+")


def publish(
    source: object,
    *,
    name: str,
    store: Store | str,
    sample: object = None,
    trust: bool = False,
    options: GateOptions = OPTIONS,
    signer: Signer | None = None,
    by: str | None = None,
    watch: Watch = NOBODY,
    clock: Callable[[], float] = time.time,
    new_id: Callable[[], str] = lambda: uuid4().hex,
) -> Published:
    """Take a trained model through the gate and publish it as the next version; `live` then points at it.

    `source` is a model (an estimator, a module, a booster), or a path or an address of one. `store` is open, or the
    URL of one. `sample` are rows to prove the model on: a file's path, a DataFrame, an array (rows, features), or
    arrays by name; it goes before `options.sample`. With `trust`, formats that execute code are read.
    `options` has all else that may be chosen (`GateOptions`), `signer` signs the version (`signer_for`).
    `by` says who publishes, else the user's name on this machine.
    Raises: GateRejected with the report; Unreachable if a package is missing; InvalidSample, AliasMoved, StoreError.
    """
    check_name(name)
    if sample is not None:
        options = replace(options, sample=sample_of(sample))
    if trust:
        options = replace(options, trust=True)
    with ExitStack() as closing:
        opened = closing.enter_context(open_store(store)) if isinstance(store, str) else store
        folder = closing.enter_context(workplace())
        examined = examine(source, name, folder, options, clock=clock, watch=watch)
        key_id = signer.public_key.key_id if signer else None
        plan = plan_examined(examined, name, opened.objects, source=source, key_id=key_id)
        published = apply(plan, opened.objects, by=by or user_name(), clock=clock, new_id=new_id, signer=signer)
        return published._replace(report=examined.report)


def user_name() -> str:
    """Name who runs this; a container may run as a number without a name, and then neither is known."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # the former before Python 3.13
        return "unknown"


def sample_of(rows: object) -> Path | Sample:
    """Take rows as a notebook has them. Raises: InvalidSample."""
    match rows:
        case str() | Path():
            return Path(rows)
        case Sample():
            return rows
        case np.ndarray():
            columns: Mapping[Any, Any] = {"input": rows}
        case Mapping():
            columns = rows
        case _ if hasattr(rows, "columns") and hasattr(rows, "__getitem__"):  # a DataFrame, of pandas or polars
            columns = {name: rows[name].to_numpy() for name in rows.columns}
        case _:
            raise InvalidSample(
                f"sample: expected a path, a DataFrame, an array or arrays by name; got {type(rows).__qualname__}"
            )
    arrays = {str(name): _with_text(np.asarray(column)) for name, column in columns.items()}
    lengths = {len(array) if array.ndim else 0 for array in arrays.values()}
    if len(lengths) != 1 or 0 in lengths:
        raise InvalidSample("sample: expected columns of the same number of rows, one or more")
    return Sample(arrays, f"{type(rows).__qualname__}")


def _with_text(array: NDArray[Any]) -> NDArray[Any]:
    return array.astype(object) if array.dtype.kind in "UT" else array


def plan_examined(
    examined: Examined, name: str, store: ObjectStore, *, source: object, key_id: str | None = None
) -> PublishPlan:
    """Plan to publish what the gate let through, its report beside it, signed with `key_id` if there is one.

    Raises: as `plan_publish`; UnsupportedModel if a file was written to since it was examined.
    """
    documents = {**examined.documents, GATE: render_report(examined.report)}
    provenance = provenance_of(examined, documents[GATE], source)
    plan = plan_publish(examined.candidate, name, store, documents=documents, provenance=provenance, key_id=key_id)
    examined.check_unchanged()  # after the files' digests were taken: what is sent has these
    return plan


def provenance_of(examined: Examined, report: bytes, source: object) -> Mapping[str, str]:
    """Say where a version comes from: framework, source, code and the gate's report, by its digest."""
    origin = examined.origin
    found = {
        "framework": f"{origin.framework} {origin.version}",
        "kind": origin.kind,
        "source": examined.report.source,
        "warmstart": __version__,
        "gate_sha256": sha256_of_bytes(report),
        "git_commit": git_commit(Path(source) if isinstance(source, str | Path) else Path()),
    }
    return {key: value for key, value in found.items() if value}


def git_commit(path: Path) -> str:
    """Return the commit checked out where a source lies, empty if there is none.

    With `+changes` if there are files that differ from it, or were touched since.
    """
    folder = path if path.is_dir() else path.parent
    try:
        head = _git(folder, "rev-parse", "HEAD")
        filters = set(_FILTER.findall(_git(folder, "config", "--list", "--name-only")))
        if not all(map(_NAME.fullmatch, filters)):  # one that cannot be switched off by its name
            return head
        off = [f"filter.{name}.{key}" for name in filters for key in ("clean=", "process=", "required=false")]
        changed = _git(folder, "diff-index", "--name-only", "--ignore-submodules=all", "HEAD", "--", settings=off)
    except (OSError, subprocess.SubprocessError):  # no git, no repository, no commit: nothing to say
        return ""
    return f"{head}+changes" if changed else head


def _git(folder: Path, *arguments: str, settings: Sequence[str] = ()) -> str:
    inert = [part for setting in (*_INERT, *settings) for part in ("-c", setting)]
    done = subprocess.run(
        ["git", "-C", str(folder), *inert, *arguments], capture_output=True, errors="replace", check=True, timeout=10
    )
    return done.stdout.strip()
