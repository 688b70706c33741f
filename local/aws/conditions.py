"""S3's conditional writes, each as one step: moto checks a condition and then writes, with nothing to hold others off.

Source: S3 user guide, "How to prevent object overwrites with conditional writes": of several at once, one succeeds.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeVar
from weakref import WeakValueDictionary

from moto.s3.responses import S3Response

_Answer = TypeVar("_Answer")

_LOCKS: Final[WeakValueDictionary[tuple[str, str], Any]] = WeakValueDictionary()
"""One for each object that is being written: a put that ends in a function that puts another must not wait for it."""
_FINDING: Final = threading.Lock()


def held(bucket: str, key: str) -> Any:
    """Return the lock of an object, to write it under; who has it may take it again."""
    with _FINDING:
        return _LOCKS.setdefault((bucket, key), threading.RLock())


def _in_one_step(answer: Callable[..., _Answer]) -> Callable[..., _Answer]:
    @wraps(answer)
    def alone(response: S3Response, *args: Any) -> _Answer:
        with held(response.bucket_name, response.parse_key_name()):
            return answer(response, *args)

    return alone


_CHECKED: Final = {
    name: _in_one_step(getattr(S3Response, name))
    for name in ("put_object", "delete_object", "_key_response_post")  # the last completes uploads
}


def install() -> None:
    """Make every check and its write one step, in this process."""
    for name, checked in _CHECKED.items():
        setattr(S3Response, name, checked)
