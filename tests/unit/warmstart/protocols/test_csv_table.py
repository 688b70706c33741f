# ruff: noqa: E501 - one refused table per line
"""CSV to tensors and back."""

from __future__ import annotations

import csv
import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.build.calls import computed
from warmstart.errors import (
    InvalidRequest,
    InvalidValue,
    MalformedBody,
    MissingTensor,
    UnknownTensor,
    UnrepresentableOutput,
    WarmstartError,
    WrongShape,
)
from warmstart.protocols.csv_table import read_csv, write_csv
from warmstart.tensors import TensorSpec

AGE = TensorSpec("age", "INT64", (-1, 1))
CITY = TensorSpec("city", "BYTES", (-1,))
PRICE = TensorSpec("price", "FP32", (-1,))
OPEN = TensorSpec("open", "BOOL", (-1,))
PLACE = TensorSpec("place", "FP64", (-1, 2))
X = TensorSpec("X", "FP32", (-1, 4))


def read(body: str | bytes, *inputs: TensorSpec, header: bool = True) -> dict[str, Any]:
    found = read_csv(body if isinstance(body, bytes) else body.encode(), inputs, header=header)
    return {name: (array.dtype.name, array.tolist()) for name, array in found.items()}


def test_columns_are_matched_to_inputs_by_name() -> None:
    assert read("city,age\nBern,3\nZug,4\n", AGE, CITY) == {
        "age": ("int64", [[3], [4]]),
        "city": ("object", ["Bern", "Zug"]),
    }


def test_without_a_header_columns_are_in_the_order_of_the_model() -> None:
    assert read("3,Bern", AGE, CITY, header=False) == {"age": ("int64", [[3]]), "city": ("object", ["Bern"])}


@pytest.mark.parametrize("header", ["sepal_length,sepal_width,petal_length,petal_width\n", "X.0,X.1,X.2,X.3\n", ""])
def test_a_model_of_one_input_takes_as_many_columns_as_a_row_has_values(header: str) -> None:
    found = read(f"{header}1,2,3,4\n5,6,7,8.5\n", X, header=bool(header))
    assert found == {"X": ("float32", [[1, 2, 3, 4], [5, 6, 7, 8.5]])}


def test_a_row_of_open_width_is_as_wide_as_the_table() -> None:
    spec = TensorSpec("x", "FP64", (-1, -1))
    assert read("a,b,c\n1,2,3", spec) == {"x": ("float64", [[1, 2, 3]])}
    assert read("1,2", spec, header=False) == {"x": ("float64", [[1, 2]])}


def test_a_row_of_more_dimensions_is_in_row_major_order() -> None:
    spec = TensorSpec("image", "UINT8", (-1, 2, 2))
    assert read("1,2,3,4", spec, header=False) == {"image": ("uint8", [[[1, 2], [3, 4]]])}


def test_one_of_several_inputs_may_have_several_columns() -> None:
    expected = {"age": ("int64", [[3]]), "place": ("float64", [[46.9, 7.4]])}
    assert read("place.1,age,place.0\n7.4,3,46.9", AGE, PLACE) == expected
    assert read("3,46.9,7.4", AGE, PLACE, header=False) == expected


def test_one_of_several_inputs_may_be_of_open_width() -> None:
    wide = TensorSpec("w", "FP64", (-1, -1))
    assert read("age,w.0,w.1\n3,1,2", AGE, wide)["w"] == ("float64", [[1, 2]])
    assert read("age,w\n3,1", AGE, wide)["w"] == ("float64", [[1]])


@pytest.mark.parametrize(
    ("datatype", "cells", "expected"),
    [
        ("INT8", ["-128", "127", " 7"], [-128, 127, 7]),
        ("UINT64", ["18446744073709551615"], [18446744073709551615]),
        ("BOOL", ["true", "False", "TRUE"], [True, False, True]),
        ("FP16", ["65504", "0.1"], [65504.0, 0.0999755859375]),
        ("FP64", ["1e308", "-0.1", " 2 ", "inf", "-Infinity"], [1e308, -0.1, 2.0, np.inf, -np.inf]),
        ("BF16", ["1", "-2"], [0x3F80, 0xC000]),
        ("BYTES", ["a", "", "1", " b "], ["a", "", "1", " b "]),
    ],
)
def test_cells_are_of_the_datatype_that_the_model_declares(datatype: str, cells: list[str], expected: object) -> None:
    spec = TensorSpec("v", datatype, (-1,))
    buffer = io.StringIO()
    csv.writer(buffer).writerows([["v"], *([cell] for cell in cells)])
    assert read_csv(buffer.getvalue().encode(), (spec,), header=True)["v"].tolist() == expected


@pytest.mark.parametrize("cell", ["", "nan", "NaN", "  "])
def test_an_empty_cell_is_a_missing_value(cell: str) -> None:
    found = read_csv(f"1,{cell}\n".encode(), (PLACE,), header=False)["place"]
    assert np.array_equal(found, [[1, np.nan]], equal_nan=True)


