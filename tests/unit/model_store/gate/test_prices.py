"""The price table: read, replaced, and refused by the name of its field."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from model_store.gate.prices import TABLE, read_prices
from model_store.gate.steps import Target
from warmstart.errors import InvalidSetting

DEPLOY = (Path(__file__).parents[4] / "docs" / "deploy-aws.md").read_text(encoding="utf-8")


def table(tmp_path: Path, **changes: Any) -> Path:
    document = {**json.loads(TABLE.read_bytes()), **changes}
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({name: value for name, value in document.items() if value != "gone"}))
    return path


def test_the_table_that_comes_along_has_a_date_and_its_pages() -> None:
    prices = read_prices(None)

    assert re.fullmatch(r"20\d\d-\d\d", prices.as_of)
    assert prices.region == "us-east-1"
    assert prices.sources == ("https://aws.amazon.com/lambda/pricing/", "https://aws.amazon.com/api-gateway/pricing/")


def test_the_page_on_deploying_states_the_same_prices() -> None:
    prices = read_prices(None)

    assert f"× {prices.gateway_million_requests:.2f} |" in DEPLOY
    assert f"× {prices.lambda_million_requests:.2f} |" in DEPLOY
    assert f"× {prices.lambda_gb_second['arm64']:.10f} |" in DEPLOY


def test_a_thousand_predictions_cost_their_time_and_their_requests(tmp_path: Path) -> None:
    prices = read_prices(
        table(
            tmp_path,
            lambda_gb_second={"arm64": 0.01, "x86_64": 0.02},
            storage_gb_second=0.001,
            lambda_million_requests=1.0,
            gateway_million_requests=3.0,
        )
    )

    # 1,000 × 0.5 s × (2 GB × 0.01 + 0.5 GB × 0.001) + 4 / 1,000
    assert prices.per_thousand(0.5, 2048, Target(ephemeral_storage_mb=1024)) == pytest.approx(10.254)
    # ... × (2 GB × 0.02), and the first 512 MB of /tmp are free
    x86 = Target(architecture="x86_64", ephemeral_storage_mb=512)
    assert prices.per_thousand(0.5, 2048, x86) == pytest.approx(20.004)


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"storage_gb_second": "gone"}, "storage_gb_second", "expected a price, 0 or more, got None"),
        ({"storage_gb_second": "0.1"}, "storage_gb_second", "expected a price, 0 or more, got '0.1'"),
        ({"lambda_million_requests": -1}, "lambda_million_requests", "expected a price, 0 or more, got -1"),
        ({"gateway_million_requests": True}, "gateway_million_requests", "expected a price, 0 or more, got True"),
        (
            {"lambda_gb_second": {"arm64": 1, "x86_64": "a"}},
            "lambda_gb_second.x86_64",
            "expected a price, 0 or more, got 'a'",
        ),
        (
            {"lambda_gb_second": {"arm64": 1}},
            "lambda_gb_second",
            "expected an object with arm64 and x86_64, got {'arm64': 1}",
        ),
        ({"as_of": 2026}, "as_of", "expected text, got 2026"),
        ({"sources": "a page"}, "sources", "expected a list of pages, got 'a page'"),
        ({"sources": [1]}, "sources[0]", "expected text, got 1"),
        ({"lambda_price": 1}, "lambda_price", "expected one of as_of, region, currency, "),
    ],
)
def test_a_table_is_refused_by_the_name_of_its_field(
    tmp_path: Path, changes: dict[str, Any], field: str, message: str
) -> None:
    with pytest.raises(InvalidSetting) as refused:
        read_prices(table(tmp_path, **changes))

    assert refused.value.name == f"prices.{field}"
    assert f"mine.json: {field}: {message}" in refused.value.message
    assert "see docs/forecast.md" in refused.value.message


@pytest.mark.parametrize(
    ("body", "message"), [(b"{", "expected JSON"), (b"[1]", "expected an object, got [1]"), (b"\xff", "expected JSON")]
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, body: bytes, message: str) -> None:
    (tmp_path / "mine.json").write_bytes(body)

    with pytest.raises(InvalidSetting, match=r"^mine\.json: ") as refused:
        read_prices(tmp_path / "mine.json")

    assert message in refused.value.message


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match=r"mine\.json: expected a price table, found none: No such file"):
        read_prices(tmp_path / "mine.json")
