"""The control plane that these tests talk to."""

from collections.abc import Iterator

import pytest

from tests.build.control_plane import ControlPlane, control_plane


@pytest.fixture
def plane() -> Iterator[ControlPlane]:
    """Give a control plane over the in-memory store: `iris` with versions 1, 2, 3 and `live` at 1."""
    with control_plane() as built:
        yield built
