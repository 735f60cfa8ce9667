"""The ways in which a network becomes a file. Each returns nothing, or raises what the exporter raised."""

import copy
import pathlib
from collections.abc import Callable

import numpy as np
import onnx
import onnx.version_converter
import onnxruntime
import torch
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
from onnxruntime.quantization.shape_inference import quant_pre_process
from onnxruntime.transformers.float16 import convert_float_to_float16
from onnxruntime.transformers.optimizer import optimize_model
from torch import nn

from architectures.case import Case
from reference import samples

Export = Callable[[Case, nn.Module, pathlib.Path], None]


def arguments(case: Case, batch: int, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, ...]:
    given = samples(case, batch)
    return (given["x"].to(dtype), *([given["index"]] if "index" in given else []))


def legacy(opset: int, batch: int | None = None, dtype: torch.dtype = torch.float32, **options) -> Export:
    """The TorchScript exporter; `batch` None leaves the batch size open."""

    def export(case: Case, model: nn.Module, path: pathlib.Path) -> None:
        names = ["x", "index"] if case.index else ["x"]
        axes = {name: {0: "batch"} for name in [*names, "output"]}
        mode = torch.onnx.TrainingMode.TRAINING if case.training else torch.onnx.TrainingMode.EVAL
        settings = {"training": mode, "do_constant_folding": not case.training} | options
        torch.onnx.export(
            copy.deepcopy(model).to(dtype), arguments(case, batch or 3, dtype), str(path), dynamo=False,
            opset_version=opset, input_names=names, output_names=["output"],
            dynamic_axes=axes if batch is None else None, **settings,
        )  # fmt: skip

    return export


def dynamo(
    opset: int | None,
    batch: int | None = None,
    dtype: torch.dtype = torch.float32,
    external: bool = False,
    optimize: bool = True,
) -> Export:
    """The exporter on torch.export; without an opset its default."""

    def export(case: Case, model: nn.Module, path: pathlib.Path) -> None:
        names = ["x", "index"] if case.index else ["x"]
        shapes = tuple({0: torch.export.Dim("batch")} for _ in names)
        torch.onnx.export(
            copy.deepcopy(model).to(dtype).train(case.training), arguments(case, batch or 3, dtype), str(path),
            dynamo=True, opset_version=opset, input_names=names, output_names=["output"],
            dynamic_shapes=shapes if batch is None else None, external_data=external, optimize=optimize, verbose=False,
        )  # fmt: skip

    return export


def after(first: Export, change: Callable[[Case, str, str], None]) -> Export:
    """An export that another tool then works on: `change(case, from, to)`."""

    def export(case: Case, model: nn.Module, path: pathlib.Path) -> None:
        source = path.with_suffix(".source.onnx")
        first(case, model, source)
        try:
            change(case, str(source), str(path))
        finally:
            source.unlink()

    return export


def half(_: Case, source: str, target: str) -> None:
    """The converter of ONNX Runtime's tools; inputs and outputs stay float32."""
    onnx.save(convert_float_to_float16(onnx.load(source), keep_io_types=True), target)


def external(_: Case, source: str, target: str) -> None:
    name = pathlib.Path(target).name + ".data"
    onnx.save(onnx.load(source), target, save_as_external_data=True, location=name, size_threshold=64)


def optimised(_: Case, source: str, target: str) -> None:
    """What ONNX Runtime saves of its own (extended) optimisation: fused operators of com.microsoft."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = target
    onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def transformer(_: Case, source: str, target: str) -> None:
    """The fusions of ONNX Runtime's transformer tools: Attention, SkipLayerNormalization, BiasGelu."""
    optimize_model(source, model_type="vit", num_heads=0, hidden_size=0, opt_level=0).save_model_to_file(target)


def converted(opset: int) -> Callable[[Case, str, str], None]:
    """onnx's own version converter."""

    def change(_: Case, source: str, target: str) -> None:
        onnx.save(onnx.version_converter.convert_version(onnx.load(source), opset), target)

    return change


def four_bits(_: Case, source: str, target: str) -> None:
    """Weights of products in blocks of 4 bits: MatMulNBits."""
    quantizer = MatMulNBitsQuantizer(onnx.load(source), block_size=16, is_symmetric=False)
    quantizer.process()
    quantizer.model.save_model_to_file(target)


class Calibration(CalibrationDataReader):
    def __init__(self, case: Case):
        rng = np.random.default_rng(5)
        self.rows = iter([{"x": rng.standard_normal((8, *case.shape), dtype=np.float32)} for _ in range(4)])

    def get_next(self):
        return next(self.rows, None)