@pytest.mark.parametrize(
    ("spec", "cell", "expected"),
    [
        (AGE, "1.0", 'INT64 values (whole numbers from -9223372036854775808 to 9223372036854775807), got "1.0"'),
        (AGE, '""', 'INT64 values (whole numbers from -9223372036854775808 to 9223372036854775807), got ""'),
        (TensorSpec("age", "INT8", (-1,)), "128", "INT8 values (whole numbers from -128 to 127), got 128 (a number)"),
        (TensorSpec("age", "INT8", (-1,)), "1_0", 'INT8 values (whole numbers from -128 to 127), got "1_0" (a string)'),
        (TensorSpec("age", "INT8", (-1,)), "\u0663", "INT8 values (whole numbers from -128 to 127), got"),
        (TensorSpec("age", "FP32", (-1,)), "abc", 'FP32 values (up to 3.403e+38), got "abc" (a string)'),
        (TensorSpec("age", "FP32", (-1,)), "1e39", "FP32 values (up to 3.403e+38), got 1e+39 (a number)"),
        (TensorSpec("age", "FP64", (-1,)), "1e999", 'FP64 values (up to 1.798e+308), got "1e999" (a string)'),
        (TensorSpec("age", "FP64", (-1,)), "1_0", 'FP64 values (up to 1.798e+308), got "1_0" (a string)'),
        (TensorSpec("age", "FP64", (-1,)), "\u0663", "FP64 values (up to 1.798e+308), got"),
        (TensorSpec("age", "BOOL", (-1,)), "1", 'BOOL values (true or false), got "1" (a string)'),
    ],
)
def test_a_cell_of_another_kind_is_refused_with_its_place(spec: TensorSpec, cell: str, expected: str) -> None:
    good = {"BOOL": "true"}.get(spec.datatype, "7")
    with pytest.raises(InvalidValue) as refused:
        read(f"age\n{good}\n{cell}\n", spec)
    assert refused.value.message.startswith(f"input 'age': expected {expected}")
    assert refused.value.message.endswith("in record 1")


def test_a_cell_among_several_of_a_row_is_named_by_its_element() -> None:
    with pytest.raises(InvalidValue, match='got "x" \\(a string\\) in record 1, element 2'):
        read("1,2,3,4\n1,2,x,4", X, header=False)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_any_system_ends_them(end: str) -> None:
    assert read(end.join(["city,age", "Bern,3", "", "Zug,4", ""]), AGE, CITY)["age"] == ("int64", [[3], [4]])


def test_text_may_be_quoted_and_hold_what_separates() -> None:
    assert read('city\n"Bern, ""BE""\nSwitzerland"\n', CITY) == {"city": ("object", ['Bern, "BE"\nSwitzerland'])}


def test_the_mark_that_excel_writes_first_is_no_part_of_a_name() -> None:
    assert read(b"\xef\xbb\xbfcity\nZ\xc3\xbcrich\n", CITY) == {"city": ("object", ["Z\u00fcrich"])}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("", "body: expected at least one row of CSV, got none"),
        ("\n\n", "body: expected at least one row of CSV, got none"),
        ("age,city\n", "body: expected at least one row of CSV below its header, got none"),
        ("age,city\n1,a\n2\n", "body: expected 2 columns in every row, got 1 in record 1"),
        ("age,city,age\n1,a,2\n", "body: expected each column once, got 'age' again"),
        ('age,city\n1,"a', "body: expected CSV, got: unexpected end of data (line 2)"),
        ('age,city\n1,"a"b', "body: expected CSV, got: ',' expected after '\"' (line 2)"),
        (b"age,city\n1,\xff\n", "body: expected CSV in UTF-8, got another byte at 11"),
        ("age,city\n1," + "a" * 200_000, "body: expected CSV, got: field larger than field limit (131072) (line 2)"),
    ],
)
def test_what_is_no_table_is_refused(body: str | bytes, message: str) -> None:
    with pytest.raises(MalformedBody) as refused:
        read(body, AGE, CITY)
    assert refused.value.message == message


