"""What to do about a refusal, where its own message cannot know: the command's verbs are not the core's business."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from warmstart.errors import (
    AliasMoved,
    IntegrityError,
    NotFound,
    StoreDenied,
    StoreUnavailable,
    VersionClaimed,
    WarmstartError,
)

REMEDIES: Final[Mapping[type[WarmstartError], str]] = {
    NotFound: "`warmstart models` lists models, versions and aliases",
    AliasMoved: "`warmstart models` says where it is now; move it from there with --expected",
    VersionClaimed: "publish again: it takes the next number",
    IntegrityError: "publish it again as a new version; until then `warmstart alias` can go back to a good one",
    StoreUnavailable: "try again; `warmstart doctor` says what is missing",
    StoreDenied: "`warmstart doctor` says whose credentials these are",
    WarmstartError: "",
}


def remedy_of(error: WarmstartError) -> str:
    """Walk the error's classes, take the first row; empty where the message says it all."""
    return next(REMEDIES[cls] for cls in type(error).__mro__ if cls in REMEDIES)
