"""JSON values to tensors, strictly: nothing is rounded to an integer, cut off, or read from text.

numpy alone would turn `1.5` into the INT64 1, `true` into 1.0, `"2"` into 2.0 and 1e39 into infinity. `struct` refuses
all of these but booleans, as fast as numpy converts, so it packs and numpy only looks at the result.

`null` is a missing value where there is a number for it: NaN, in floating point. So read it MLServer (its "Codecs",
"NaN values") and KServe, and imputers and gradient boosting expect it.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import chain
from math import nan, prod
from typing import TYPE_CHECKING, Any, Final, NoReturn

import numpy as np
import orjson

from warmstart.bfloat16 import numbers, rounded, widened
from warmstart.datatypes import FLOATS, Datatype
from warmstart.errors import InvalidValue, MalformedBody, UnrepresentableOutput, WrongShape
from warmstart.tensors import too_large

if TYPE_CHECKING:
    from warmstart.tensors import Tensor, TensorSpec

_FORMATS: Final[dict[str, tuple[str, np.dtype[Any]]]] = {
    "UINT8": ("B", np.dtype(np.uint8)),
    "UINT16": ("H", np.dtype(np.uint16)),
    "UINT32": ("I", np.dtype(np.uint32)),
    "UINT64": ("Q", np.dtype(np.uint64)),
    "INT8": ("b", np.dtype(np.int8)),
    "INT16": ("h", np.dtype(np.int16)),
    "INT32": ("i", np.dtype(np.int32)),
    "INT64": ("q", np.dtype(np.int64)),
    "FP16": ("e", np.dtype(np.float16)),
    "BF16": ("f", np.dtype(np.float32)),
    "FP32": ("f", np.dtype(np.float32)),
    "FP64": ("d", np.dtype(np.float64)),
}
"""How `struct` writes a number, and how numpy reads it: BF16 is rounded afterwards."""
_EXACT: Final = {"BOOL": bool, "BYTES": str}
_SHOWN: Final = 60
_NESTED: Final = frozenset((dict, list))
_COLONS: Final = (b'":', b" :", b"\n:", b"\r:", b"\t:")
"""Every colon after a name, and few of those in texts."""

_SHORT: Final = 1024
"""Bytes of JSON that are searched through as quickly as an array of numbers is looked at."""
_MANY: Final = 1000
"""Values of which it pays not to look at each."""

Place = Callable[[int], str]
"""Says where the element of this index stands, for a message."""


def load_json(body: bytes) -> Any:
    """Read a JSON document: RFC 8259, so no NaN and no Infinity, and numbers within FP64; no name twice in an object.

    Raises: MalformedBody.
    """
    document = parse_json(body)
    check_names(body, document)
    return document


def parse_json(body: bytes) -> Any:
    """Read a JSON document as `load_json` does, but for names that come again. Raises: MalformedBody."""
    if not body:
        raise MalformedBody("body: expected JSON, got nothing")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedBody(f"body: expected JSON, got {error.msg} at character {error.pos}{_remedy(error)}") from None


def check_names(body: bytes, document: Any) -> None:
    """Check that no object of a document has a name twice, of which orjson keeps the last. Raises: MalformedBody."""
    # Each name has a colon: as many colons as names, and none was dropped.
    names = _count_names(document)
    if body.count(b":") != names and sum(map(body.count, _COLONS)) != names:
        try:
            json.loads(body, object_pairs_hook=once)
        except RecursionError:
            raise MalformedBody("body: expected JSON nested less deep, got close to 1024 levels") from None


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of its names and values. Raises: MalformedBody if a name comes again."""
    found = dict(pairs)
    if len(found) != len(pairs):
        last = {name: index for index, (name, _) in enumerate(pairs)}
        again = next(name for index, (name, _) in enumerate(pairs) if last[name] != index)
        raise MalformedBody(f"body: expected each name once in an object, got {again[:80]!r} again")
    return found


def _count_names(document: Any) -> int:
    """Count the names of all objects. One in an array that begins with a number or text is missed: it is a mistake."""
    count, rest = 0, [document]
    for value in rest:  # which grows meanwhile
        if type(value) is dict:
            count += len(value)
            rest += [
                each
                for each in value.values()
                if type(each) is dict or (type(each) is list and each and type(each[0]) in _NESTED)
            ]
        elif type(value) is list and value and type(value[0]) in _NESTED:
            rest += value
    return count


