"""Sources and samples that were made to do harm, or that nobody could have meant: refused, and never run."""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import joblib
import pytest

from model_store.convert.recognise import load
from model_store.convert.source import LoadOptions
from model_store.gate.sample_file import read_sample
from tests.build import models
from warmstart.errors import InvalidSample, UnsupportedModel, Untrusted, WarmstartError


class Canary:
    """An object whose pickle, once read, makes a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return os.mkdir, (str(self._path),)


def archive(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name, body in members.items():
            file.writestr(name.replace("__", "/"), body)
    return path


def folder(path: Path, **files: bytes) -> Path:
    path.mkdir()
    for name, body in files.items():
        (path / name.replace("__", ".")).write_bytes(body)
    return path


def pickled(tmp: Path) -> Path:
    (tmp / "model.pkl").write_bytes(pickle.dumps(Canary(tmp / "canary")))
    return tmp / "model.pkl"


def pickled_in_text(tmp: Path) -> Path:
    (tmp / "model.pkl").write_bytes(pickle.dumps(Canary(tmp / "canary"), protocol=0))
    return tmp / "model.pkl"


def called_onnx(tmp: Path) -> Path:
    return pickled(tmp).rename(tmp / "model.onnx")


def compressed(tmp: Path) -> Path:
    joblib.dump(Canary(tmp / "canary"), tmp / "model.joblib", compress=("zlib", 3))
    return tmp / "model.joblib"


def checkpoint(tmp: Path) -> Path:
    return archive(
        tmp / "model.pt", m__data__pkl=b"", **{"m/data.pkl": pickle.dumps(Canary(tmp / "canary")), "m/version": b"3"}
    )


def torchscript(tmp: Path) -> Path:
    body = pickle.dumps(Canary(tmp / "canary"))
    return archive(tmp / "model.pt", **{"m/data.pkl": body, "m/constants.pkl": body, "m/version": b"3"})


def exported(tmp: Path) -> Path:
    body = pickle.dumps(Canary(tmp / "canary"))
    return archive(tmp / "model.pt2", **{"m/archive_format": b"pt2", "m/data/weights/model.pt": body})


def saved_model(tmp: Path) -> Path:
    return folder(tmp / "saved", saved_model__pb=b"")


def mlflow(tmp: Path) -> Path:
    pickled(folder(tmp / "run", MLmodel=b"flavors: {sklearn: {pickled_model: model.pkl}}"))
    return tmp / "run"


def mlflow_of_any_code(tmp: Path) -> Path:
    described = b"flavors: {python_function: {loader_module: evil, code: code}}"
    code = f"import os; os.mkdir({str(tmp / 'canary')!r})"
    return folder(tmp / "run", MLmodel=described, evil__py=code.encode())


def yaml_that_constructs(tmp: Path) -> Path:
    return folder(tmp / "run", MLmodel=f"flavors: !!python/object/apply:os.mkdir ['{tmp / 'canary'}']".encode())


def hugging_face_with_code(tmp: Path) -> Path:
    config = {"model_type": "bert", "auto_map": {"AutoModel": "evil.Model"}}
    code = f"import os; os.mkdir({str(tmp / 'canary')!r})"
    return folder(
        tmp / "face", config__json=json.dumps(config).encode(), model__safetensors=b"", evil__py=code.encode()
    )


@pytest.mark.parametrize(
    ("build", "refusal"),
    [
        (pickled, Untrusted),
        (pickled_in_text, Untrusted),
        (called_onnx, UnsupportedModel),
        (compressed, Untrusted),
        (torchscript, Untrusted),
        (exported, Untrusted),
        (saved_model, Untrusted),
        (mlflow, Untrusted),
        (mlflow_of_any_code, UnsupportedModel),
        (yaml_that_constructs, UnsupportedModel),
        (hugging_face_with_code, Untrusted),
    ],
)
def test_nothing_of_a_source_is_run_without_trust(
    tmp_path: Path, build: Callable[[Path], Path], refusal: type[WarmstartError]
) -> None:
    with pytest.raises(refusal):
        load(build(tmp_path), LoadOptions())

    assert not (tmp_path / "canary").exists()


def test_a_canary_sings_where_it_is_trusted(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModel):
        load(pickled(tmp_path), LoadOptions(trust=True))

    assert (tmp_path / "canary").exists()


def yaml_bomb() -> bytes:
    levels = [b"l0: &l0 [x, x]"]
    levels += [b"l%d: &l%d [%b]" % (level, level, b", ".join([b"*l%d" % (level - 1)] * 9)) for level in range(1, 12)]
    return b"\n".join(levels)


def yaml_bomb_of_merges() -> bytes:
    levels = [b"l0: &l0 {a: 1, b: 2}"]
    levels += [
        b"l%d: &l%d {<<: [%b]}" % (level, level, b", ".join([b"*l%d" % (level - 1)] * 9)) for level in range(1, 12)
    ]
    return b"\n".join(levels)


@pytest.mark.parametrize(
    ("described", "message"),
    [
        (yaml_bomb() + b"\nflavors: {onnx: {data: *l11}}", "onnx.data: expected the name of a file or folder"),
        (yaml_bomb_of_merges() + b"\nflavors: {}", "not YAML"),
        (yaml_bomb() + b"\nflavors: {other: {}}\nmlflow_version: *l11", "got other: log the model"),
        (b"[" * 20_000, "not YAML"),
        (b"flavors: {1: {}}", "expected a mapping with flavors"),
        (b"flavors: {onnx: [1]}", "expected a mapping with flavors"),
        (b"flavors: {onnx: {}}\nsignature: [1]", "expected a mapping with flavors"),
        (b"flavors: {? [a] : b}", "not YAML"),
        (b"created: 2026-99-99\nflavors: {}", "not YAML"),
        (b"\xff", "not YAML"),
        (
            b"flavors: {onnx: {}}\nsaved_input_example_info: {artifact_path: ../../etc/passwd}",
            "input example lies outside",
        ),
    ],
    ids=lambda value: None if isinstance(value, bytes) else value,
)
def test_an_mlmodel_of_tricks_is_refused(tmp_path: Path, described: bytes, message: str) -> None:
    with pytest.raises(WarmstartError, match=message):
        load(folder(tmp_path / "run", MLmodel=described), LoadOptions())


def test_an_archive_that_would_fill_the_memory_is_refused_before_it_is_read(tmp_path: Path) -> None:
    bomb = declaring(tmp_path / "model.skops", 11 * 2**30)

    with pytest.raises(UnsupportedModel, match="an archive of 11,264 MB once unpacked: expected at most 10,240"):
        load(bomb, LoadOptions())
    with pytest.raises(InvalidSample, match="11,264 MB of rows: expected at most 4,096"):
        read_sample(bomb)


def declaring(path: Path, size_bytes: int) -> Path:
    """Write an archive whose one member says in the central directory that it is so large (as ZIP64 does)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("schema.json", b"{}")
        file.filelist[0].file_size = size_bytes
    path.write_bytes(buffer.getvalue())
    return path


