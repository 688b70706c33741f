"""What AWS asks for a prediction: list prices, from the table beside this file or from one that replaces it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

from model_store.gate.steps import Target
from warmstart.errors import InvalidSetting

TABLE: Final = Path(__file__).with_name("prices.json")
ARCHITECTURES: Final = ("arm64", "x86_64")
FREE_STORAGE_MB: Final = 512
"""Of /tmp: what is above is billed (Lambda pricing, "Ephemeral storage")."""


@dataclass(frozen=True, kw_only=True)
class Prices:
    """List prices at a date, the first tier of each, without the free tier and without tax.

    `lambda_gb_second` is by architecture; `storage_gb_second` is that of /tmp above 512 MB; `gateway_million_requests`
    of a REST API. GB are of 2^30 bytes.
    """

    as_of: str
    region: str
    currency: str
    lambda_gb_second: Mapping[str, float]
    lambda_million_requests: float
    storage_gb_second: float
    gateway_million_requests: float
    sources: tuple[str, ...]

    def per_thousand(self, billed_s: float, memory_mb: int, target: Target) -> float:
        """Return the price of 1,000 predictions that are billed this long each: function, its disk, and the gateway."""
        disk_mb = max(target.ephemeral_storage_mb - FREE_STORAGE_MB, 0)
        second = memory_mb / 1024 * self.lambda_gb_second[target.architecture] + disk_mb / 1024 * self.storage_gb_second
        requests = (self.lambda_million_requests + self.gateway_million_requests) / 1_000
        return 1_000 * billed_s * second + requests


def read_prices(path: Path | None) -> Prices:
    """Read a price table, the one that comes along if none is named.

    Raises: InvalidSetting, with the file, the field, what was expected and what came.
    """
    table = path or TABLE
    try:
        document = json.loads(table.read_bytes())
    except OSError as error:
        _refuse(table, "", f"expected a price table, found none: {error.strerror}")
    except ValueError as error:
        _refuse(table, "", f"expected JSON, got {error}")
    if not isinstance(document, dict):
        _refuse(table, "", f"expected an object, got {document!r:.60}")
    reader = _Fields(table, document)
    reader.refuse_unknown()
    return Prices(
        as_of=reader.text("as_of"),
        region=reader.text("region"),
        currency=reader.text("currency"),
        lambda_gb_second=reader.amounts("lambda_gb_second", ARCHITECTURES),
        lambda_million_requests=reader.amount("lambda_million_requests"),
        storage_gb_second=reader.amount("storage_gb_second"),
        gateway_million_requests=reader.amount("gateway_million_requests"),
        sources=reader.texts("sources"),
    )


class _Fields:
    """Takes a table's fields out, each checked."""

    def __init__(self, table: Path, document: Mapping[str, Any]) -> None:
        self._table, self._document = table, document

    def refuse_unknown(self) -> None:
        for name in self._document:
            if name not in Prices.__dataclass_fields__:
                _refuse(self._table, name, f"expected one of {', '.join(Prices.__dataclass_fields__)}")

    def text(self, name: str) -> str:
        return self._text(name, self._document.get(name))

    def texts(self, name: str) -> tuple[str, ...]:
        found = self._document.get(name)
        if not isinstance(found, list):
            _refuse(self._table, name, f"expected a list of pages, got {found!r:.60}")
        return tuple(self._text(f"{name}[{index}]", page) for index, page in enumerate(found))

    def amount(self, name: str) -> float:
        return self._amount(name, self._document.get(name))

    def amounts(self, name: str, keys: tuple[str, ...]) -> Mapping[str, float]:
        found = self._document.get(name)
        if not isinstance(found, dict) or set(found) != set(keys):
            _refuse(self._table, name, f"expected an object with {' and '.join(keys)}, got {found!r:.60}")
        return {key: self._amount(f"{name}.{key}", found[key]) for key in keys}

    def _text(self, name: str, found: object) -> str:
        if not isinstance(found, str) or not found:
            _refuse(self._table, name, f"expected text, got {found!r:.60}")
        return found

    def _amount(self, name: str, found: object) -> float:
        if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found < math.inf:
            _refuse(self._table, name, f"expected a price, 0 or more, got {found!r:.60}")
        return float(found)


def _refuse(table: Path, field: str, what: str) -> NoReturn:
    where = f"{table.name}: {field}: " if field else f"{table.name}: "
    raise InvalidSetting(f"{where}{what}; see docs/forecast.md", name=f"prices.{field}" if field else "prices")
