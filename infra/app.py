"""The CDK app: reads the stage's settings, has its assets built, and makes its two stacks.

`cdk` runs this by `python -m infra`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, cast

from aws_cdk import App

from infra.assets import Assets
from infra.config import StageConfig, from_context
from infra.findings import acknowledge
from infra.stacks.serving import ServingStack
from infra.stacks.store import StoreStack
from warmstart.errors import WarmstartError

ROOT = Path(__file__).resolve().parent.parent
REGION_VARIABLE: Final = "CDK_DEFAULT_REGION"
"""Where `cdk` tells the app which region it deploys to (CDK guide, "Configure environments")."""


def config_of(app: App) -> StageConfig:
    """Read the stage's settings from the app's context. Raises: InvalidSetting."""
    return from_context(cast("Mapping[str, object]", app.node.get_all_context()))


def add_stacks(app: App, *, config: StageConfig, assets: Assets) -> tuple[StoreStack, ServingStack]:
    """Add a stage's stacks: what keeps models, and what serves them."""
    store = StoreStack(app, config=config)
    serving = ServingStack(app, config=config, assets=assets)
    serving.add_stack_dependency(store)
    acknowledge(config, store, serving)
    return store, serving


def main() -> None:
    """Synthesize into the folder that the CDK command line names."""
    from infra.build import build_assets

    app = App()
    try:
        config = config_of(app)
        assets = build_assets(config, root=ROOT, region=os.environ.get(REGION_VARIABLE))
    except WarmstartError as error:
        sys.exit(f"warmstart: {error.message}")
    add_stacks(app, config=config, assets=assets)
    app.synth()


if __name__ == "__main__":
    main()
