"""Rows read from CSV, Parquet, JSON lines and npz, and what is refused."""

from __future__ import annotations

import contextlib
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from model_store.gate.sample import labelled, read_sample
from warmstart.errors import InvalidSample


def text(folder: Path, content: str, name: str = "rows.csv") -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def table(folder: Path, **columns: Any) -> Path:
    path = folder / "rows"
    parquet.write_table(pa.table(columns), path)
    return path


def arrays(folder: Path, **named: Any) -> Path:
    path = folder / "rows.npz"
    np.savez(path, **named)
    return path


def test_csv_keeps_whole_numbers_fractions_booleans_and_text_apart(tmp_path: Path) -> None:
    sample = read_sample(text(tmp_path, "n,x,b,t\n1,2.5,true,red\n2,3,false,\n"))

    assert [array.dtype.kind for array in sample.columns.values()] == ["i", "f", "b", "O"]
    assert [array.tolist() for array in sample.columns.values()] == [[1, 2], [2.5, 3.0], [True, False], ["red", ""]]
    assert (sample.rows, sample.origin, sample.truth) == (2, "rows.csv", None)


def test_an_empty_field_among_numbers_is_nan(tmp_path: Path) -> None:
    sample = read_sample(text(tmp_path, "n,m\n1,1\n,2\n"))

    assert np.array_equal(sample.columns["n"], [1.0, np.nan], equal_nan=True)


def test_a_column_without_any_value_is_nan_throughout(tmp_path: Path) -> None:
    assert np.isnan(read_sample(text(tmp_path, "n,m\n,1\n,2\n")).columns["n"]).all()


def test_text_that_looks_like_a_date_stays_text(tmp_path: Path) -> None:
    in_csv = read_sample(text(tmp_path, "day,n\n2024-01-31,1\n"))
    in_json = read_sample(text(tmp_path, '{"day": "2024-01-31 10:00:00", "n": 1}\n', "rows.jsonl"))

    assert in_csv.columns["day"].tolist() == ["2024-01-31"]
    assert in_json.columns["day"].tolist() == ["2024-01-31 10:00:00"]
    assert list(in_json.columns) == ["day", "n"]


def test_formats_are_told_by_their_content(tmp_path: Path) -> None:
    rows = [
        read_sample(table(tmp_path, a=[1, 2]).rename(tmp_path / "table.csv")),
        read_sample(arrays(tmp_path, a=np.array([1, 2])).rename(tmp_path / "arrays.csv")),
        read_sample(text(tmp_path, '{"a": 1}\n{"a": 2}\n', "lines.csv")),
        read_sample(text(tmp_path, "a\n1\n2\n", "rows.data")),
        read_sample(text(tmp_path, "\ufeffa\n1\n2\n", "with a byte order mark")),
    ]

    assert [{name: array.tolist() for name, array in sample.columns.items()} for sample in rows] == [{"a": [1, 2]}] * 5


def test_the_column_of_right_answers_is_taken_out(tmp_path: Path) -> None:
    sample = labelled(read_sample(text(tmp_path, "a,kind\n1,x\n2,y\n")), "kind")

    assert list(sample.columns) == ["a"]
    assert sample.truth is not None
    assert sample.truth.tolist() == ["x", "y"]


def test_npz_keeps_shapes_and_text_becomes_objects(tmp_path: Path) -> None:
    sample = read_sample(arrays(tmp_path, x=np.zeros((2, 3, 4), np.float32), t=np.array(["a", "日本"])))

    assert (sample.columns["x"].shape, sample.columns["x"].dtype.name) == ((2, 3, 4), "float32")
    assert (sample.columns["t"].dtype.kind, sample.columns["t"].tolist()) == ("O", ["a", "日本"])


def test_the_index_that_pandas_writes_into_parquet_is_no_column(tmp_path: Path) -> None:
    assert list(read_sample(table(tmp_path, a=[1], __index_level_0__=[7])).columns) == ["a"]


def test_a_dictionary_column_of_parquet_is_read_as_what_it_stands_for(tmp_path: Path) -> None:
    sample = read_sample(table(tmp_path, kind=pa.array(["x", "y", "x"]).dictionary_encode()))

    assert sample.columns["kind"].tolist() == ["x", "y", "x"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "expected a CSV with a header, Parquet, JSON lines (one object per line) or npz, got an empty file"),
        ("a,b\n", "expected at least one row, got none"),
        ("a,a\n1,2\n", "expected each column once, got 'a' again: rename it"),
        ("a,b\n1,2\n3\n", "not readable as CSV: CSV parse error: Expected 2 columns, got 1: 3"),
        ('[{"a": 1}]', "expected JSON lines, one object per line; got a JSON array"),
        ('{"a": 1}\n{"a": "x"}\n', "Column(/a) changed from number to string in row 1"),
        ('{"a": 1}\n{"a": ', "not readable as JSON lines: JSON parse error"),
        ('{"a": "x"}\n{"b": 1}\n', "column 'a': expected text in every row, got null in row 1 (1 in all)"),
        ('{"a": true}\n{"b": 1}\n', "column 'a': expected true or false in every row, got null in row 1"),
        ('{"a": [1, 2]}\n', "column 'a': expected numbers, booleans or text, got list<item: int64>"),
        ('{"a": {"b": 1}}\n', "column 'a': expected numbers, booleans or text, got struct<b: int64>"),
    ],
)
def test_a_text_file_that_is_no_sample_is_refused(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(InvalidSample) as caught:
        read_sample(text(tmp_path, content))

    assert message in caught.value.message


def test_text_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes("a\nétage\n".encode("latin-1"))

    with pytest.raises(InvalidSample, match=r"column 'a': expected numbers, booleans or text, got binary: .* UTF-8"):
        read_sample(tmp_path / "rows.csv")


@pytest.mark.parametrize("content", [b"a\xe9,b\n1,2\n", b'{"a\xe9": 1}\n'])
def test_names_in_another_encoding_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "rows").write_bytes(content)

    with pytest.raises(InvalidSample, match=r"not readable as .*'utf-8' codec"):
        read_sample(tmp_path / "rows")