def quantised(
    form: QuantFormat,
    weights: QuantType = QuantType.QInt8,
    per_channel: bool = False,
    activations: QuantType = QuantType.QUInt8,
):
    def change(case: Case, source: str, target: str) -> None:
        quant_pre_process(source, target, skip_symbolic_shape=True)
        quantize_static(
            target, target, Calibration(case), quant_format=form, per_channel=per_channel, weight_type=weights,
            activation_type=activations,
        )  # fmt: skip

    return change


def quantised_dynamically(_: Case, source: str, target: str) -> None:
    quantize_dynamic(source, target, weight_type=QuantType.QUInt8)


# Of every network.
EVERY: dict[str, Export] = {
    **{f"legacy-{opset}": legacy(opset) for opset in (9, 11, 13, 17)},
    "legacy-17-batch-1": legacy(17, 1),
    "dynamo": dynamo(None),
    "dynamo-23-batch-1": dynamo(23, 1),
}

UNFOLDED = {"training": torch.onnx.TrainingMode.PRESERVE, "do_constant_folding": False}
QDQ, QOPERATOR = QuantFormat.QDQ, QuantFormat.QOperator

# name: (networks, element type of the reference, export)
SOME: dict[str, tuple[tuple[str, ...], torch.dtype, Export]] = {
    "legacy-9-unfolded": (("resnet", "mobilenet", "series"), torch.float32, legacy(9, **UNFOLDED)),
    "legacy-17-unfolded": (("resnet", "mobilenet", "densenet", "volume"), torch.float32, legacy(17, **UNFOLDED)),
    "legacy-9-initialisers-as-inputs": (
        ("plain-cnn", "resnet"), torch.float32, legacy(9, keep_initializers_as_inputs=True)),
    "legacy-8": (("plain-cnn", "resnet", "dilated", "densenet", "lstm", "gru"), torch.float32, legacy(8)),
    "dynamo-unoptimised": (
        ("plain-cnn", "resnet", "convnext", "vit", "lstm", "swin", "unet"), torch.float32, dynamo(None, optimize=False)),
    "onnx-converted-24": (("plain-cnn", "resnet", "vit", "unet", "lstm"), torch.float32, after(legacy(13), converted(24))),
    "legacy-20": (("spatial-transformer", "norms", "causal-decoder", "rare-activations"), torch.float32, legacy(20)),
    "float16-legacy-17": (("plain-cnn", "resnet", "convnext", "vit", "lstm"), torch.float16, legacy(17, None, torch.float16)),
    "float16-dynamo": (("plain-cnn", "resnet", "convnext", "vit"), torch.float16, dynamo(None, None, torch.float16)),
    "float16-converted": (("plain-cnn", "resnet", "convnext", "vit"), torch.float16, after(legacy(17), half)),
    "bfloat16-dynamo": (("plain-cnn", "convnext", "vit", "mixer"), torch.bfloat16, dynamo(None, None, torch.bfloat16)),
    "external-legacy-17": (("plain-cnn", "vit"), torch.float32, after(legacy(17), external)),
    "external-dynamo": (("plain-cnn", "vit"), torch.float32, dynamo(None, None, external=True)),
    "ort-optimised": (
        ("plain-cnn", "resnet", "mobilenet", "convnext", "vit", "transformer-encoder", "activations", "norms"),
        torch.float32, after(legacy(17), optimised)),
    "ort-transformers": (
        ("vit", "transformer-encoder", "convnext", "mixer"), torch.float32, after(legacy(17), transformer)),
    "int8-qdq": (("plain-cnn", "resnet", "mobilenet", "vit"), torch.float32, after(legacy(17), quantised(QDQ))),
    "int8-qdq-signed": (
        ("plain-cnn", "unet", "transformer-encoder"), torch.float32,
        after(legacy(17), quantised(QDQ, activations=QuantType.QInt8))),
    "int16-qdq": (
        ("plain-cnn", "mixer"), torch.float32, after(legacy(17), quantised(QDQ, activations=QuantType.QUInt16))),
    "int4-weights": (("plain-cnn", "mixer", "vit"), torch.float32, after(legacy(17), four_bits)),
    "int8-qdq-per-channel": (
        ("plain-cnn", "mobilenet", "convnext"), torch.float32, after(legacy(13), quantised(QDQ, per_channel=True))),
    "int8-qoperator": (
        ("plain-cnn", "resnet", "mobilenet", "inception"), torch.float32, after(legacy(17), quantised(QOPERATOR))),
    "uint8-qoperator": (("plain-cnn", "densenet"), torch.float32, after(legacy(13), quantised(QOPERATOR, QuantType.QUInt8))),
    "uint8-dynamic": (("plain-cnn", "vit", "lstm", "gru", "transformer-encoder"), torch.float32, after(legacy(17), quantised_dynamically)),
}  # fmt: skip