def _remedy(error: orjson.JSONDecodeError) -> str:
    at = error.doc[error.pos : error.pos + 9].lstrip("-")
    if at.startswith(("NaN", "Infinity")):
        return "; JSON has no NaN and no Infinity: a missing value is null"
    return ""


def shown(value: object) -> str:
    """Write a JSON value for a message, short and harmless: containers are only named, as they may be deep."""
    text = kind_of(value) if isinstance(value, list | dict) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def kind_of(value: object) -> str:
    """Name the JSON type of a value, for a message."""
    return {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}.get(
        type(value), "a number"
    )


def at_index(index: int) -> str:
    """Say where an element stands: its row-major index."""
    return f"at index {index}"


def tensor(data: list[Any], datatype: Datatype, shape: tuple[int, ...], name: str) -> Tensor:
    """Build a tensor of this shape from a flat list in row-major order, or from lists nested as the shape.

    Raises: WrongShape, InvalidValue; each names the tensor.
    """
    values = flatten(data, shape, name) if data and type(data[0]) is list else data
    if len(values) != prod(shape):
        raise WrongShape(
            f"input {name!r}: shape {list(shape)} holds {prod(shape)} values, its data has {len(values)}", tensor=name
        )
    try:
        return pack(values, datatype, name, shape=shape)
    except (ValueError, OverflowError):
        raise too_large(shape, name) from None


def flatten(data: list[Any], shape: tuple[int, ...], name: str) -> list[Any]:
    """Flatten lists that are nested exactly as the shape says. Raises: WrongShape."""
    sizes: tuple[int, ...] = (len(data),)
    level = data
    for depth, size in enumerate(shape):
        if depth:
            if set(map(type, level)) - {list}:
                _refuse_nesting(name, shape, f"a value at depth {depth}, where an array of {size} belongs")
            sizes = tuple(set(map(len, level)))
            level = list(chain.from_iterable(level))
        if sizes and sizes != (size,):
            found = " and ".join(str(found) for found in sorted(sizes)[:3])
            _refuse_nesting(name, shape, f"arrays of {found} at depth {depth}, where {size} belong")
    return level


def _refuse_nesting(name: str, shape: tuple[int, ...], found: str) -> NoReturn:
    raise WrongShape(
        f"input {name!r}: expected data flat, or nested as its shape {list(shape)}; got {found}", tensor=name
    )


def pack(
    values: list[Any],
    datatype: Datatype,
    name: str,
    place: Place = at_index,
    *,
    shape: tuple[int, ...] | None = None,
) -> Tensor:
    """Build a tensor, of one dimension unless a shape is given that holds as many. None is a missing value.

    Raises: InvalidValue, WrongShape; ValueError or OverflowError for a shape that no array can have.
    """
    element = datatype.name
    if element in _EXACT:
        if set(map(type, values)) - {_EXACT[element]}:
            _refuse_value(values, datatype, name, place)
        array: Tensor = np.array(values, datatype.numpy)
        return array if shape is None else array.reshape(shape)
    write, kind, false, true = _writer(element, len(values))
    try:
        packed = write(*values)
    except (struct.error, OverflowError):
        if element in FLOATS and type(None) in set(map(type, values)):  # here, where values without one cost nothing
            return pack([nan if value is None else value for value in values], datatype, name, place, shape=shape)
        _refuse_value(values, datatype, name, place)
    array = np.ndarray((len(values),) if shape is None else shape, kind, packed)
    # `struct` packs booleans as 0 and 1, so there are none where neither is. Of many values, those are looked at alone.
    if len(values) >= _MANY:
        if bool in set(map(type, _suspects(values, array))):
            _refuse_value(values, datatype, name, place)
    elif (packed.find(false) >= 0 or packed.find(true) >= 0) and bool in set(map(type, values)):
        _refuse_value(values, datatype, name, place)
    if element != "BF16":
        return array
    if _overflows(array):
        _refuse_value(values, datatype, name, place)
    return rounded(array)


@lru_cache(maxsize=256)
def _writer(element: str, count: int) -> tuple[Callable[..., bytes], np.dtype[Any], bytes, bytes]:
    """Return what packs so many values, how numpy reads them, and what 0 and 1 are packed as."""
    code, kind = _FORMATS[element]
    # '<': standard sizes, and overflow of a 16 or 32 bit float is an error ("struct", Format characters).
    return struct.Struct(f"<{count}{code}").pack, kind, struct.pack(f"<{code}", 0), struct.pack(f"<{code}", 1)


