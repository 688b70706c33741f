"""The inference function as a container image: what Docker is given."""

from __future__ import annotations

from pathlib import Path

import pytest

from layers.image import build_image_context, render_dockerfile
from layers.output import IMAGE_LIMIT_BYTES
from layers.target import Built, Target
from warmstart.errors import BuildError

HANDLER = "handlers.inference.lambda_handler.handler"
ARM64 = Target(python="3.13", architecture="arm64")


def built(folder: Path, files: dict[str, str], *, digest: str, size_bytes: int = 1) -> Built:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    sizes = {"all": size_bytes}
    return Built(
        path=folder, zip_path=folder.with_suffix(".zip"), digest=digest, sizes=sizes, bytecode={}, cut={}, cut_by={}
    )


def parts(tmp: Path) -> tuple[Built, list[Built]]:
    code = built(tmp / "code", {"handlers/inference/lambda_handler.py": "1"}, digest="c")
    layer = built(tmp / "layer", {"python/numpy/__init__.py": "2"}, digest="l")
    models = built(tmp / "models", {"models/iris/1/model.onnx": "3"}, digest="m")
    return code, [layer, models]


def test_code_and_layers_lie_where_lambda_unpacks_them(tmp_path: Path) -> None:
    code, layers = parts(tmp_path)
    folder = build_image_context(code, layers, handler=HANDLER, target=ARM64, root=tmp_path)
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert found == {
        "Dockerfile",
        "task/handlers/inference/lambda_handler.py",
        "opt/python/numpy/__init__.py",
        "opt/models/iris/1/model.onnx",
    }


def test_the_recipe_copies_and_installs_nothing(tmp_path: Path) -> None:
    code, layers = parts(tmp_path)
    folder = build_image_context(code, layers, handler=HANDLER, target=ARM64, root=tmp_path)
    lines = (folder / "Dockerfile").read_text().splitlines()
    assert lines == render_dockerfile("3.13", HANDLER).splitlines()
    assert [line.split()[0] for line in lines] == ["FROM", "COPY", "COPY", "ENV", "CMD"]
    assert lines[0] == "FROM public.ecr.aws/lambda/python:3.13"
    assert lines[-1] == f'CMD ["{HANDLER}"]'


def test_the_same_parts_are_laid_out_once_and_others_elsewhere(tmp_path: Path) -> None:
    code, layers = parts(tmp_path)
    first, again, other = (
        build_image_context(code, chosen, handler=HANDLER, target=ARM64, root=tmp_path)
        for chosen in (layers, layers, layers[:1])
    )
    assert first == again != other


def test_what_no_image_can_hold_is_refused(tmp_path: Path) -> None:
    code, layers = parts(tmp_path)
    large = built(tmp_path / "large", {}, digest="x", size_bytes=IMAGE_LIMIT_BYTES)
    with pytest.raises(BuildError, match="Lambda takes 10,737,418,240 as an image; bake fewer models"):
        build_image_context(code, [*layers, large], handler=HANDLER, target=ARM64, root=tmp_path)
