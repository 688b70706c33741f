"""The protocols that are spoken over gRPC, on the same core as those over HTTP."""
