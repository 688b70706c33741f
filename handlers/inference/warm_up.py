"""A session's first run, before anybody waits for its answer: with the inputs of the version's first golden example."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from handlers.inference.answers import status_of
from model_store import keys
from warmstart.errors import WarmstartError
from warmstart.protocols.oip import read_infer
from warmstart.protocols.wire import Request

if TYPE_CHECKING:
    from handlers.inference.sessions import OpenSession, Session
    from model_store.manifest import Manifest
    from warmstart.tensors import Tensor


def warmed(
    open_session: OpenSession, *, document: Callable[[Manifest, str], bytes | None], warn: Callable[[str], None]
) -> OpenSession:
    """Return what opens a session and runs it once. A warm-up that fails is a warning, never the request's failure.

    `document` reads a version's document, None if it has none.
    """

    def open_and_run(path: Path, manifest: Manifest) -> Session:
        session = open_session(path, manifest)
        try:
            if (body := document(manifest, keys.GOLDEN)) is None:
                raise ValueError("expected golden examples, got none; publish it again with a sample")
            session.run((), first_inputs(body))
        except (WarmstartError, ValueError, KeyError, TypeError, IndexError) as error:
            # By its code, where its message may quote the example: as of a request's values, the log holds none of it.
            trouble = error.code if isinstance(error, WarmstartError) and status_of(error) < 500 else error
            warn(f"warm-up of {manifest.name}:{manifest.version}: {trouble}")
        return session

    return open_and_run


def first_inputs(body: bytes) -> dict[str, Tensor]:
    """Read the inputs of the first example of `golden.json`, each filled up by repeating the values that it keeps.

    Raises: WarmstartError, ValueError, KeyError, TypeError, IndexError if the document has no such example.
    """
    items = [_full(item) for item in orjson.loads(body)["examples"][0]["inputs"]]
    return read_infer(Request("POST", "", body=orjson.dumps({"inputs": items}))).inputs


def _full(item: dict[str, Any]) -> dict[str, Any]:
    size, kept = prod(item["shape"]), item["data"]
    return {**item, "data": (kept * -(-size // max(len(kept), 1)))[:size]}
