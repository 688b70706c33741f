"""Read rows from CSV, Parquet, JSON lines or npz, recognised by their content.

Numbers, booleans and text keep their type. A null among numbers is NaN, as scikit-learn's users know it; an empty
field of a CSV text column is the empty text, as CSV cannot tell the two apart.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from json import loads
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from model_store.convert.archive import unpacked_bytes
from model_store.convert.source import Sample, lacks
from warmstart.errors import InvalidSample

if TYPE_CHECKING:
    import pyarrow as pa

Array = NDArray[Any]
MOST_BYTES: Final = 4 * 2**30
"""Rows are held in memory whole."""
_ELEMENT_BYTES: Final = 8
_BLOCK_BYTES: Final = 64 * 2**20
"""No row of text is longer: an image in base64 fits."""
_NESTED: Final = 1000
"""So many brackets in a line may be nested deeper than pyarrow bears, which ends the process."""
_FEWER: Final = f": expected at most {MOST_BYTES // 2**20:,}: fewer rows are enough"
_KINDS: Final = "a CSV with a header, Parquet, JSON lines (one object per line) or npz"


def read_sample(path: Path) -> Sample:
    """Read rows from CSV, Parquet, JSON lines or npz.

    Raises: InvalidSample, naming the column, what was expected and what came; Unreachable if a package is missing.
    """
    if not path.is_file():
        found = "a folder" if path.is_dir() else "no regular file" if path.exists() else "nothing"
        raise InvalidSample(f"{path}: expected {_KINDS}, found {found}")
    if (size := max(path.stat().st_size, unpacked_bytes(path))) > MOST_BYTES:
        raise InvalidSample(f"{path}: {size / 2**20:,.0f} MB of rows{_FEWER}")
    sample = Sample(_reader(path)(path), path.name)
    if not sample.columns:
        raise InvalidSample(f"{path}: expected at least one column, got none")
    if not sample.rows:
        raise InvalidSample(f"{path}: expected at least one row, got none")
    return sample


def labelled(sample: Sample, truth: str) -> Sample:
    """Take the column `truth` for the right answers, and out of the rows. Raises: InvalidSample."""
    columns, where = dict(sample.columns), sample.origin
    if truth not in columns:
        raise InvalidSample(f"{where}: no column {truth!r} of right answers{_meant(truth, list(columns))}")
    answers = columns.pop(truth)
    if not columns:
        raise InvalidSample(f"{where}: expected columns beside the right answers {truth!r}, got none")
    rows = Sample(columns, where, answers)
    if len(answers) != rows.rows:
        raise InvalidSample(f"{where}: {len(answers)} right answers {truth!r} for {rows.rows} rows: expected as many")
    return rows


def _meant(name: str, names: list[str]) -> str:
    """Suggest what was meant, or list what there is."""
    if close := get_close_matches(name, names, 1):
        return f": did you mean {close[0]!r}?"
    return f": it has {', '.join(names[:10])}{', ...' if len(names) > 10 else ''}"


def _reader(path: Path) -> Callable[[Path], dict[str, Array]]:
    """Choose by the first bytes."""
    with path.open("rb") as file:
        start = file.read(4096)
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text:
        raise InvalidSample(f"{path}: expected {_KINDS}, got an empty file")
    if start.startswith(b"PAR1"):
        return _read_parquet
    if start.startswith(b"PK\x03\x04"):
        return _read_npz
    if path.suffix in (".parquet", ".npz") or b"\0" in start:
        raise InvalidSample(f"{path}: expected {_KINDS}; it begins with {start[:8]!r}: it is damaged, or none of these")
    if text.startswith(b"{"):
        return _read_json_lines
    if text.startswith(b"["):
        raise InvalidSample(f"{path}: expected JSON lines, one object per line; got a JSON array: {_JSON_LINES}")
    return _read_csv


_PANDAS_INDEX: Final = re.compile(r"__index_level_\d+__$")
"""What pandas calls the index of a frame when it writes Parquet: no column of the frame."""
_JSON_LINES: Final = "pandas writes them by `frame.to_json(path, orient='records', lines=True)`"


def _read_parquet(path: Path) -> dict[str, Array]:
    arrow = _pyarrow()
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(path)
        if (size := _ELEMENT_BYTES * file.metadata.num_rows * file.metadata.num_columns) > MOST_BYTES:
            raise InvalidSample(f"{path}: {size / 2**20:,.0f} MB of rows{_FEWER}")
        table = file.read()
        index = [name for name in table.column_names if _PANDAS_INDEX.match(name)]
        return _columns(path, table.drop_columns(index))
    except (arrow.ArrowException, OSError, UnicodeDecodeError) as error:
        raise InvalidSample(f"{path}: not readable as Parquet: {_first_line(error)}: write it again") from error


def _read_csv(path: Path) -> dict[str, Array]:
    arrow = _pyarrow()
    from pyarrow import csv

    def read(types: Mapping[str, pa.DataType]) -> pa.Table:
        return csv.read_csv(
            path,
            read_options=csv.ReadOptions(block_size=_BLOCK_BYTES),
            convert_options=csv.ConvertOptions(column_types=types),
        )

    try:
        return _columns(path, _with_times_as_text(read))
    except (arrow.ArrowException, UnicodeDecodeError) as error:  # the latter of a name that is not UTF-8
        raise InvalidSample(f"{path}: not readable as CSV: {_first_line(error)}") from error


def _read_json_lines(path: Path) -> dict[str, Array]:
    _refuse_deep(path)
    arrow = _pyarrow()
    from pyarrow import json

    def read(types: Mapping[str, pa.DataType]) -> pa.Table:
        schema = arrow.schema(list(types.items())) if types else None
        return json.read_json(
            path,
            read_options=json.ReadOptions(block_size=_BLOCK_BYTES),
            parse_options=json.ParseOptions(explicit_schema=schema),
        )

    try:
        return _columns(path, _with_times_as_text(read))
    except (arrow.ArrowException, UnicodeDecodeError) as error:
        raise InvalidSample(f"{path}: not readable as JSON lines: {_first_line(error)}") from error


def _refuse_deep(path: Path) -> None:
    """Read lines of many brackets with the standard library first, which refuses what is nested too deeply."""
    with path.open("rb") as file:
        for line in file:
            if line.count(b"[") + line.count(b"{") > _NESTED:
                try:
                    loads(line)
                except RecursionError as error:
                    raise InvalidSample(
                        f"{path}: expected numbers, booleans or text, got deeply nested values"
                    ) from error
                except ValueError:  # pyarrow says what is wrong with it
                    pass


def _with_times_as_text(read: Callable[[Mapping[str, pa.DataType]], pa.Table]) -> pa.Table:
    """Read text that looks like a date or a time as the text that it is: both formats know no other."""
    from pyarrow import string, types

    table = read({})
    if len(set(table.column_names)) < len(table.column_names):
        return table
    times = {field.name: string() for field in table.schema if types.is_temporal(field.type)}
    return read(times).select(table.column_names) if times else table


def _columns(path: Path, table: pa.Table) -> dict[str, Array]:
    names = table.column_names
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InvalidSample(f"{path}: expected each column once, got {', '.join(map(repr, twice))} again: rename it")
    return {name: _column(f"{path}: column {name!r}", table.column(name)) for name in names}


def _column(where: str, column: pa.ChunkedArray) -> Array:
    from pyarrow import types

    kind = column.type
    if types.is_dictionary(kind):
        return _column(where, column.cast(kind.value_type))
    if types.is_null(kind):
        return np.full(len(column), np.nan)
    if types.is_integer(kind) or types.is_floating(kind):
        return np.array(column.to_numpy())  # integers with nulls among them come as FP64, null as NaN
    if types.is_boolean(kind):
        return _filled(where, column, "true or false", np.dtype(bool))
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return _filled(where, column, "text", np.dtype(object))
    raise InvalidSample(f"{where}: expected numbers, booleans or text, got {str(kind)[:80]}: {_remedy(kind)}")


def _filled(where: str, column: pa.ChunkedArray, what: str, dtype: np.dtype[Any]) -> Array:
    if column.null_count:
        row = column.is_null().to_pylist().index(True)
        raise InvalidSample(
            f"{where}: expected {what} in every row, got null in row {row} ({column.null_count} in all): a request "
            "cannot leave it out either; fill it with what the model was trained on, or drop these rows"
        )
    return np.array(column.to_pylist(), dtype)


def _remedy(kind: pa.DataType) -> str:
    from pyarrow import types

    if types.is_temporal(kind):
        return "make numbers or text of it, as the model was trained on"
    if types.is_decimal(kind):
        return "write it as a floating-point number"
    if types.is_binary(kind) or types.is_large_binary(kind):
        return "text is read as UTF-8: save it so"
    return "one column per value; tensors belong into an npz file"


def _read_npz(path: Path) -> dict[str, Array]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:  # a path it leaves open if damaged
            return {name: _array(f"{path}: array {name!r}", arrays[name]) for name in arrays.files}
    except ValueError as error:  # numpy's word for an object array, and for a damaged one
        reason = str(error)
        hint = (
            "save numbers or text of a fixed width, e.g. `array.astype(str)`" if "pickle" in reason else "save it again"
        )
        raise InvalidSample(f"{path}: not readable as npz: {reason}: {hint}") from error
    except (OSError, EOFError, MemoryError, SyntaxError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise InvalidSample(f"{path}: not readable as npz: {error}: save it again with numpy.savez") from error


def _array(where: str, array: Array) -> Array:
    if not isinstance(array, np.ndarray):  # a member of the archive that is no array comes as bytes
        raise InvalidSample(f"{where}: expected an array: save it again with numpy.savez")
    if array.dtype.kind == "U":
        return array.astype(object)
    if array.dtype.kind not in "biuf":
        raise InvalidSample(f"{where}: expected numbers, booleans or text, got {array.dtype}: convert it")
    if not array.ndim:
        raise InvalidSample(f"{where}: expected rows along the first axis, got a single value")
    return array


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]


def _pyarrow() -> Any:
    try:
        import pyarrow
    except ImportError as error:
        raise lacks(error, "convert") from error
    return pyarrow