@given(where=st.integers(0, 10_000), byte=st.integers(0, 255), which=st.integers(0, 3))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_file_is_read_or_refused(tmp_path: Path, where: int, byte: int, which: int) -> None:
    whole = [
        table(tmp_path, a=[1, 2], b=["x", "y"]),
        arrays(tmp_path, a=np.zeros((2, 3)), b=np.array(["x", "y"])),
        text(tmp_path, 'a,b\n1,"x"\n2,y\n'),
        text(tmp_path, '{"a": 1, "b": "x"}\n{"a": 2, "b": "y"}\n', "rows.jsonl"),
    ][which]
    body = bytearray(whole.read_bytes())
    body[where % len(body)] = byte
    whole.write_bytes(body)

    with contextlib.suppress(InvalidSample):
        assert read_sample(whole).rows > 0


def test_a_date_in_parquet_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(InvalidSample, match=r"column 'day': .* got timestamp\[us\]: make numbers or text of it"):
        read_sample(table(tmp_path, day=[datetime(2024, 1, 31)]))  # noqa: DTZ001 - as tables have them


def test_text_with_a_null_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(InvalidSample, match=r"column 'a': expected text in every row, got null in row 1 .* fill it"):
        read_sample(table(tmp_path, a=["x", None]))


@pytest.mark.parametrize("name", ["rows.parquet", "rows.npz"])
def test_a_file_that_is_not_what_it_is_called_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidSample, match="begins with b'a,b"):
        read_sample(text(tmp_path, "a,b\n1,2\n", name))


def test_truncated_parquet_is_refused(tmp_path: Path) -> None:
    path = table(tmp_path, a=[1, 2, 3])
    path.write_bytes(path.read_bytes()[:-20])

    with pytest.raises(InvalidSample, match=r"not readable as Parquet: .*write it again"):
        read_sample(path)


def test_truncated_npz_is_refused(tmp_path: Path) -> None:
    path = arrays(tmp_path, a=np.zeros(100))
    path.write_bytes(path.read_bytes()[:-30])

    with pytest.raises(InvalidSample, match=r"not readable as npz: .*save it again"):
        read_sample(path)


def test_an_object_array_is_a_pickle_and_never_read(tmp_path: Path) -> None:
    with pytest.raises(InvalidSample, match=r"not readable as npz: .*pickle.*text of a fixed width"):
        read_sample(arrays(tmp_path, a=np.array(["x", None], dtype=object)))


@pytest.mark.parametrize("values", [np.array(["2024-01-31"], "M8[D]"), np.zeros(2, complex), np.array([b"x"])])
def test_an_array_of_another_kind_is_refused(tmp_path: Path, values: Any) -> None:
    with pytest.raises(InvalidSample, match="array 'a': expected numbers, booleans or text, got"):
        read_sample(arrays(tmp_path, a=values))


def test_an_array_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidSample, match="expected at least one row, got none"):
        read_sample(arrays(tmp_path, a=np.zeros((0, 4))))


def test_a_single_value_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidSample, match="array 'a': expected rows along the first axis"):
        read_sample(arrays(tmp_path, a=np.float64(1)))


def test_a_missing_column_of_right_answers_is_named_with_what_was_meant(tmp_path: Path) -> None:
    path = text(tmp_path, "a,label\n1,2\n")

    with pytest.raises(InvalidSample, match="no column 'lable' of right answers: did you mean 'label'"):
        labelled(read_sample(path), "lable")
    with pytest.raises(InvalidSample, match="no column 'zzz' of right answers: it has a, label"):
        labelled(read_sample(path), "zzz")


def test_right_answers_alone_are_no_sample(tmp_path: Path) -> None:
    with pytest.raises(InvalidSample, match="expected columns beside the right answers 'a'"):
        labelled(read_sample(text(tmp_path, "a\n1\n")), "a")


def test_as_many_right_answers_as_rows_are_expected(tmp_path: Path) -> None:
    with pytest.raises(InvalidSample, match="3 right answers 'y' for 2 rows"):
        labelled(read_sample(arrays(tmp_path, x=np.zeros((2, 4)), y=np.zeros(3))), "y")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidSample, match="found nothing"):
        read_sample(tmp_path / "rows.csv")
    with pytest.raises(InvalidSample, match="found a folder"):
        read_sample(tmp_path)
