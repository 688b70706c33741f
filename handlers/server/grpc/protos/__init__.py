"""Messages of the protocols over gRPC: the .proto files, and what `make protos` makes of them."""
