"""Tags: what people say of a version after it was published. The version itself never changes."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

from model_store import keys
from model_store.objects import ObjectStore
from model_store.registry_reader import RegistryReader
from warmstart.errors import IntegrityError, InvalidReference, ObjectNotFound, PreconditionFailed

ATTEMPTS: Final = 20
_KEY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,62}\Z")
MAX_VALUE: Final = 256
"""Characters of a tag's value."""


class Tags(NamedTuple):
    """A version's tags, and the entity tag of the document that holds them; None if there is none yet."""

    values: Mapping[str, str]
    etag: str | None


def read_tags(objects: ObjectStore, name: str, version: int) -> Tags:
    """Read a version's tags: one request. Raises: IntegrityError, StoreError."""
    key = keys.tags_of(name, version)
    try:
        stored = objects.get(key)
    except ObjectNotFound:
        return Tags({}, None)
    try:
        values = json.loads(stored.body)
        if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
            raise ValueError("expected an object of texts")
    except (ValueError, RecursionError) as error:
        raise IntegrityError(f"{key}: not tags: {error}; delete it, then set them again") from error
    return Tags(values, stored.etag)


def change_tags(
    objects: ObjectStore,
    name: str,
    version: int,
    *,
    put: Mapping[str, str],
    remove: Collection[str] = (),
) -> Mapping[str, str]:
    """Set and remove tags by compare-and-set, and return all; what others change at the same time stays.

    Raises: InvalidReference for a key or a value that is not well-formed; ModelNotFound, VersionNotFound,
    PreconditionFailed if others keep changing them, IntegrityError, StoreError.
    """
    for key, value in put.items():
        _check(key, value)
    RegistryReader(objects).manifest(name, version)
    for _ in range(ATTEMPTS):
        values, etag = read_tags(objects, name, version)
        wanted = {key: value for key, value in {**values, **put}.items() if key not in remove}
        if wanted == values:
            return wanted
        body = json.dumps(dict(sorted(wanted.items())), indent=2).encode()
        try:
            if etag is None:
                objects.put(keys.tags_of(name, version), body, if_absent=True)
            else:
                objects.put(keys.tags_of(name, version), body, if_match=etag)
        except PreconditionFailed:
            continue
        return wanted
    raise PreconditionFailed(f"{name}:{version}: others changed its tags {ATTEMPTS} times in a row; try again")


def _check(key: str, value: str) -> None:
    if not _KEY.match(key):
        raise InvalidReference(f"tag: expected 1 to 63 of A-Z, a-z, 0-9, '.', '_', '/' and '-'; got {key[:80]!r}")
    if len(value) > MAX_VALUE or not value.isprintable():
        raise InvalidReference(
            f"tag {key}: expected up to {MAX_VALUE} printable characters, got {len(value)}: {value[:40]!r}"
        )
