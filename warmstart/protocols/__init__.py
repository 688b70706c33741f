"""Wire protocols: bytes to values and back. No HTTP, no store, no session."""
