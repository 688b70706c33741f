"""The vocabulary of Warmstart: pure values, the one error tree, and the wire protocols.

    from warmstart import Client

    client = Client("https://….amazonaws.com/prod", api_key="…")

The client comes when it is asked for: the inference function imports this package, and needs no HTTP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from warmstart.client import Client

__version__ = "0.1.0"
__all__ = ["Client"]


def __getattr__(name: str) -> Any:
    if name == "Client":
        from warmstart.client import Client

        return Client
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
