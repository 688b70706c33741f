"""Write a graph with smaller numbers, by ONNX Runtime's own quantizer and its float16 converter."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from model_store.convert.source import Batch, lacks, rows_of
from model_store.gate.candidate import Layout, failures
from model_store.workplace import workplace
from warmstart.errors import UnsupportedModel

if TYPE_CHECKING:
    from onnx import ModelProto

MAX_CALIBRATED: Final = 512
"""Rows, at most, whose activations are watched to calibrate their ranges."""
EXTERNAL_BYTES: Final = 1_500_000_000
"""Above this, the quantizer is told to write weights beside the graph: a protocol buffer holds less than 2 GiB."""
_DYNAMIC_KINDS: Final = ("MatMul", "Gemm", "Gather", "LSTM", "Attention", "EmbedLayerNormalization")
"""Without convolutions: ONNX Runtime has no kernel for ConvInteger with signed weights on the CPU."""
_QUANTIZED: Final = ("DequantizeLinear", "DynamicQuantizeLSTM", "MatMulInteger", "QAttention", "DynamicQuantizeMatMul")
_FAILURES: Final = (ValueError, TypeError, KeyError, IndexError, AttributeError, AssertionError, NotImplementedError)
"""What the quantizers raise for a graph that they do not take, beside ONNX Runtime's and onnx's own."""
_NOTHING: Final = "there is nothing to quantize: the graph has no {} with constant weights"


def dynamic_int8(source: Layout, graph: Path, *, reduced: bool) -> None:
    """Weights as int8, activations quantized as they come. `reduced`: 7 bits. Raises: UnsupportedModel."""
    _refuse_without(_DYNAMIC_KINDS, source.graph, "matrix multiplications")
    with _quantizer() as refusals, workplace() as scratch:
        from onnxruntime.quantization import QuantType, quantize_dynamic

        try:
            quantize_dynamic(
                _prepared(source, scratch, refusals),
                graph,
                op_types_to_quantize=list(_DYNAMIC_KINDS),
                per_channel=True,
                reduce_range=reduced,
                weight_type=QuantType.QInt8,
                use_external_data_format=source.size_bytes > EXTERNAL_BYTES,
            )
        except refusals as error:
            raise _refused(error) from error
    _refuse_without(_QUANTIZED, graph, "matrix multiplications")


def static_int8(source: Layout, graph: Path, batches: Sequence[Batch], *, reduced: bool) -> None:
    """Weights and activations as int8, the ranges of activations calibrated on rows. Raises: UnsupportedModel."""
    what = "matrix multiplications or convolutions"
    _refuse_without((*_DYNAMIC_KINDS, "Conv", "ConvTranspose"), source.graph, what)
    with _quantizer() as refusals, workplace() as scratch:
        from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

        try:
            quantize_static(
                _prepared(source, scratch, refusals),
                graph,
                _Rows(batches),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                reduce_range=reduced,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                use_external_data_format=source.size_bytes > EXTERNAL_BYTES,
            )
        except refusals as error:
            raise _refused(error) from error
    _refuse_without(_QUANTIZED, graph, what)


def half_precision(source: Layout, graph: Path) -> None:
    """Weights and what is computed as fp16, inputs and outputs as they were. Raises: UnsupportedModel."""
    with _quantizer() as refusals:
        import onnx
        from onnxruntime.transformers.float16 import convert_float_to_float16

        try:
            model = convert_float_to_float16(onnx.load(source.graph), keep_io_types=True)
            beside = source.size_bytes > EXTERNAL_BYTES
            onnx.save_model(model, graph, save_as_external_data=beside, location="weights.bin")
        except refusals as error:
            raise _refused(error) from error
    halves = [tensor for tensor in model.graph.initializer if tensor.data_type == onnx.TensorProto.FLOAT16]
    if not any(len(tensor.dims) > 1 for tensor in halves):
        raise UnsupportedModel(_NOTHING.format("matrices or kernels"))


def _prepared(source: Layout, scratch: Path, refusals: tuple[type[Exception], ...]) -> Path:
    """Infer shapes and fold what is constant, as the quantizer's manual asks for; the graph itself if that fails."""
    from onnxruntime.quantization.shape_inference import quant_pre_process

    prepared = scratch / "prepared.onnx"
    try:
        quant_pre_process(
            source.graph,
            prepared,
            skip_symbolic_shape=True,
            skip_optimization=source.run.extensions or source.size_bytes > EXTERNAL_BYTES,
            save_as_external_data=source.size_bytes > EXTERNAL_BYTES,
        )
    except refusals:
        return source.graph
    return prepared


class _Rows:
    """Hands out rows for calibration: onnxruntime.quantization's `CalibrationDataReader` by its method."""

    def __init__(self, batches: Sequence[Batch]) -> None:
        self._left = iter(batches[: max(1, MAX_CALIBRATED // rows_of(batches[0]))])

    def get_next(self) -> dict[str, Any] | None:
        """Return the next request, None when there are no more."""
        batch = next(self._left, None)
        return None if batch is None else dict(batch)


def _refuse_without(kinds: Sequence[str], graph: Path, what: str) -> None:
    import onnx

    model: ModelProto = onnx.load(graph, load_external_data=False)
    if not any(node.op_type in kinds for node in model.graph.node):
        raise UnsupportedModel(_NOTHING.format(what))


def _refused(error: Exception) -> UnsupportedModel:
    return UnsupportedModel(f"it cannot be quantized: {type(error).__name__}: {' '.join(str(error).split())[:300]}")


@contextmanager
def _quantizer() -> Iterator[tuple[type[Exception], ...]]:
    """Import the quantizer, and keep it quiet: it logs advice meant for whoever calls it. Gives what it may raise."""
    try:
        from onnx.checker import ValidationError
        from onnx.shape_inference import InferenceError
    except ImportError as error:
        raise lacks(error, "convert") from error
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        yield (*failures(), *_FAILURES, ValidationError, InferenceError)
    finally:
        root.setLevel(level)
