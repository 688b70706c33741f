"""Forms."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmstart.errors import MalformedBody
from warmstart.protocols.multipart import read_fields

FORM = (
    b'--B7\r\nContent-Disposition: form-data; name="data"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
    b'\xff\xd8\r\n--B\r\n\r\n--B7\r\ncontent-disposition: form-data; name="body"\r\n\r\n\r\n--B7--\r\n'
)


def test_fields_are_read_in_order_byte_for_byte() -> None:
    assert read_fields(FORM, "B7") == [("data", b"\xff\xd8\r\n--B\r\n"), ("body", b"")]


@pytest.mark.parametrize(
    ("body", "boundary", "message"),
    [
        (FORM, "", "content-type: expected a boundary of 1 to 70 characters, got ''"),
        (FORM, "b" * 71, "content-type: expected a boundary of 1 to 70 characters"),
        (FORM, "other", "body: expected a form with at least one field, and its end"),
        (FORM[:-8], "B7", "body: expected a form with at least one field, and its end"),
        (b"--B7--", "B7", "body: expected a form with at least one field, and its end"),
        (b"--B7\r\n\r\n\r\n--B7--", "B7", "body: expected each field of the form to have a name"),
        (b'--B7\r\nname="x"\r\n--B7--', "B7", "body: expected each field of the form to have a name"),
    ],
)
def test_what_is_no_form_is_refused(body: bytes, boundary: str, message: str) -> None:
    with pytest.raises(MalformedBody) as refused:
        read_fields(body, boundary)
    assert refused.value.message.startswith(message)


@given(st.integers(0, len(FORM)), st.binary(max_size=4))
def test_any_change_is_read_or_refused(at: int, change: bytes) -> None:
    try:
        read_fields(FORM[:at] + change + FORM[at:], "B7")
    except MalformedBody as error:
        assert error.message  # noqa: PT017 - either outcome is right, any other error is not
