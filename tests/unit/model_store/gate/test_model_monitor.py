"""The documents are what SageMaker Model Monitor's pages describe."""

from __future__ import annotations

import json
from typing import Any, Final

import jsonschema
import numpy as np

from model_store.gate.column_statistics import describe
from model_store.gate.model_monitor import render_constraints, render_statistics

BATCH: Final = {
    "age": np.array([30, 61, 25, 70]),
    "income": np.array([1.5, np.nan, -0.5, 2.0]),
    "city": np.array(["Bern", "Basel", "Bern", "Basel"], dtype=object),
    "note": np.array(["likes it", "does not", None, "may be"], dtype=object),
    "empty": np.full(4, np.nan),
}

NUMBER: Final = {"type": "number"}
COMMON: Final = {
    "type": "object",
    "properties": {"num_present": {"type": "integer"}, "num_missing": {"type": "integer"}},
    "required": ["num_present", "num_missing"],
    "additionalProperties": False,
}


def record(**properties: object) -> dict[str, Any]:
    """An object with exactly these fields."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


KLL: Final = record(
    buckets={"type": "array", "items": record(lower_bound=NUMBER, upper_bound=NUMBER, count={"type": "integer"})},
    sketch=record(
        parameters=record(c=NUMBER, k=NUMBER),
        data={"type": "array", "items": {"type": "array", "items": NUMBER}},
    ),
)
NUMERICAL: Final = record(
    common=COMMON, mean=NUMBER, sum=NUMBER, std_dev=NUMBER, min=NUMBER, max=NUMBER, distribution=record(kll=KLL)
)
CATEGORICAL: Final = record(
    buckets={"type": "array", "items": record(value={"type": "string"}, count={"type": "integer"})}
)
STRING: Final = {
    **record(common=COMMON, distinct_count={"type": "integer"}, distribution=record(categorical=CATEGORICAL)),
    "required": ["common", "distinct_count"],
}
STATISTICS: Final = record(
    version={"const": 0},
    dataset=record(item_count={"type": "integer"}),
    features={
        "type": "array",
        "items": {
            "oneOf": [
                record(
                    name={"type": "string"},
                    inferred_type={"enum": ["Integral", "Fractional"]},
                    numerical_statistics=NUMERICAL,
                ),
                record(
                    name={"type": "string"}, inferred_type={"enum": ["String", "Unknown"]}, string_statistics=STRING
                ),
            ]
        },
    },
)
"""The guide's "Schema for Statistics", as a JSON schema."""
SWITCH: Final = {"enum": ["Enabled", "Disabled"]}
CONSTRAINTS: Final = record(
    version={"const": 0},
    features={
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "inferred_type": {"enum": ["Integral", "Fractional", "String", "Unknown"]},
                "completeness": {"type": "number", "minimum": 0, "maximum": 1},
                "num_constraints": record(is_non_negative={"type": "boolean"}),
                "string_constraints": record(domains={"type": "array", "items": {"type": "string"}}),
            },
            "required": ["name", "inferred_type", "completeness"],
            "additionalProperties": False,
        },
    },
    monitoring_config=record(
        evaluate_constraints=SWITCH,
        emit_metrics=SWITCH,
        datatype_check_threshold=NUMBER,
        domain_content_threshold=NUMBER,
        distribution_constraints=record(
            perform_comparison=SWITCH,
            comparison_threshold=NUMBER,
            comparison_method={"enum": ["Simple", "Robust"]},
            categorical_comparison_threshold=NUMBER,
            categorical_drift_method={"enum": ["LInfinity", "ChiSquared"]},
        ),
    ),
)
"""The guide's "Schema for Constraints", as a JSON schema."""


def test_statistics_are_of_the_guides_schema() -> None:
    document = json.loads(render_statistics(describe(BATCH), 4))

    jsonschema.validate(document, STATISTICS)
    assert document["dataset"] == {"item_count": 4}
    assert [feature["name"] for feature in document["features"]] == ["age", "income", "city", "note", "empty"]


def test_a_column_of_numbers_reads_as_worked_out_by_hand() -> None:
    age = json.loads(render_statistics(describe(BATCH), 4))["features"][0]

    assert age["numerical_statistics"] == {
        "common": {"num_present": 4, "num_missing": 0},
        "mean": 46.5,
        "sum": 186.0,
        "std_dev": 19.345542122153102,  # (16.5² + 14.5² + 21.5² + 23.5²) / 4 = 374.25, its root
        "min": 25.0,
        "max": 70.0,
        "distribution": {
            "kll": {
                "buckets": [
                    {"lower_bound": 25 + 4.5 * index, "upper_bound": 29.5 + 4.5 * index, "count": count}
                    for index, count in enumerate([1, 1, 0, 0, 0, 0, 0, 0, 1, 1])
                ],
                "sketch": {"parameters": {"c": 0.64, "k": 512}, "data": [[25.0, 30.0, 61.0, 70.0]]},
            }
        },
    }


def test_a_column_of_text_reads_as_counted_by_hand() -> None:
    city, note, empty = json.loads(render_statistics(describe(BATCH), 4))["features"][2:]

    assert city["string_statistics"]["distribution"]["categorical"]["buckets"] == [
        {"value": "Basel", "count": 2},
        {"value": "Bern", "count": 2},
    ]
    assert note["string_statistics"] == {"common": {"num_present": 3, "num_missing": 1}, "distinct_count": 3}
    assert empty == {
        "name": "empty",
        "inferred_type": "Unknown",
        "string_statistics": {"common": {"num_present": 0, "num_missing": 4}, "distinct_count": 0},
    }


def test_constraints_are_of_the_guides_schema() -> None:
    document = json.loads(render_constraints(describe(BATCH)))

    jsonschema.validate(document, CONSTRAINTS)
    assert document["features"] == [
        {
            "name": "age",
            "inferred_type": "Integral",
            "completeness": 1.0,
            "num_constraints": {"is_non_negative": True},
        },
        {
            "name": "income",
            "inferred_type": "Fractional",
            "completeness": 0.75,
            "num_constraints": {"is_non_negative": False},
        },
        {
            "name": "city",
            "inferred_type": "String",
            "completeness": 1.0,
            "string_constraints": {"domains": ["Basel", "Bern"]},
        },
        {"name": "note", "inferred_type": "String", "completeness": 0.75},
        {"name": "empty", "inferred_type": "Unknown", "completeness": 0.0},
    ]
