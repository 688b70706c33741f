"""The Open Inference Protocol's routes, and those of Triton's extensions that are served."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from handlers.inference.routes.route import (
    Act,
    Describe,
    Document,
    Fixed,
    Infer,
    Listing,
    Load,
    Match,
    Operation,
    Report,
    reference,
)
from model_store.keys import GOLDEN
from warmstart.protocols import oip
from warmstart.protocols.oip import render_error as render_error
from warmstart.protocols.wire import Model, Rendered, Request
from warmstart.refs import ModelRef

NAME = "oip"


def find(segments: Sequence[str]) -> Match | None:
    """Match a path below `/v2`. Raises: InvalidReference."""
    match segments:
        case ["v2", "models", model, "infer"]:
            return Match("POST", Operation.INFER, _INFER, reference(model))
        case ["v2", "models", model, "versions", version, "infer"]:
            return Match("POST", Operation.INFER, _INFER, reference(model, version))
        case ["v2", "models", "stats"]:
            return Match("GET", Operation.STATISTICS, Report())
        case ["v2", "models", model, *rest]:
            return _of_model(model, rest)
        case ["v2"]:
            return Match("GET", Operation.SERVER, _fixed("SERVER"))
        case ["v2", "health", "live"]:
            return Match("GET", Operation.LIVE, _fixed("LIVE"))
        case ["v2", "health", "ready"]:
            return Match("GET", Operation.READY, _fixed("READY"))
        case ["v2", "repository", "index"]:
            return Match("POST", Operation.INDEX, Listing(_render_index, _check_index))
    return None


def _of_model(model: str, rest: Sequence[str]) -> Match | None:
    version = None
    if len(rest) > 1 and rest[0] == "versions":
        version, rest = rest[1], rest[2:]
    match rest:
        case []:
            return Match("GET", Operation.MODEL, Describe(_render_metadata), reference(model, version))
        case ["ready"]:
            return Match("GET", Operation.MODEL_READY, Load(_render_model_ready), reference(model, version))
        case ["stats"]:
            return Match("GET", Operation.STATISTICS, Report(), reference(model, version))
        case ["openapi.json"]:
            return Match("GET", Operation.DOCS, Document(GOLDEN, _openapi(model, version)), reference(model, version))
        case ["docs"]:
            return Match("GET", Operation.DOCS, Document(GOLDEN, _docs(model, version)), reference(model, version))
    return None


# Documents other than inferences have a module of their own, which a cold inference does not wait for.


def _fixed(name: str) -> Act:
    from warmstart.protocols import oip_documents

    return Fixed({"SERVER": oip_documents.SERVER, "LIVE": oip_documents.LIVE, "READY": oip_documents.READY}[name])


def _render_metadata(model: Model) -> Rendered:
    from warmstart.protocols.oip_documents import render_metadata

    return render_metadata(model)


def _render_model_ready(model: Model) -> Rendered:
    from warmstart.protocols.oip_documents import render_model_ready

    return render_model_ready(model)


def _openapi(model: str, version: str | None) -> Callable[[Model, bytes | None], Rendered]:
    from warmstart.protocols.openapi import Place, render_openapi

    return partial(render_openapi, Place(model, version))


def _docs(model: str, version: str | None) -> Callable[[Model, bytes | None], Rendered]:
    from warmstart.protocols.docs_page import render_docs
    from warmstart.protocols.openapi import Place

    return partial(render_docs, Place(model, version))


def _check_index(request: Request) -> bool:
    from warmstart.protocols.oip_documents import wants_ready_only

    return wants_ready_only(request)


def _render_index(models: Sequence[ModelRef]) -> Rendered:
    from warmstart.protocols.oip_documents import render_index

    return render_index(models)


_INFER = Infer(oip.read)
