"""What docs/forecast.md and docs/baseline.md show runs, and the numbers they state are those of the code."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest

from model_store.gate import baseline, column_statistics, forecast, golden, measure, prices, speed, trial
from warmstart import limits

DOCS: Final = Path(__file__).parents[4] / "docs"
FORECAST: Final = (DOCS / "forecast.md").read_text(encoding="utf-8")
BASELINE: Final = (DOCS / "baseline.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("document", [FORECAST, BASELINE], ids=["forecast", "baseline"])
def test_an_example_runs(document: str, capsys: pytest.CaptureFixture[str]) -> None:
    for example in re.findall(r"```python\n(.*?)```", document, re.DOTALL):
        names: dict[str, Any] = {}
        exec(compile(example, "docs", "exec"), names)  # noqa: S102 - the document is ours
        assert names["examined"].documents.keys() == {"golden.json"}
    capsys.readouterr()


def test_the_page_shows_the_whole_price_table() -> None:
    [shown] = re.findall(r"```json\n(.*?)```", FORECAST, re.DOTALL)

    assert json.loads(shown) == json.loads(prices.TABLE.read_bytes())


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (FORECAST, f"{limits.SESSION_WEIGHT} times the files"),
        (FORECAST, f"up to {trial.MAX_RUNS} runs within {trial.WARM_S} s"),
        (FORECAST, f"sha256 of {trial.HASHED_BYTES // limits.MIB} MiB"),
        (FORECAST, f"within {measure.TRIAL_S:.0f} s"),
        (
            FORECAST,
            ", ".join(f"{memory:,}" for memory in forecast.MEMORY_MB[:-1]) + f" and {limits.MAX_MEMORY_MB:,} MB",
        ),
        (FORECAST, f"memory ÷ {limits.MB_PER_VCPU:,} vCPUs"),
        (FORECAST, f"{speed.OWN_INIT_S * 1000:.0f} ms of our own modules and TLS"),
        (
            FORECAST,
            f"{speed.REQUESTS_S * 1000:.0f} ms, and the files at {speed.DOWNLOAD_BYTES_PER_S / 1e6:.0f} MB/s",
        ),
        (FORECAST, f"{speed.HANDLER_S * 1e6:.0f} µs of the handler, {speed.READ_S * 1e9:.0f} ns"),
        (FORECAST, f"and {speed.WRITE_S * 1e9:.0f} for each of the answer"),
        (FORECAST, f"{limits.RUNTIME_MB} MB for the runtime"),
        (FORECAST, f"the files, and {limits.SPARE_BYTES // limits.MIB} MB to spare"),
        (FORECAST, f"the gateway's {limits.GATEWAY_S:.0f} s"),
        (FORECAST, f"the init phase's {limits.INIT_S:.0f} s"),
        (FORECAST, f"disk above {prices.FREE_STORAGE_MB} MB"),
        (BASELINE, f"2 to {column_statistics.MAX_ELEMENTS} values per row"),
        (BASELINE, f"more than {column_statistics.MAX_VALUES:,}"),
        (BASELINE, f"up to {column_statistics.SKETCH_SIZE} values in `data[0]`"),
        (BASELINE, f"at most {column_statistics.MAX_DOMAIN} and each comes twice"),
        (BASELINE, f"| {column_statistics.BUCKETS} of equal width"),
        (BASELINE, f"larger than {baseline.MAX_GOLDEN_BYTES // 1000} kB"),
        (BASELINE, f"more than {golden.MAX_VALUES} values"),
        (
            BASELINE,
            f"{golden.TOLERANCES['FP32']} (FP16: {golden.TOLERANCES['FP16']}, BF16: {golden.TOLERANCES['BF16']}; ",
        ),
        (BASELINE, f"a quantized model: {golden.QUANTIZED_TOLERANCE})"),
    ],
)
def test_a_number_on_the_page_is_the_codes(document: str, said: str) -> None:
    assert said in " ".join(document.split())
