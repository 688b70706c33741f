"""What the command's exit code says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from warmstart.errors import InvalidRequest, InvalidSetting, StoreUnavailable, Unreachable, WarmstartError

DONE: Final = 0
REFUSED: Final = 1
WRONG_USAGE: Final = 2
NOT_REACHABLE: Final = 3
INTERRUPTED: Final = 130
"""128 + SIGINT, as shells say it."""

EXIT_CODES: Final[Mapping[type[WarmstartError], int]] = {
    InvalidRequest: WRONG_USAGE,
    InvalidSetting: WRONG_USAGE,
    StoreUnavailable: NOT_REACHABLE,
    Unreachable: NOT_REACHABLE,
    WarmstartError: REFUSED,
}


def exit_code_of(error: WarmstartError) -> int:
    """Walk the error's classes, take the first row."""
    return next(EXIT_CODES[cls] for cls in type(error).__mro__ if cls in EXIT_CODES)
