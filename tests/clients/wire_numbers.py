"""What protobuf puts on the wire of a module's messages: fields by name, number and type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto

ENUM: Final = FieldDescriptorProto.TYPE_ENUM
INT32: Final = FieldDescriptorProto.TYPE_INT32

Field = tuple[str, int, int, int, str]
"""Name, number, type, label, and of a message its name."""


def numbers(*modules: Any) -> Mapping[str, set[Field]]:
    """Return the fields of each message, by its name within its file; enumerations go as INT32."""
    return dict(found for module in modules for found in _messages(module))


def _messages(module: Any) -> Iterator[tuple[str, set[Field]]]:
    descriptor = FileDescriptorProto()
    file = getattr(module, "DESCRIPTOR", None) or module._FILE
    file.CopyToProto(descriptor)
    yield from _within("", descriptor.message_type)


def _within(outer: str, messages: Any) -> Iterator[tuple[str, set[Field]]]:
    message: DescriptorProto
    for message in messages:
        name = f"{outer}{message.name}"
        yield name, {_field(each) for each in message.field}
        yield from _within(f"{name}.", message.nested_type)


def _field(field: FieldDescriptorProto) -> Field:
    kind = INT32 if field.type == ENUM else field.type
    message = "" if field.type == ENUM else field.type_name.rpartition(".")[2]
    return field.name, field.number, kind, field.label, message
