"""docs/deploy-aws.md: the prices add up, and what is counted is what the stack has."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

import pytest

from handlers.inference.answers import Answer
from handlers.inference.observability import Invocation, Observer
from handlers.inference.routes.table import Routes
from handlers.inference.sessions import Ran
from warmstart.refs import ModelRef

DOCUMENT: Final = (Path(__file__).parents[2] / "docs" / "deploy-aws.md").read_text(encoding="utf-8")
ROW: Final = re.compile(r"^\| ([^|]+) \| ([^|]*×[^|]*) \| ([0-9.]+) \|", re.MULTILINE)
TOTAL: Final = re.compile(r"^\| together \| \| \*\*([0-9.]+)\*\* \|", re.MULTILINE)


def factors(text: str) -> list[float]:
    """Read `1.73 GB × 10,000 s × 0.0000133334`."""
    return [float(part.split()[0].replace(",", "")) for part in text.split("×")]


@pytest.mark.parametrize(("what", "reckoned", "price"), ROW.findall(DOCUMENT))
def test_each_price_is_the_product_that_stands_beside_it(what: str, reckoned: str, price: str) -> None:
    product = 1.0
    for factor in factors(reckoned):
        product *= factor

    assert f"{product:.2f}" == price, what


def test_the_prices_add_up() -> None:
    rows = ROW.findall(DOCUMENT)
    [total] = TOTAL.findall(DOCUMENT)

    assert len(rows) == 7
    assert f"{sum(float(price) for _, _, price in rows):.2f}" == total


def test_as_many_metrics_are_priced_as_a_prediction_writes() -> None:
    written: list[bytes] = []
    observer = Observer(namespace="n", service="s", function_version="1", write=written.append, now=lambda: 0.0)
    ran = Ran(outputs=[], run_ns=1, opened=None, open_sessions=1)
    warm = Invocation(Routes().find("POST", "/predict/iris"), "id", None, None, 1, None)
    observer.note(warm, Answer(200, b"{}", model=ModelRef.parse("iris:3"), ran=ran))
    [directive] = json.loads(written[0])["_aws"]["CloudWatchMetrics"]
    [priced] = [reckoned for what, reckoned, _ in ROW.findall(DOCUMENT) if what.startswith("metrics")]

    assert factors(priced)[0] == len(directive["Dimensions"]) * len(directive["Metrics"]) == 14
