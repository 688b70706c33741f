"""The layers as they are deployed, from the real wheels: needs the package index once, then the cache."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from layers.assets import build_function
from layers.builder import build_layer
from layers.recipes import MIB
from layers.report import table
from layers.target import Built, Target

ROOT = Path(__file__).parents[2]

IMPORT_HANDLER = """
import json, sys
sys.path[:0] = sys.argv[2:]
import importlib
handler = importlib.import_module(sys.argv[1]).handler
print(json.dumps(sorted({m.__file__ for m in list(sys.modules.values()) if getattr(m, "__file__", None)})))
"""


@pytest.fixture(scope="module")
def arm64() -> Built:
    """The inference layer as AWS gets it by default."""
    return build_layer("inference", Target(python="3.13", architecture="arm64"), root=ROOT)


def test_the_inference_function_with_its_layer_keeps_to_its_budget(arm64: Built) -> None:
    code = build_function("inference", Target(python="3.13", architecture="arm64"), root=ROOT)
    assert arm64.size_bytes + code.size_bytes <= 95 * MIB
    assert set(arm64.sizes) == {"backports-zstd", "numpy", "onnxruntime", "orjson", "pillow", "tokenizers"}


def test_every_source_of_the_layer_has_bytecode(arm64: Built) -> None:
    sources = list(arm64.path.rglob("*.py"))
    assert len(sources) > 100
    assert [path for path in sources if not list(path.parent.glob(f"__pycache__/{path.stem}.cpython-313.pyc"))] == []


def test_the_table_in_the_documentation_is_what_the_build_prints(arm64: Built) -> None:
    assert table(arm64) in (ROOT / "docs/layers.md").read_text()


@pytest.mark.parametrize("package", ["numpy", "onnxruntime", "orjson", "pillow"])
def test_licences_stay(arm64: Built, package: str) -> None:
    found = [path for path in arm64.path.glob(f"python/{package}*/**/*LICENSE*") if path.is_file()]
    assert found != []


def test_the_control_layer_keeps_to_its_budget() -> None:
    assert build_layer("control", Target(), root=ROOT).size_bytes <= 40 * MIB


@pytest.mark.parametrize("function", ["inference", "control"])
def test_a_function_starts_with_its_asset_and_the_host_layer_alone(function: str, tmp_path: Path) -> None:
    layer = build_layer(function, Target.host(), root=ROOT)
    code = build_function(function, Target.host(), root=ROOT)
    folders = [str(code.path), str(layer.path / "python")]
    environment = {
        "WARMSTART_STORE_BUCKET": "none",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
        "AWS_LAMBDA_FUNCTION_NAME": "probe",
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "POWERTOOLS_METRICS_NAMESPACE": "Warmstart",
        "POWERTOOLS_SERVICE_NAME": function,
        "TMPDIR": str(tmp_path),
        "HOME": str(tmp_path),
    }
    command = [sys.executable, "-I", "-S", "-B", "-c", IMPORT_HANDLER, f"handlers.{function}.lambda_handler", *folders]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    files = json.loads(done.stdout.splitlines()[-1])
    assert any(file.startswith(folders[0]) for file in files)
    strays = [file for file in files if "site-packages" in file or file.startswith(f"{ROOT}/handlers")]
    assert strays == []
