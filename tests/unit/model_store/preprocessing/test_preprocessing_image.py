"""Image files to pixel values: each step against values worked out by hand, and what is refused."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from model_store.preprocessing.declared import ImageInput, parse, render
from model_store.preprocessing.session import open_preprocessing
from tests.build.prepared import image_folder, picture
from warmstart.errors import InvalidManifest, InvalidValue

PLAIN = ImageInput("pixel_values", "bilinear")


def pixels(folder: Path, declared: ImageInput, *files: object) -> NDArray[Any]:
    image_folder(folder, declared)
    return open_preprocessing(folder).apply({"image": np.array(files, object)})["pixel_values"]


def png(values: NDArray[np.uint8], **options: Any) -> str:
    file = BytesIO()
    Image.fromarray(values).save(file, "PNG", **options)
    return b64encode(file.getvalue()).decode()


def test_an_image_becomes_its_planes(tmp_path: Path) -> None:
    found = pixels(tmp_path, PLAIN, picture((3, 2), (10, 20, 30)))
    assert (found.shape, found.dtype.name) == ((1, 3, 2, 3), "float32")
    assert found[0, :, 1, 2].tolist() == [10.0, 20.0, 30.0]


def test_values_are_rescaled_then_normalised(tmp_path: Path) -> None:
    declared = PLAIN._replace(rescale=1 / 255, mean=(0.5, 0.0, 1.0), std=(0.5, 1.0, 0.25))
    found = pixels(tmp_path, declared, picture((1, 1), (255, 51, 0)))
    np.testing.assert_allclose(found.ravel(), [1.0, 0.2, -4.0], rtol=1e-6)


def test_a_smaller_size_averages_what_it_covers(tmp_path: Path) -> None:
    board = np.tile(np.array([[0, 200], [200, 0]], np.uint8), (4, 4))
    found = pixels(tmp_path, PLAIN._replace(size=(2, 2), resample="box"), png(board))
    assert found[0, 0].tolist() == [[100.0, 100.0], [100.0, 100.0]]


@pytest.mark.parametrize(("size", "shape"), [((300, 200), (20, 30)), ((200, 300), (30, 20)), ((100, 299), (59, 20))])
def test_the_shortest_edge_keeps_proportions(tmp_path: Path, size: tuple[int, int], shape: tuple[int, int]) -> None:
    assert pixels(tmp_path, PLAIN._replace(shortest_edge=20), picture(size, (1, 2, 3))).shape[2:] == shape


def test_the_middle_is_cut_out_and_a_small_image_is_framed_in_black(tmp_path: Path) -> None:
    row = np.arange(5, dtype=np.uint8)[np.newaxis]
    assert pixels(tmp_path, PLAIN._replace(crop=(1, 3)), png(row))[0, 0].tolist() == [[1.0, 2.0, 3.0]]
    framed = pixels(tmp_path, PLAIN._replace(crop=(3, 2)), png(np.full((1, 2), 9, np.uint8)))
    assert framed[0, 0].tolist() == [[0.0, 0.0], [9.0, 9.0], [0.0, 0.0]]


def test_a_photo_is_turned_upright_as_its_camera_says(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # taken with the camera turned: show it a quarter turn clockwise
    found = pixels(tmp_path, PLAIN, png(np.array([[1, 2]], np.uint8), exif=exif))
    assert found[0, 0].tolist() == [[1.0], [2.0]]


def test_images_of_one_request_become_one_batch(tmp_path: Path) -> None:
    files = [picture((4, 4), (1, 1, 1)), picture((9, 5), (2, 2, 2), "JPEG")]
    assert pixels(tmp_path, PLAIN._replace(size=(2, 2)), *files)[:, 0, 0, 0].tolist() == [1.0, 2.0]


def test_images_that_stay_of_several_sizes_are_no_batch(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match="one size after scaling, got 2 by 2 and 3 by 2; send them one by one"):
        pixels(tmp_path, PLAIN, picture((2, 2), (0, 0, 0)), picture((2, 3), (0, 0, 0)))


def gif() -> str:
    file = BytesIO()
    Image.new("P", (2, 2)).save(file, "GIF")
    return b64encode(file.getvalue()).decode()


def bomb() -> str:
    """A PNG whose header says 10000 by 10000 pixels."""
    body = bytearray(b64decode(picture((1, 1), (0, 0, 0))))
    body[16:24] = (10_000).to_bytes(4, "big") * 2
    from zlib import crc32

    body[29:33] = crc32(bytes(body[12:29])).to_bytes(4, "big")
    return b64encode(bytes(body)).decode()


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("not base64!", "expected an image file in base64, got 'not base64!' in row 0"),
        ("", "expected a JPEG or PNG file, got 0 bytes in row 0"),
        (b64encode(b"text").decode(), "expected a JPEG or PNG file, got 4 bytes in row 0"),
        (gif(), "expected a JPEG or PNG file, got"),
        (picture((64, 64), (1, 2, 3), "JPEG")[:400], "expected a JPEG or PNG file, got 300 bytes in row 0"),
        (7, "expected an image file in base64, got int in row 0"),
    ],
)
def test_what_is_no_image_is_the_request_s_mistake(tmp_path: Path, file: object, says: str) -> None:
    with pytest.raises(InvalidValue, match=f"input 'image': {says}"):
        pixels(tmp_path, PLAIN, file)


def test_a_small_file_that_declares_many_pixels_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    with pytest.warns(Image.DecompressionBombWarning), pytest.raises(InvalidValue, match="got 10000 by 10000 in row 0"):
        pixels(tmp_path, PLAIN, bomb())


def test_a_line_of_pixels_is_not_scaled_to_more_than_memory_holds(tmp_path: Path) -> None:
    line = picture((20_000, 1), (1, 2, 3))

    with pytest.raises(InvalidValue, match=r"not so long and thin, got (20000 by 1|1 by 20000) in row 0"):
        pixels(tmp_path, PLAIN._replace(shortest_edge=256), line)


@pytest.mark.parametrize(
    "fields",
    [
        {"size": "224"},
        {"size": [224]},
        {"size": [0, 1]},
        {"crop": [10**9, 1]},
        {"shortest_edge": 10**9},
        {"shortest_edge": True},
        {"rescale": "1"},
        {"mean": [0.5, 0.5]},
        {"std": ["a"]},
        {"feed": 1},
        {"resample": ["bilinear"]},
        {"unknown": 1},
    ],
    ids=str,
)
def test_a_declaration_that_each_request_would_fail_on_is_refused(fields: dict[str, object]) -> None:
    document = json.loads(render(PLAIN))
    document["image"].update(fields)

    with pytest.raises(InvalidManifest, match="here: not a declaration of preprocessing"):
        parse(json.dumps(document).encode(), where="here")


def test_a_declaration_is_read_as_it_was_written() -> None:
    declared = ImageInput("pixel_values", "bicubic", shortest_edge=256, crop=(224, 224), mean=(0.5,), std=(0.5,))
    assert parse(render(declared), where="here") == declared
