# ruff: noqa: E501 - one row per line, as in the table that they become
"""Bodies of the plain protocol that are no JSON and are answered with an error; `docs/errors.md` shows these tables.

Tables go to `adder` and `doubler`. Files go to `text`, which takes one text, and `image`, which takes one image.
"""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow

from model_store.preprocessing.declared import ImageInput, TextInput
from tests.build.bad_input import Row
from tests.build.inference import World, event
from tests.build.prepared import colour_mean, image_folder, picture, publish, text_folder, token_counter

CSV, ARROW = "text/csv", "application/vnd.apache.arrow.stream"
JSON, TEXT, PNG, JPEG = "application/json", "text/plain", "image/png", "image/jpeg"


def world(tmp: Path) -> World:
    """A data plane with the models that take files."""
    built = World(tmp / "lambda")
    declared = (
        ("text", token_counter(), text_folder(_made(tmp / "text"), TextInput(("input_ids", "attention_mask")))),
        ("image", colour_mean(), image_folder(_made(tmp / "image"), ImageInput("pixel_values", "bilinear", (4, 4)))),
    )
    for name, graph, files in declared:
        publish(built, tmp / name, graph, files, name=name)
    return built


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def row(kind: str, model: str, what: str, body: bytes, code: str, message: str, *, status: int = 400) -> Row:
    """A row of bytes that say what they are."""
    sent = {"headers": {"content-type": kind}, "isBase64Encoded": True}
    return Row(what, event("POST", f"/predict/{model}", b64encode(body).decode(), **sent), status, message, code)


def csv(what: str, body: bytes, code: str, message: str, *, model: str = "adder") -> Row:
    """A row in CSV."""
    return row(CSV, model, what, body, code, message)


def arrow(what: str, body: bytes, code: str, message: str, *, model: str = "adder") -> Row:
    """A row in Arrow."""
    return row(ARROW, model, what, body, code, message)


def stream(**columns: Any) -> bytes:
    """An Arrow stream of one batch."""
    table = pyarrow.table(columns)
    sink = BytesIO()
    with pyarrow.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


GOOD = stream(a=[1, 2], b=[10.0, 20.5])
"""What pyarrow writes: the schema in bytes 0 to 175; the batch's description from 176, its 32 bytes of values at the end."""


def lying(at: int, said: int, lie: int) -> bytes:
    """The stream with another whole number of 8 bytes in one place."""
    assert int.from_bytes(GOOD[at : at + 8], "little") == said
    return GOOD[:at] + lie.to_bytes(8, "little", signed=True) + GOOD[at + 8 :]


def file_format() -> bytes:
    """The same table as a file, which is not a stream."""
    table = pyarrow.table({"a": [1], "b": [2]})
    sink = BytesIO()
    with pyarrow.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def compressed() -> bytes:
    """A stream whose buffers are compressed."""
    table = pyarrow.table({"a": [1.0] * 100, "b": [1.0] * 100})
    sink = BytesIO()
    options = pyarrow.ipc.IpcWriteOptions(compression="zstd")
    with pyarrow.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    return sink.getvalue()


def lying_text() -> bytes:
    """A stream of two texts, the second of which begins far behind them."""
    texts = stream(a=["ab", "cd"], b=[1.0, 2.0])
    offsets = b"".join(offset.to_bytes(4, "little") for offset in (0, 2, 4))
    assert texts.count(offsets) == 1
    return texts.replace(offsets, offsets[:4] + (100).to_bytes(4, "little") + offsets[8:])


def chunk(kind: bytes, content: bytes) -> bytes:
    """A part of a PNG file."""
    return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")


def png(width: int, height: int) -> bytes:
    """A file of 72 bytes that says that it is so large."""
    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x02\x00\x00\x00"
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(4), 0)) + chunk(b"IEND", b"")
    )


