"""S3's listing of a bucket: the query that asks for a page, and the page.

Source: Amazon S3 API Reference, ListObjectsV2.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote as percent
from urllib.parse import unquote_plus

from warmstart.errors import StoreUnavailable

_KEY: Final = re.compile(rb"<Contents>.*?<Key>([^<]*)</Key>", re.DOTALL)
_TOKEN: Final = re.compile(rb"<NextContinuationToken>([^<]+)</NextContinuationToken>")
_ENTITIES: Final = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'"}


def query_of(prefix: str, token: str | None) -> str:
    """Return the query of a page, percent-encoded, its parameters in order of their names."""
    start = f"continuation-token={percent(token, safe='')}&" if token is not None else ""
    return f"{start}encoding-type=url&list-type=2&prefix={percent(prefix, safe='')}"


def parse_listing(page: bytes, prefix: str) -> tuple[list[str], str | None]:
    """Return a page's keys, and the token of the next page, None after the last. Raises: StoreUnavailable."""
    if b"<ListBucketResult" not in page:
        raise StoreUnavailable(f"{prefix}: expected a listing, the store answered {page[:80]!r}")
    keys = [unquote_plus(_text(key)) for key in _KEY.findall(page)]
    token = _TOKEN.search(page)
    return keys, _text(token[1]) if token else None


def _text(content: bytes) -> str:
    text = content.decode()
    for entity, character in reversed(_ENTITIES.items()):
        text = text.replace(entity, character)
    return text
