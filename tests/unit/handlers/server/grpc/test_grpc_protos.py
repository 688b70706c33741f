"""The generated message modules."""

from __future__ import annotations

from handlers.server.grpc.protos import open_inference_pb2, tensorflow_serving_pb2
from tests.build.protos import FOLDER, generated


def test_the_generated_files_are_those_that_the_proto_files_give() -> None:
    committed = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*_pb2.py*")}

    assert generated() == committed


def test_messages_are_read_whose_fields_are_not_all_known() -> None:
    trace_setting = b"\xc2\x3e\x02\x08\x01"  # field 1000, a message: a later release's

    assert open_inference_pb2.ModelReadyRequest.FromString(b"\x0a\x01x" + trace_setting).name == "x"


def test_a_tensor_has_tensorflows_numbers() -> None:
    message = tensorflow_serving_pb2.TensorProto(dtype=19, half_val=[0x3C00])

    assert message.SerializeToString() == b"\x08\x13\x6a\x02\x80\x78"  # dtype = 1: DT_HALF, half_val = 13, packed