CSV_ROWS = [
    csv("an empty body", b"", "malformed_body", "body: expected at least one row of CSV, got none"),
    csv("a header alone", b"a,b\n", "malformed_body", "body: expected at least one row of CSV below its header, got none"),
    csv("ragged rows", b"a,b\n1,2\n3\n", "malformed_body", "body: expected 2 columns in every row, got 1 in record 1"),
    csv("a column twice", b"a,b,a\n1,2,3\n", "malformed_body", "body: expected each column once, got 'a' again"),
    csv("a column too few", b"a\n1\n", "missing_tensor", "input 'b': expected a column 'b' of FP32, got none (the header has: a)"),
    csv("a column too many", b"a,b,c\n1,2,3\n", "unknown_tensor", "column 'c': the model has no such input (it has 2 columns: a, b)"),
    csv("columns of another number, one input", b"w,h,d\n1,2,3\n", "malformed_body", "body: expected 2 columns (x: FP32 [-1, 2]), got 3 in the header", model="doubler"),
    csv("text among numbers", b"a,b\n1,2\n3,x\n", "invalid_value", "input 'b': expected FP32 values (up to 3.403e+38), got \"x\" (a string) in record 1"),
    csv("a number above the datatype", b"a,b\n1,1e39\n", "invalid_value", "input 'b': expected FP32 values (up to 3.403e+38), got 1e+39 (a number) in record 0"),
    csv("bytes that are not UTF-8", b"a,b\n1,\xff\n", "malformed_body", "body: expected CSV in UTF-8, got another byte at 6"),
    csv("UTF-16", "a,b\n1,2\n".encode("utf-16"), "malformed_body", "body: expected CSV in UTF-8, got another byte at 0"),
    csv("a zero byte", b"a,b\n1,2\x00\n", "invalid_value", "input 'b': expected FP32 values (up to 3.403e+38), got \"2\\u0000\" (a string) in record 0"),
    csv("a quote without an end", b'a,b\n1,"2\n', "malformed_body", "body: expected CSV, got: unexpected end of data (line 2)"),
    csv("text after a quote", b'a,b\n1,"2"3\n', "malformed_body", "body: expected CSV, got: ',' expected after '\"' (line 2)"),
    csv("a cell of 200,000 characters", b"a,b\n1," + b"1" * 200_000 + b"\n", "malformed_body", "body: expected CSV, got: field larger than field limit (131072) (line 2)"),
]  # fmt: skip

ARROW_ROWS = [
    arrow("an empty body", b"", "malformed_body", "body: expected an Arrow IPC stream, got none: it has no schema"),
    arrow("no stream", b"a,b\n1,2\n", "malformed_body", "body: expected an Arrow IPC stream, got no message at byte 0"),
    arrow("a file in place of a stream", file_format(), "malformed_body", "body: expected an Arrow IPC stream, got no message at byte 0"),
    arrow("a schema alone", GOOD[:176], "malformed_body", "body: expected at least one row and one column of Arrow, got none"),
    arrow("a schema whose end is missing", GOOD[:100], "malformed_body", "body: expected an Arrow IPC stream, got 168 bytes at 8 of 100"),
    arrow("a batch whose end is missing", GOOD[:390], "malformed_body", "body: expected an Arrow IPC stream, got 32 bytes at 368 of 390"),
    arrow("a description longer than the body", lying(176, 0xB8FFFFFFFF, 0x7FFFFFFFFFFFFFFF), "malformed_body", "body: expected an Arrow IPC stream, got 2147483647 bytes at 184 of 408"),
    arrow("values longer than the body", lying(216, 32, 2**40), "malformed_body", "body: expected an Arrow IPC stream, got 1099511627776 bytes at 368 of 408"),
    arrow("a negative length of values", lying(216, 32, -1), "malformed_body", "body: expected an Arrow IPC stream, got -1 bytes at 368 of 408"),
    arrow("more rows than values", lying(248, 2, 2**40), "malformed_body", "body: expected an Arrow IPC stream, got columns that have not the 1099511627776 rows of their batch"),
    arrow("a column longer than its batch", lying(336, 2, 3), "malformed_body", "body: expected an Arrow IPC stream, got 16 bytes where 3 numbers belong"),
    arrow("a buffer beyond the values", lying(280, 0, 2**40), "malformed_body", "body: expected an Arrow IPC stream, got 16 bytes at 1099511627776 of 32"),
    arrow("a buffer shorter than its rows", lying(288, 16, 8), "malformed_body", "body: expected an Arrow IPC stream, got 8 bytes where 2 numbers belong"),
    arrow("text whose offsets lie", lying_text(), "malformed_body", "body: expected an Arrow IPC stream, got offsets of text that are not in order"),
    arrow("compressed buffers", compressed(), "malformed_body", "body: expected an Arrow IPC stream, got compressed buffers; write it without compression (a content-encoding may compress all)"),
    arrow("a column too few", stream(a=[1.0]), "missing_tensor", "input 'b': expected a column of FP32, got none (came: a)"),
    arrow("a column too many", stream(a=[1.0], b=[1.0], c=[1.0]), "unknown_tensor", "column 'c': the model has no such input (it has: a, b)"),
    arrow("no rows", stream(a=pyarrow.array([], "f4"), b=pyarrow.array([], "f4")), "malformed_body", "body: expected at least one row and one column of Arrow, got none"),
    arrow("text among numbers", stream(a=["1"], b=[1.0]), "invalid_value", "column 'a': expected FP32 values, got text"),
    arrow("a number above the datatype", stream(a=[1e39], b=[1.0]), "invalid_value", "column 'a': expected FP32 values, got 1e+39 in record 0"),
    arrow("lists where one value belongs", stream(a=[[1.0, 2.0]], b=[1.0]), "wrong_shape", "input 'a': expected shape [-1, 1] (-1 is any size), got [1, 2]"),
    arrow("lists of several lengths", stream(x=[[1.0, 2.0], [3.0]]), "malformed_body", "column 'x': expected lists of one length in all rows, got several", model="doubler"),
    arrow("a dictionary", stream(a=pyarrow.array(["1"]).dictionary_encode(), b=[1.0]), "malformed_body", "column 'a': expected numbers, booleans, text, or lists of them, got a dictionary; send its values, not their numbers"),
    arrow("times", stream(a=pyarrow.array([1], pyarrow.timestamp("s")), b=[1.0]), "malformed_body", "column 'a': expected numbers, booleans, text, or lists of them, got timestamp"),
]  # fmt: skip