@pytest.mark.parametrize(
    ("body", "inputs", "error", "message"),
    [
        ("age\n1", (AGE, CITY), MissingTensor, "input 'city': expected a column 'city' of BYTES, got none (the header has: age)"),
        ("age,place.0\n1,2", (AGE, PLACE), MissingTensor, "input 'place': expected 2 columns 'place.1', ... of FP64, got none (the header has: age, place.0)"),
        ("age,place\n1,2", (AGE, PLACE), MissingTensor, "input 'place': expected 2 columns 'place.0', ... of FP64, got none (the header has: age, place)"),
        ("age,city,\n1,a,0", (AGE, CITY), UnknownTensor, "column '': the model has no such input (it has 2 columns: age, city)"),
        ("a,b,c\n1,2,3", (X,), MalformedBody, "body: expected 4 columns (X: FP32 [-1, 4]), got 3 in the header"),
        ("a\n1", (TensorSpec("x", "FP32", ()),), MissingTensor, "input 'x': expected a column 'x' of FP32, got none (the header has: a)"),
        ("x\n1", (TensorSpec("x", "FP32", ()),), InvalidRequest, "input 'x': is one value for all records; ask this model through /v2/models/.../infer"),
        ("x\n1\n2", (TensorSpec("x", "FP32", (3,)),), WrongShape, "input 'x': the model takes 3 records at a time, got 2"),
        ("x\n1\n2", (TensorSpec("x", "FP32", (-1, 2, -1)),), InvalidRequest, "input 'x': expected a shape that columns have, got [2, -1]; send JSON"),
    ],
)  # fmt: skip
def test_a_table_of_another_model_is_refused(
    body: str, inputs: tuple[TensorSpec, ...], error: type[WarmstartError], message: str
) -> None:
    with pytest.raises(error) as refused:
        read(body, *inputs)
    assert refused.value.message == message


def test_too_many_columns_without_a_header_are_refused() -> None:
    with pytest.raises(
        MalformedBody, match="expected 2 columns \\(age: INT64 \\[-1, 1\\], city: BYTES \\[-1\\]\\), got 3"
    ):
        read("1,a,2", AGE, CITY, header=False)


def test_a_column_per_value_is_written() -> None:
    outputs = computed(label=np.array([0, 1]), scores=np.array([[0.1, 0.9], [1, 0]], np.float32))
    assert write_csv(outputs, count=2, header=True) == b"label,scores.0,scores.1\n0,0.1,0.9\n1,1.0,0.0\n"
    assert write_csv(outputs, count=2, header=False) == b"0,0.1,0.9\n1,1.0,0.0\n"


def test_labels_stand_in_the_header_and_for_the_index_of_a_class() -> None:
    outputs = computed(label=np.array([0, 1]), scores=np.array([[0.5, 0.5], [1, 0]], np.float32))
    written = write_csv(outputs, count=2, labels=("cat", "dog, wet"), header=True)
    assert written == b'label,scores.cat,"scores.dog, wet"\ncat,0.5,0.5\n"dog, wet",1.0,0.0\n'


@pytest.mark.parametrize(
    ("array", "cells"),
    [
        (np.array([True, False]), [b"true", b"false"]),
        (np.array([2**64 - 1, 0], np.uint64), [b"18446744073709551615", b"0"]),
        (np.array([0.1, np.nan], np.float32), [b"0.1", b'""']),
        (np.array([np.nan, np.inf, -np.inf, 0.1]), [b'""', b"inf", b"-inf", b"0.1"]),
        (np.array(["a,b", 'c"d'], object), [b'"a,b"', b'"c""d"']),
        (np.array([[1], [2]], np.longlong), [b"1", b"2"]),
    ],
)
def test_values_are_written_as_they_are_read(array: Any, cells: list[bytes]) -> None:
    assert write_csv(computed(y=array), count=len(array), header=False).splitlines() == cells


def test_an_output_without_a_row_per_record_is_refused() -> None:
    with pytest.raises(UnrepresentableOutput, match="output 'y': expected a row per record \\(2\\), got shape \\[3\\]"):
        write_csv(computed(y=np.zeros(3)), count=2, header=True)


@given(st.lists(st.tuples(st.floats(width=32), st.integers(-(2**63), 2**63 - 1), st.text(max_size=9)), min_size=1))
def test_what_is_written_is_read_again(rows: list[tuple[float, int, str]]) -> None:
    numbers, ages, cities = zip(*rows, strict=True)
    outputs = computed(price=np.array(numbers, np.float32), age=np.array(ages), city=np.array(cities, object))
    if any(not city.isprintable() for city in cities):
        outputs = outputs[:2]
    inputs = tuple(TensorSpec(spec.name, spec.datatype, (-1,)) for spec, _ in outputs)
    found = read_csv(write_csv(outputs, count=len(rows), header=True), inputs, header=True)
    assert np.array_equal(found["price"], np.array(numbers, np.float32), equal_nan=True)
    assert found["age"].tolist() == list(ages)
    if len(outputs) == 3:
        assert found["city"].tolist() == list(cities)


@given(st.text(alphabet='ab1.,"\n\r\t -+e_\u0663', max_size=40), st.booleans())
def test_whatever_comes_is_read_or_refused(text: str, header: bool) -> None:
    for inputs in ((AGE, CITY), (X,), (PRICE,), (OPEN, PLACE)):
        try:
            read_csv(text.encode(), inputs, header=header)
        except InvalidRequest as error:
            assert error.message  # noqa: PT017 - either outcome is right, any other error is not
