"""What lands in a layer, and what does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from layers.recipes import INFERENCE, Cut, Recipe
from layers.unpack import cut_of, unpack
from tests.build.wheels import wheel
from warmstart.errors import BuildError

TINY = Recipe(
    name="tiny", requirements=(), cuts=(Cut("*/tests/*", "tests"), Cut("*.pyi", "stubs")), budget_bytes=10_000
)


def test_a_wheels_files_are_unpacked_and_counted_for_its_distribution(tmp_path: Path) -> None:
    found = unpack([wheel(tmp_path, "one", {"one/__init__.py": "x = 1\n"})], TINY, tmp_path / "python")
    assert (tmp_path / "python/one/__init__.py").read_text() == "x = 1\n"
    assert found.package_of["one/__init__.py"] == "one"
    assert found.kept["one/__init__.py"] == 6


def test_what_a_cut_names_is_left_out_with_its_size_and_reason(tmp_path: Path) -> None:
    files = {"one/__init__.py": "", "one/deep/tests/test_x.py": "1234", "one/__init__.pyi": "12"}
    found = unpack([wheel(tmp_path, "one", files)], TINY, tmp_path / "python")
    assert not (tmp_path / "python/one/deep").exists()
    assert found.cut == {"one/deep/tests/test_x.py": ("one", 4), "one/__init__.pyi": ("one", 2)}
    assert found.cut_by == {Cut("*/tests/*", "tests"): 4, Cut("*.pyi", "stubs"): 2}


def test_a_licence_stays_whatever_a_cut_says(tmp_path: Path) -> None:
    unpack([wheel(tmp_path, "one", {"one/tests/LICENSE.txt": "mine"})], TINY, tmp_path / "python")
    assert (tmp_path / "python/one/tests/LICENSE.txt").read_text() == "mine"
    assert (tmp_path / "python/one-1.0.dist-info/licenses/LICENSE").is_file()


def test_a_kept_pattern_wins_over_a_cut() -> None:
    cuts = (Cut("botocore/data/*/*", "other services"),)
    assert cut_of("botocore/data/s3/service-2.json.gz", cuts, ("botocore/data/s3/*",)) is None
    assert cut_of("botocore/data/ec2/service-2.json.gz", cuts, ("botocore/data/s3/*",)) == cuts[0]
    assert cut_of("botocore/data/endpoints.json", cuts) is None


def test_a_kept_pattern_wins_for_modules_too() -> None:
    assert cut_of("PIL/PngImagePlugin.py", INFERENCE.cuts, INFERENCE.keep) is None
    assert cut_of("PIL/PdfImagePlugin.py", INFERENCE.cuts, INFERENCE.keep) is not None


def test_onnx_runtimes_c_library_goes_and_its_python_module_stays() -> None:
    gone = cut_of("onnxruntime/capi/libonnxruntime.so.1.28.0", INFERENCE.cuts)
    assert gone is not None
    assert gone.why.startswith("the C API once more")
    assert cut_of("onnxruntime/capi/libonnxruntime_providers_shared.so", INFERENCE.cuts) is None
    assert (
        cut_of("onnxruntime/capi/onnxruntime_pybind11_state.cpython-313-aarch64-linux-gnu.so", INFERENCE.cuts) is None
    )


def test_files_of_a_data_folder_lie_beside_the_packages(tmp_path: Path) -> None:
    files = {"one-1.0.data/purelib/one/data.txt": "d", "one-1.0.data/platlib/native.so": "n"}
    unpack([wheel(tmp_path, "one", files)], TINY, tmp_path / "python")
    assert (tmp_path / "python/one/data.txt").read_text() == "d"
    assert (tmp_path / "python/native.so").read_text() == "n"


@pytest.mark.parametrize(
    "path", ["../evil.py", "/etc/evil.py", "one/../../evil.py", "one-1.0.data/purelib/../../../evil.py", "c:/evil.py"]
)
def test_a_path_that_leaves_the_folder_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(BuildError, match="leaves its folder"):
        unpack([wheel(tmp_path / "wheels", "one", {path: "evil"})], TINY, tmp_path / "python")
    assert not list(tmp_path.rglob("evil.py"))


def test_two_wheels_with_the_same_file_are_refused_by_name(tmp_path: Path) -> None:
    wheels = [wheel(tmp_path, name, {"shared.py": name}) for name in ("one", "two")]
    with pytest.raises(BuildError, match=r"shared\.py: comes with one and with two"):
        unpack(wheels, TINY, tmp_path / "python")


def test_a_file_that_is_no_wheel_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "broken-1.0-py3-none-any.whl").write_text("<html>")
    with pytest.raises(BuildError, match=r"broken-1\.0-py3-none-any\.whl: not a wheel"):
        unpack([tmp_path / "broken-1.0-py3-none-any.whl"], TINY, tmp_path / "python")
