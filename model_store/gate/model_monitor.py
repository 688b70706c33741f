"""Statistics and constraints in the formats of Amazon SageMaker Model Monitor.

Source: SageMaker developer guide, "Schema for Statistics (statistics.json file)", "Schema for Constraints
(constraints.json file)"; the buckets' bounds are those of deequ's `KLLSketch`, which its container runs.
"""

from __future__ import annotations

import json
from typing import Any, Final

from model_store.gate.column_statistics import SKETCH_SIZE, Column, Numbers, Texts

SHRINKING_FACTOR: Final = 0.64
"""A KLL sketch's parameter c; deequ's default."""
MONITORING: Final = {
    "evaluate_constraints": "Enabled",
    "emit_metrics": "Enabled",
    "datatype_check_threshold": 0.1,
    "domain_content_threshold": 0.1,
    "distribution_constraints": {
        "perform_comparison": "Enabled",
        "comparison_threshold": 0.1,
        "comparison_method": "Robust",
        "categorical_comparison_threshold": 0.1,
        "categorical_drift_method": "LInfinity",
    },
}
"""The guide's defaults. Robust allows for the size of a sample, as a Kolmogorov-Smirnov test does."""


def render_statistics(columns: tuple[Column, ...], rows: int) -> bytes:
    """Write `statistics.json`."""
    return _dump(
        {"version": 0, "dataset": {"item_count": rows}, "features": [_statistics(column) for column in columns]}
    )


def render_constraints(columns: tuple[Column, ...]) -> bytes:
    """Write `constraints.json`: what the sample suggests, with the guide's default thresholds."""
    return _dump(
        {"version": 0, "features": [_constraints(column) for column in columns], "monitoring_config": MONITORING}
    )


def _statistics(column: Column) -> dict[str, Any]:
    common = {"num_present": column.present, "num_missing": column.missing}
    feature: dict[str, Any] = {"name": column.name, "inferred_type": column.kind}
    if column.numbers is not None:
        feature["numerical_statistics"] = _numbers(common, column.numbers)
    else:
        feature["string_statistics"] = _texts(common, column.texts or Texts(distinct=0, domain=None))
    return feature


def _numbers(common: dict[str, int], numbers: Numbers) -> dict[str, Any]:
    buckets = [
        {"lower_bound": lower, "upper_bound": upper, "count": count}
        for lower, upper, count in zip(numbers.edges[:-1], numbers.edges[1:], numbers.counts, strict=True)
    ]
    sketch = {"parameters": {"c": SHRINKING_FACTOR, "k": SKETCH_SIZE}, "data": numbers.levels}
    return {
        "common": common,
        "mean": numbers.mean,
        "sum": numbers.total,
        "std_dev": numbers.std_dev,
        "min": numbers.least,
        "max": numbers.most,
        "distribution": {"kll": {"buckets": buckets, "sketch": sketch}},
    }


def _texts(common: dict[str, int], texts: Texts) -> dict[str, Any]:
    found: dict[str, Any] = {"common": common, "distinct_count": texts.distinct}
    if texts.domain is not None:
        buckets = [{"value": value, "count": count} for value, count in texts.domain]
        found["distribution"] = {"categorical": {"buckets": buckets}}
    return found


def _constraints(column: Column) -> dict[str, Any]:
    feature: dict[str, Any] = {
        "name": column.name,
        "inferred_type": column.kind,
        "completeness": column.completeness,
    }
    if column.numbers is not None:
        feature["num_constraints"] = {"is_non_negative": column.numbers.least >= 0}
    if column.texts is not None and column.texts.domain is not None:
        feature["string_constraints"] = {"domains": sorted(value for value, _ in column.texts.domain)}
    return feature


def _dump(document: object) -> bytes:
    return json.dumps(document, allow_nan=False, separators=(",", ":")).encode()
