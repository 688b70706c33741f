"""What the operating system says of a file, as errors of a store."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from warmstart.errors import ObjectNotFound, StoreDenied, StoreError, StoreFull, StoreUnavailable

NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_KINDS: Final[Mapping[int, type[StoreError]]] = {
    **dict.fromkeys(NO_ROOM, StoreFull),
    errno.EACCES: StoreDenied,
    errno.EPERM: StoreDenied,
    errno.EROFS: StoreDenied,
    errno.ELOOP: StoreDenied,
    errno.EISDIR: StoreDenied,
    errno.ENOTDIR: StoreDenied,
    errno.EEXIST: StoreDenied,
    errno.ENAMETOOLONG: StoreDenied,
}
_REMEDIES: Final[Mapping[type[StoreError], str]] = {
    StoreFull: "free some room, then try again: what is there is not sent again",
    StoreDenied: "the store's folder has to be this user's, without symbolic links",
    StoreUnavailable: "try again",
}


@contextmanager
def translated(key: str) -> Iterator[None]:
    """The one place where errors of files become ours."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ObjectNotFound(f"{key}: the store holds nothing under this key") from error
    except OSError as error:
        kind = _KINDS.get(error.errno or 0, StoreUnavailable)
        raise kind(f"{key}: {error.strerror or error}: {_REMEDIES[kind]}") from error
