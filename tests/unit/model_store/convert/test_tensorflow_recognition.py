"""What is TensorFlow's or Keras's, said by its content; neither is needed for it."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from model_store.convert import tensorflow
from model_store.convert.source import LoadOptions
from warmstart.errors import Untrusted


def archive(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name in names:
            file.writestr(name, b"")
    return path


def test_a_keras_archive_is_known_whatever_it_is_called(tmp_path: Path) -> None:
    assert tensorflow.recognises(archive(tmp_path / "model.zip", "metadata.json", "config.json", "model.weights.h5"))


def test_an_archive_of_another_framework_is_not_keras(tmp_path: Path) -> None:
    assert not tensorflow.recognises(archive(tmp_path / "model.pt2", "m/archive_format", "m/version"))


def test_a_cut_off_keras_archive_is_known_by_its_ending(tmp_path: Path) -> None:
    (tmp_path / "model.keras").write_bytes(b"PK\x03\x04\x00\x00")
    assert tensorflow.recognises(tmp_path / "model.keras")


def test_an_hdf5_file_is_known(tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    assert tensorflow.recognises(tmp_path / "weights")


def test_a_file_that_is_only_called_h5_is_not_known(tmp_path: Path) -> None:
    (tmp_path / "model.h5").write_bytes(b"text")
    assert not tensorflow.recognises(tmp_path / "model.h5")


@pytest.mark.parametrize("name", ["saved_model.pb", "saved_model.pbtxt"])
def test_a_saved_model_is_known_by_its_graph(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    assert tensorflow.recognises(tmp_path)


def test_another_folder_is_not_a_saved_model(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").touch()
    assert not tensorflow.recognises(tmp_path)


def test_what_does_not_exist_is_not_known(tmp_path: Path) -> None:
    assert not tensorflow.recognises(tmp_path / "model.keras")


def test_a_saved_model_is_not_opened_without_leave(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").touch()
    with pytest.raises(Untrusted, match=r"a SavedModel's graph may run when it is loaded.*--trust it.*as .keras"):
        tensorflow.load(tmp_path, LoadOptions())


def test_objects_of_others_are_left_alone() -> None:
    assert tensorflow.adopt({"a": 1}, LoadOptions()) is None