RED = b64decode(picture((9, 7), (255, 0, 0)))
FILE_ROWS = [
    row(TEXT, "text", "an empty text", b"", "malformed_body", "body: expected text/plain, got nothing"),
    row(TEXT, "text", "text that is not UTF-8", b"good \xff", "malformed_body", "body: expected text in UTF-8, got another byte at 5"),
    row(TEXT, "image", "text to a model of images", b"cat", "unsupported_media_type", "content-type: expected application/json or text/csv or application/vnd.apache.arrow.stream or image/jpeg or image/png for the model image, got text/plain: it has no input 'text' alone", status=415),
    row(PNG, "text", "an image to a model of text", RED, "unsupported_media_type", "content-type: expected application/json or text/csv or application/vnd.apache.arrow.stream or text/plain for the model text, got image/png: it has no input 'image' alone", status=415),
    row(PNG, "image", "an empty image", b"", "malformed_body", "body: expected image/png, got nothing"),
    row(JPEG, "image", "an image that is none", b"not an image", "invalid_value", "input 'image': expected a JPEG or PNG file, got 12 bytes in row 0 that are none: UnidentifiedImageError"),
    row("image/gif", "image", "an image of another kind", b"GIF89a", "unsupported_media_type", "content-type: expected application/json or text/csv or application/vnd.apache.arrow.stream or text/plain or image/jpeg or image/png, got 'image/gif'", status=415),
    row(PNG, "image", "a GIF that says it is a PNG", b"GIF89a\x01\x00\x01\x00\x00\x00\x00", "invalid_value", "input 'image': expected a JPEG or PNG file, got 13 bytes in row 0 that are none: UnidentifiedImageError"),
    row(PNG, "image", "an image whose end is missing", RED[:50], "invalid_value", "input 'image': expected a JPEG or PNG file, got 50 bytes in row 0 that are none: OSError"),
    row(PNG, "image", "72 bytes of 50,000 x 50,000 pixels", png(50_000, 50_000), "invalid_value", "input 'image': expected an image of at most 67108864 pixels, got more in row 0"),
    row(PNG, "image", "72 bytes of 9,000 x 9,000 pixels", png(9_000, 9_000), "invalid_value", "input 'image': expected an image of at most 67108864 pixels, got 9000 by 9000 in row 0"),
    row(PNG, "image", "72 bytes of 4,000 x 4,000 pixels", png(4_000, 4_000), "invalid_value", "input 'image': expected a JPEG or PNG file, got 72 bytes in row 0 that are none: OSError"),
    row(PNG, "image", "an image with a comment of 100 MB in 100 kB", (RED[:33] + chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(100_000_000))) + RED[33:]).ljust(100_000), "invalid_value", "input 'image': expected a JPEG or PNG file, got 100000 bytes in row 0 that are none: ValueError"),
    row(PNG, "image", "an image of no width", png(0, 1), "invalid_value", "input 'image': expected a JPEG or PNG file, got 72 bytes in row 0 that are none: UnidentifiedImageError"),
    row("multipart/form-data; boundary=B", "text", "a form", b"--B--", "unsupported_media_type", "content-type: expected application/json or text/csv or application/vnd.apache.arrow.stream or text/plain or image/jpeg or image/png, got 'multipart/form-data; boundary=B'", status=415),
    row(JSON, "image", "an image without base64", b'{"image": "\\u00ff\\u00d8"}', "invalid_value", "input 'image': expected an image file in base64, got 'ÿØ' in row 0: string argument should contain only ASCII characters"),
]  # fmt: skip

TABLES = {"Plain: CSV": CSV_ROWS, "Plain: Arrow": ARROW_ROWS}
FILES = {"Plain: text and images": FILE_ROWS}
