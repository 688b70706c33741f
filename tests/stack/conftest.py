"""One twin for all tests of the stack, deployed once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.process import TwinProcess

ALIAS_TTL_S = 1


@pytest.fixture(scope="session")
def twin() -> Iterator[TwinProcess]:
    """The whole stack; aliases are read anew after a second, so that tests need not wait for ten."""
    with TwinProcess.start(context={"alias_ttl_s": str(ALIAS_TTL_S)}) as running:
        yield running
