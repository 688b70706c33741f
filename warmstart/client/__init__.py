"""A client for the data plane, on the standard library alone; numpy and pandas are spoken where a caller has them.

Importing it loads neither of them, nor HTTP or TLS: each comes with the first client, or the first array.
"""

from __future__ import annotations

from warmstart.client.answers import Answer, RequestRefused
from warmstart.client.client import Client

__all__ = ["Answer", "Client", "RequestRefused"]