def test_a_folder_with_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    folder(tmp_path / "model")
    os.mkfifo(tmp_path / "model/config.json")

    with pytest.raises(UnsupportedModel, match=r"model/config\.json: expected files and folders alone"):
        load(tmp_path / "model", LoadOptions())


@pytest.mark.parametrize("source", ["pipe", "pipe.onnx", "/dev/zero"])
def test_a_pipe_or_a_device_is_no_source_and_no_sample(tmp_path: Path, source: str) -> None:
    path = tmp_path / source
    if not path.exists():
        os.mkfifo(path)

    with pytest.raises(UnsupportedModel, match="its content is none of these"):
        load(path, LoadOptions())
    with pytest.raises(InvalidSample, match="found no regular file"):
        read_sample(path)


@pytest.mark.parametrize("name", [b"\xff.onnx", b"\x1b[31mred.onnx"])
def test_a_name_that_cannot_be_printed_is_refused(tmp_path: Path, name: bytes) -> None:
    path = tmp_path / os.fsdecode(name)
    path.write_bytes(models.scale())

    with pytest.raises(UnsupportedModel, match="expected a name of printable characters in UTF-8: rename it") as caught:
        load(path, LoadOptions())

    assert str(caught.value).isprintable()


def test_a_configuration_that_is_nested_deeply_is_not_taken_for_one(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModel, match="its content is none of these"):
        load(folder(tmp_path / "model", config__json=b"[" * 100_000), LoadOptions())


@pytest.mark.parametrize("opening", ["[", '{"a": '])
def test_values_nested_more_deeply_than_pyarrow_bears_are_refused(tmp_path: Path, opening: str) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"a": ' + opening * 50_000)

    with pytest.raises(InvalidSample, match="got deeply nested values"):
        read_sample(rows)


def test_text_of_many_brackets_is_text(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps({"a": "[" * 5000}) + "\n")

    assert read_sample(rows).columns["a"].tolist() == ["[" * 5000]


@pytest.mark.parametrize("text", ["a,b\n1,{}\n", '{{"a": 1, "b": "{}"}}\n'], ids=["CSV", "JSON lines"])
def test_a_row_may_hold_an_image(tmp_path: Path, text: str) -> None:
    rows = tmp_path / "rows"
    rows.write_text(text.format("x" * 5_000_000))

    assert len(read_sample(rows).columns["b"][0]) == 5_000_000


def test_parquet_that_stands_for_more_rows_than_memory_holds_is_refused(tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    nothing = pa.nulls(20_000_000)  # of which a file takes no room
    parquet.write_table(pa.table({f"c{index}": nothing for index in range(30)}), tmp_path / "rows.parquet")

    with pytest.raises(InvalidSample, match="4,578 MB of rows: expected at most 4,096: fewer rows are enough"):
        read_sample(tmp_path / "rows.parquet")
