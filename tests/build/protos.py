"""Makes the message modules of `handlers/server/grpc/protos` from its .proto files: `make protos`.

They are not protoc's own Python files, which refuse an older release of protobuf than the compiler's: these hold a
file's descriptor alone, which any release reads. Types for mypy come from protoc.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from grpc_tools import protoc

FOLDER: Final = Path(__file__).resolve().parents[2] / "handlers/server/grpc/protos"
_WIDTH: Final = 48
"""Bytes of a descriptor per line."""


def generated() -> dict[str, str]:
    """Return the text of each generated file, by its name. Raises: ValueError if protoc refuses a file."""
    found: dict[str, str] = {}
    for source in sorted(FOLDER.glob("*.proto")):
        with TemporaryDirectory() as folder:
            out = Path(folder)
            compiled = out / "descriptors"
            if protoc.main(["", f"-I{FOLDER}", f"--pyi_out={out}", f"--descriptor_set_out={compiled}", str(source)]):
                raise ValueError(f"{source.name}: protoc refuses it")
            (descriptor,) = FileDescriptorSet.FromString(compiled.read_bytes()).file
            descriptor.name = f"warmstart/{source.name}"  # their own files may be loaded beside these
            types = (out / f"{source.stem}_pb2.pyi").read_text(encoding="utf-8")
            found[f"{source.stem}_pb2.pyi"] = types.replace(", _Mapping]", ", _Mapping[str, object]]")  # mypy is strict
            found[f"{source.stem}_pb2.py"] = _module(source.name, descriptor)
    return found


def _module(source: str, descriptor: FileDescriptorProto) -> str:
    content = descriptor.SerializeToString(deterministic=True)
    lines = [f"    {content[place : place + _WIDTH]!r}" for place in range(0, len(content), _WIDTH)]
    classes = [
        f'{message.name} = GetMessageClass(_FILE.message_types_by_name["{message.name}"])'
        for message in descriptor.message_type
    ]
    return "\n".join(
        [
            f'"""The messages of {source}. Written by `make protos`: change that file, not this one."""',
            "",
            "from google.protobuf import descriptor_pool",
            "from google.protobuf.message_factory import GetMessageClass",
            "",
            "_FILE = descriptor_pool.Default().AddSerializedFile(",
            *lines,
            ")",
            *classes,
            "",
        ]
    )


def main() -> int:
    """Write all files."""
    for name, text in generated().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
