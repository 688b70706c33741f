"""What `cdk` runs: the app; or, where its libraries are not installed, what to do about it."""

import sys

try:
    from infra.app import main
except ModuleNotFoundError as error:
    sys.exit(
        f"warmstart: {sys.executable} has no module {error.name}: run `make setup` and `source .venv/bin/activate`, "
        "or `pip install -e '.[infra]'`; `warmstart doctor` says what else is missing"
    )

main()
