"""What a file of PyTorch's is, said by its content; PyTorch itself is not needed for it."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from model_store.convert import torch
from model_store.convert.source import LoadOptions
from model_store.convert.torch_files import Kind, kind_of
from warmstart.errors import UnsupportedModel, Untrusted

EXPORTED = ("m/archive_format", "m/models/model.json", "m/data/weights/weight_0", "m/version")
EXPORTED_BEFORE_2_8 = ("serialized_exported_program.json", "serialized_state_dict.pt", "version")
SCRIPT = ("m/data.pkl", "m/code/__torch__.py", "m/constants.pkl", "m/version")
CHECKPOINT = ("m/data.pkl", "m/data/0", "m/version")
KERAS = ("metadata.json", "config.json", "model.weights.h5")
SKOPS = ("schema.json", "140.npy")


def archive(path: Path, names: tuple[str, ...]) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name in names:
            file.writestr(name, b"")
    return path


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (EXPORTED, "exported"),
        (EXPORTED_BEFORE_2_8, "exported"),
        (SCRIPT, "torchscript"),
        (CHECKPOINT, "pickle"),
        (KERAS, None),
        (SKOPS, None),
    ],
)
def test_an_archive_is_known_by_what_is_in_it(tmp_path: Path, names: tuple[str, ...], kind: Kind | None) -> None:
    assert kind_of(archive(tmp_path / "model.bin", names)) == kind


def test_a_checkpoint_from_before_the_archives_is_known(tmp_path: Path) -> None:
    (tmp_path / "old.pt").write_bytes(b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.")
    assert kind_of(tmp_path / "old.pt") == "pickle"


def test_another_pickle_is_not_pytorchs(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00.")
    assert not torch.recognises(tmp_path / "model.pkl")


def test_a_cut_off_archive_is_refused_as_such(tmp_path: Path) -> None:
    whole = archive(tmp_path / "model.pt2", EXPORTED).read_bytes()
    (tmp_path / "model.pt2").write_bytes(whole[:-40])
    assert torch.recognises(tmp_path / "model.pt2")
    with pytest.raises(UnsupportedModel, match="its archive ends too early: copy or save it again"):
        torch.load(tmp_path / "model.pt2", LoadOptions(trust=True))


@pytest.mark.parametrize(("names", "reader"), [(EXPORTED, "torch.export.load"), (SCRIPT, "torch.jit.load")])
def test_what_may_execute_code_is_not_opened_without_leave(tmp_path: Path, names: tuple[str, ...], reader: str) -> None:
    with pytest.raises(Untrusted, match=rf"{reader} may execute code that the file brings: --trust it"):
        torch.load(archive(tmp_path / "model.pt", names), LoadOptions())


@pytest.mark.parametrize("address", ["models:factory", "my.package.models:build", "models:Net.small", "_a:_b"])
def test_an_address_of_a_factory_is_known(address: str) -> None:
    assert torch.recognises(Path(address))


@pytest.mark.parametrize(
    "address", ["models:/iris/3", "runs:/1f/model", "model.pt", "models", "models:", "a-b:c", "models:a-b", "a:b:c"]
)
def test_another_address_is_not_a_factorys(address: str) -> None:
    assert not torch.recognises(Path(address))


def test_a_folder_is_not_pytorchs(tmp_path: Path) -> None:
    assert not torch.recognises(tmp_path)


def test_objects_of_others_are_left_alone() -> None:
    assert torch.adopt({"a": 1}, LoadOptions()) is None
    assert torch.adopt((1, 2), LoadOptions()) is None
