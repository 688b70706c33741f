"""What a function finds around it: environment variables, the runtime's directory, /opt and /tmp.

Source: Lambda developer guide, "Working with Lambda environment variables" (defined runtime environment variables).
"""

from __future__ import annotations

import importlib.util
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from local.types import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY, FunctionConfig
from warmstart import environment as names

PYTHON: Final = f"{sys.version_info.major}.{sys.version_info.minor}"
"""Functions run on the twin's own Python."""

# What AWS's Python runtimes bring along: the runtime interface client with what it needs, and the SDK (Lambda developer
# guide, "Runtime-included SDK versions"). Nothing else that is installed beside the twin is visible to a function.
_RUNTIME_PACKAGES: Final = (
    *("awslambdaric", "runtime_client", "simplejson", "snapshot_restore_py"),
    *("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3"),
)


def link_runtime(directory: Path) -> Path:
    """Fill a directory with links to the runtime's packages: the twin's /var/runtime."""
    directory.mkdir()
    for package in _RUNTIME_PACKAGES:
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(f"{package}: needed to run functions; install warmstart[local]")
        origin = Path(spec.origin)
        source = origin.parent if origin.name == "__init__.py" else origin
        (directory / source.name).symlink_to(source)
    return directory


def command(handler: str) -> list[str]:
    """The runtime interface client. -S: no site-packages; -B: the task root is read-only, bytecode is not kept."""
    return [sys.executable, "-S", "-B", "-m", "awslambdaric", handler]


def variables(
    config: FunctionConfig, *, runtime_dir: Path, tmp: Path, runtime_api: str, log_stream: str, endpoint_url: str | None
) -> dict[str, str]:
    """The whole environment of the function's process; nothing of the twin's own is in it."""
    own = {name: rewrite(value, config.layer_dirs, tmp) for name, value in config.environment.items()}
    search = _search_paths(config, runtime_dir)
    if "PYTHONPATH" in own:
        search["PYTHONPATH"] = f"{own['PYTHONPATH']}:{search['PYTHONPATH']}"
    defaults = {"LANG": "en_US.UTF-8", "TZ": ":UTC", "TMPDIR": str(tmp), **search}
    if endpoint_url is not None:
        defaults[names.ENDPOINT] = endpoint_url
    return (
        defaults | own | {"PYTHONPATH": search["PYTHONPATH"]} | _reserved(config, runtime_dir, runtime_api, log_stream)
    )


def rewrite(value: str, layers: Iterable[Path], tmp: Path) -> str:
    """Point a value that starts with /opt/ into the layer that holds it, and one under /tmp into the scratch directory.

    Layers are merged in order on Lambda, a later one over an earlier: the last that has the path wins.
    """
    if value == "/tmp" or value.startswith("/tmp/"):  # noqa: S108 - the path that means it on Lambda
        return str(tmp) + value[len("/tmp") :]  # noqa: S108
    if value.startswith("/opt/"):
        for layer in reversed(tuple(layers)):
            if (layer / value.removeprefix("/opt/")).exists():
                return str(layer / value.removeprefix("/opt/"))
    return value


def _search_paths(config: FunctionConfig, runtime_dir: Path) -> dict[str, str]:
    layers = tuple(reversed(config.layer_dirs))
    site_packages = f"python/lib/python{PYTHON}/site-packages"
    python = [layer / inner for layer in layers for inner in (site_packages, "python") if (layer / inner).is_dir()]
    task_root = config.code_dir
    shared = [Path(sys.base_prefix) / "lib"] if sysconfig.get_config_var("Py_ENABLE_SHARED") else []
    system = (str(Path(sys.base_prefix) / "bin"), "/usr/local/bin", "/usr/bin", "/bin")
    return {
        "PYTHONPATH": _join(*python, runtime_dir),
        "PATH": _join(*system, *(layer / "bin" for layer in layers)),
        "LD_LIBRARY_PATH": _join(*shared, task_root, task_root / "lib", *(layer / "lib" for layer in layers)),
    }


def _reserved(config: FunctionConfig, runtime_dir: Path, runtime_api: str, log_stream: str) -> dict[str, str]:
    """The variables that a function's configuration cannot set on Lambda."""
    return {
        "_HANDLER": config.handler,
        names.REGION: REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{PYTHON}",
        names.FUNCTION_NAME: config.name,
        names.MEMORY_MB: str(config.memory_mb),
        names.FUNCTION_VERSION: config.version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": config.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "AWS_ACCESS_KEY": ACCESS_KEY_ID,
        names.ACCESS_KEY_ID: ACCESS_KEY_ID,
        names.SECRET_ACCESS_KEY: SECRET_ACCESS_KEY,
        names.SESSION_TOKEN: "test",
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "LAMBDA_TASK_ROOT": str(config.code_dir),
        "LAMBDA_RUNTIME_DIR": str(runtime_dir),
    }


def _join(*paths: Path | str) -> str:
    return ":".join(str(path) for path in paths)
