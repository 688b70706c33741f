"""The real stacks over stand-in assets: `cdk synth --app "python -m tests.build.cdk_app"` needs no build."""

from __future__ import annotations

import tempfile
from pathlib import Path

from aws_cdk import App

from infra.app import add_stacks, config_of
from tests.build.assets import stand_in_assets


def main() -> None:
    """Synthesize into the folder that the CDK command line names."""
    app = App()
    with tempfile.TemporaryDirectory() as folder:
        add_stacks(app, config=config_of(app), assets=stand_in_assets(Path(folder)))
        app.synth()


if __name__ == "__main__":
    main()
