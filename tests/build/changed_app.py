"""The real app with one byte more in the inference function's code: what an update deploys."""

from __future__ import annotations

import hashlib
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path

from aws_cdk import App

from infra.app import ROOT, add_stacks, config_of
from infra.assets import Asset
from infra.build import build_assets


def main() -> None:
    """Synthesize into the folder that the CDK command line names."""
    app = App()
    config = config_of(app)
    assets = build_assets(config, root=ROOT)
    with tempfile.TemporaryDirectory() as folder:
        changed = Path(folder) / "changed.zip"
        changed.write_bytes(assets.inference_code.path.read_bytes())
        with zipfile.ZipFile(changed, "a") as archive:
            archive.writestr("changed.txt", "!")
        code = Asset(changed, hashlib.sha256(changed.read_bytes()).hexdigest())
        add_stacks(app, config=config, assets=replace(assets, inference_code=code))
        app.synth()


if __name__ == "__main__":
    main()
