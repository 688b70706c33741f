"""The messages of health.proto. Written by `make protos`: change that file, not this one."""

from google.protobuf import descriptor_pool
from google.protobuf.message_factory import GetMessageClass

_FILE = descriptor_pool.Default().AddSerializedFile(
    b'\n\x16warmstart/health.proto\x12\x10warmstart.health".\n\x12He'
    b'althCheckRequest\x12\x18\n\x07service\x18\x01 \x01(\tR\x07service"-\n\x13He'
    b'althCheckResponse\x12\x16\n\x06status\x18\x01 \x01(\x05R\x06statusb\x06proto'
    b'3'
)
HealthCheckRequest = GetMessageClass(_FILE.message_types_by_name["HealthCheckRequest"])
HealthCheckResponse = GetMessageClass(_FILE.message_types_by_name["HealthCheckResponse"])
