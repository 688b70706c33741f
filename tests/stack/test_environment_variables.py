"""What a function finds around it: variables, layers, /tmp, the runtime's packages."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.build.functions import ECHO, World, worlds


@pytest.fixture
def make_world(tmp_path: Path) -> Iterator[Callable[..., World]]:
    with worlds(tmp_path) as make:
        yield make


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world()


# -- what a function finds around it


def test_the_environment_variables_are_lambdas_and_the_functions_own_and_no_others(world: World) -> None:
    world.put(
        "import os\ndef handler(event, context): return dict(os.environ)",
        version="3",
        environment={"COLOUR": "blue", "AWS_REGION": "not mine to set"},
        memory_mb=512,
    )
    variables = world.answer(qualifier="3")
    (stream,) = {stream for _, stream, _ in world.log}
    code_dir, runtime_dir, tmp = (variables.pop(n) for n in ("LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR", "TMPDIR"))
    assert Path(code_dir, "app.py").is_file()
    assert Path(runtime_dir, "awslambdaric").is_dir()
    assert Path(tmp).is_dir()
    assert re.fullmatch(r"127\.0\.0\.1:\d+", variables.pop("AWS_LAMBDA_RUNTIME_API"))
    assert variables.pop("_X_AMZN_TRACE_ID").endswith(";Sampled=0")
    assert variables.pop("LD_LIBRARY_PATH").endswith(f"{code_dir}:{code_dir}/lib")
    assert variables.pop("PATH").endswith("/usr/local/bin:/usr/bin:/bin")
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    variables.pop("LC_CTYPE", None)  # Python's own, where the host has no en_US.UTF-8 (PEP 538)
    assert variables == {
        "COLOUR": "blue",
        "_HANDLER": "app.handler",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{python}",
        "AWS_LAMBDA_FUNCTION_NAME": "fn",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_FUNCTION_VERSION": "3",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/fn",
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        "AWS_ACCESS_KEY": "test",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_SESSION_TOKEN": "test",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PYTHONPATH": runtime_dir,
    }


def test_functions_reach_the_twins_aws_by_its_endpoint(make_world: Callable[..., World]) -> None:
    world = make_world(endpoint_url="http://127.0.0.1:5000")
    world.put("import os\ndef handler(event, context): return os.environ['AWS_ENDPOINT_URL']")
    assert world.answer() == "http://127.0.0.1:5000"


def test_a_function_sees_its_layers_and_the_runtimes_sdk_and_nothing_installed_beside_the_twin(
    world: World, tmp_path: Path
) -> None:
    for name, text in (("lower", "FROM = 'lower'"), ("upper", "FROM = 'upper'")):
        (tmp_path / name / "python").mkdir(parents=True)
        (tmp_path / name / "python" / "shared.py").write_text(text)
    (tmp_path / "lower" / "models" / "iris").mkdir(parents=True)
    world.put(
        """
        import importlib.util, os, shared
        def handler(event, context):
            seen = [name for name in ("boto3", "numpy", "pytest") if importlib.util.find_spec(name)]
            return [shared.FROM, os.environ["MODELS"], os.environ["ABSENT"], seen]
        """,
        layer_dirs=(tmp_path / "lower", tmp_path / "upper"),
        environment={"MODELS": "/opt/models", "ABSENT": "/opt/absent"},
    )
    assert world.answer() == ["upper", str(tmp_path / "lower" / "models"), "/opt/absent", ["boto3"]]


def test_tmp_is_the_environments_own_is_kept_between_invocations_and_goes_with_it(world: World) -> None:
    world.put(
        """
        import os, pathlib, tempfile
        def handler(event, context):
            file = pathlib.Path(tempfile.gettempdir(), "count")
            file.write_text(str(int(file.read_text() if file.exists() else 0) + 1))
            if event.get("die"): os._exit(1)
            return [file.read_text(), str(file), os.environ["HOME"]]
        """,
        environment={"HOME": "/tmp"},
    )
    assert world.answer()[0] == "1"
    assert world.answer()[0] == "2"
    world.invoke({"die": True})
    count, file, home = world.answer()
    assert count == "4"
    assert file == f"{home}/count"
    world.time = 1000.0
    world.functions.reap()
    assert not Path(file).exists()


def test_more_in_tmp_than_the_ephemeral_storage_fails_the_invocation(world: World) -> None:
    world.put(
        """
        import os, pathlib
        def handler(event, context):
            for part in range(2):
                pathlib.Path(os.environ["TMPDIR"], f"part-{part}").write_bytes(os.urandom(1024 * 1024))
        """,
        ephemeral_storage_mb=1,
    )
    error = world.error()
    assert error["errorType"] == "OSError"
    assert error["errorMessage"].startswith("[Errno 28] No space left on device: /tmp holds ")


def test_bytecode_is_not_written_into_the_task_root(world: World) -> None:
    world.put("import other\n" + ECHO)
    (code_dir,) = world.tmp_path.glob("code-*")
    (code_dir / "other.py").write_text("")
    world.invoke()
    assert sorted(path.name for path in code_dir.iterdir()) == ["app.py", "other.py"]
