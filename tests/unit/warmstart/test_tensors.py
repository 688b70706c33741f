"""Tensors against a signature."""

from __future__ import annotations

import numpy as np
import pytest

from warmstart.errors import MissingTensor, UnknownTensor, WrongDatatype, WrongShape
from warmstart.tensors import TensorSpec, check, fits, listed

X = TensorSpec("x", "FP32", (-1, 2))


@pytest.mark.parametrize(
    ("shape", "declared", "result"),
    [((3, 2), (-1, 2), True), ((3, 2), (3, 2), True), ((3, 2), (2, 2), False), ((3,), (-1, 2), False), ((), (), True),
     ((0, 2), (-1, 2), True), ((3, 2, 1), (-1, 2), False)],
)  # fmt: skip
def test_a_shape_fits_where_each_dimension_does(
    shape: tuple[int, ...], declared: tuple[int, ...], result: bool
) -> None:
    assert fits(shape, declared) is result


def test_tensors_that_are_the_declared_ones_pass() -> None:
    check({"x": np.zeros((5, 2), np.float32), "text": np.array(["a"], object)}, (X, TensorSpec("text", "BYTES", (1,))))


def test_a_missing_tensor_is_named_with_those_that_came() -> None:
    with pytest.raises(
        MissingTensor, match=r"input 'x': expected FP32 \[-1, 2\], got no such tensor \(came: z\)"
    ) as caught:
        check({"z": np.zeros(1)}, (X,))
    assert caught.value.tensor == "x"
    with pytest.raises(MissingTensor, match="came: none"):
        check({}, (X,))


def test_a_datatype_is_named_in_the_protocols_words() -> None:
    with pytest.raises(WrongDatatype, match="expected FP32, got FP64"):
        check({"x": np.zeros((5, 2))}, (X,))
    with pytest.raises(WrongDatatype, match="expected FP32, got complex64"):
        check({"x": np.zeros((5, 2), np.complex64)}, (X,))


def test_a_shape_that_does_not_fit_is_refused() -> None:
    with pytest.raises(WrongShape, match=r"expected shape \[-1, 2\] \(-1 is any size\), got \[5, 3\]"):
        check({"x": np.zeros((5, 3), np.float32)}, (X,))


def test_an_unknown_tensor_is_named_with_those_the_model_has() -> None:
    with pytest.raises(UnknownTensor, match=r"input 'z': the model has no such input \(it has: x\)"):
        check({"x": np.zeros((5, 2), np.float32), "z": np.zeros(1)}, (X,))


def test_a_list_of_names_in_a_message_is_short() -> None:
    names = {f"input-{index}": index for index in range(1000)}
    assert listed(names).endswith("input-9, ...")
    assert len(listed({"a" * 1000: 1})) == 80


def test_a_spec_says_what_it_wants_and_of_which_type() -> None:
    assert (str(X), X.type.numpy) == ("x: FP32 [-1, 2]", "float32")
