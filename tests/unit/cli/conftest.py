"""The command line on a stage in memory."""

import pytest

from tests.build.command_line import CommandLine


@pytest.fixture
def warmstart(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(capsys)