def _suspects(values: list[Any], array: Tensor) -> list[Any]:
    """Return the values that may be booleans, 0 and 1: of an image's floats they are few."""
    found = np.flatnonzero((array == 0) | (array == 1))
    return values if len(found) > len(values) // 8 else [values[index] for index in found.tolist()]


def _overflows(singles: Tensor) -> bool:
    """Say whether BF16 is too narrow for some number."""
    return bool((np.isinf(widened(rounded(singles))) & np.isfinite(singles)).any())


def _refuse_value(values: list[Any], datatype: Datatype, name: str, place: Place) -> NoReturn:
    index = next(index for index, value in enumerate(values) if not _holds(datatype, value))
    value = values[index]
    if type(value) is list:
        raise WrongShape(f"input {name!r}: expected {datatype.name} values, got an array {place(index)}", tensor=name)
    raise InvalidValue(
        f"input {name!r}: expected {_expected(datatype)}, got {shown(value)} ({_kind(value)}) {place(index)}",
        tensor=name,
    )


def _kind(value: object) -> str:
    return "a missing value: only FP16, BF16, FP32 and FP64 have one" if value is None else kind_of(value)


def _holds(datatype: Datatype, value: object) -> bool:
    if (exact := _EXACT.get(datatype.name)) is not None:
        return type(value) is exact
    try:
        packed = struct.pack(f"<{_FORMATS[datatype.name][0]}", value)
    except (struct.error, OverflowError):
        return False
    if datatype.name == "BF16" and _overflows(np.frombuffer(packed, np.float32)):
        return False
    return type(value) is not bool


def _expected(datatype: Datatype) -> str:
    match datatype.name:
        case "BOOL":
            return "BOOL values (true or false)"
        case "BYTES":
            return "BYTES values (strings)"
        case "BF16":
            return "BF16 values (up to 3.39e+38)"
        case "FP16" | "FP32" | "FP64":
            return f"{datatype.name} values (up to {float(np.finfo(datatype.numpy).max):.4g})"
        case _:
            info = np.iinfo(datatype.numpy)
            return f"{datatype.name} values (whole numbers from {info.min} to {info.max})"


def check_finite(array: Tensor) -> int | None:
    """Return the row-major index of the first NaN or infinity, None if there is none."""
    if array.dtype.kind != "f":
        return None
    finite = np.isfinite(array)
    if np.count_nonzero(finite) == array.size:
        return None
    return int(np.argmin(finite))


def json_data(datatype: str, array: Tensor) -> Any:
    """Return an output's values for JSON, flat and row-major; `dump_outputs` refuses NaN and infinity."""
    if datatype == "BYTES":
        return array.ravel().tolist()
    return (widened(array) if datatype == "BF16" else array).ravel()


def refuse_not_finite(spec: TensorSpec, array: Tensor) -> None:
    """Raises: UnrepresentableOutput if a value is NaN or infinite."""
    if (index := check_finite(array)) is not None:
        raise UnrepresentableOutput(
            f"output {spec.name!r}: expected finite {spec.datatype} values, got {array.ravel()[index]} "
            f"at index {index} of shape {list(array.shape)}; JSON cannot hold it"
        )


def dump_outputs(document: object, outputs: Iterable[tuple[TensorSpec, Tensor]]) -> bytes:
    """Write JSON with the values of these outputs in it. Raises: UnrepresentableOutput, for NaN and infinity too."""
    try:  # as `dump` does, without a call of it
        body = orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
    except orjson.JSONEncodeError as error:
        raise _unrepresentable(error) from None
    # orjson writes NaN and infinity as null. To look for it in a long text takes longer than to look at the numbers.
    if len(body) > _SHORT or body.find(b"null") >= 0:  # `in` would first try whether it is a number
        for spec, array in outputs:
            refuse_not_finite(spec, numbers(spec, array))
    return body


def dump(document: object) -> bytes:
    """Write JSON; numpy arrays and numbers in it keep their own precision. Raises: UnrepresentableOutput."""
    try:
        return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
    except orjson.JSONEncodeError as error:
        raise _unrepresentable(error) from None


def _unrepresentable(error: orjson.JSONEncodeError) -> UnrepresentableOutput:
    return UnrepresentableOutput(f"outputs: expected what JSON can hold, got: {error}")
