"""Writes what the benchmarks need into bench/.cache: `resnet18.onnx`, and each network's initializers as `.npz`.

The weights go through `.npz` so that a PyTorch without the `onnx` package (Debian's) can load them. Each PyTorch
network is then held against ONNX's own reference evaluator on two samples: it fails above a difference of 1e-4.

Usage: prepare.py [FOLDER-OF-SHARED-MODELS]; without a folder only ResNet-18 is prepared.
"""

import pathlib
import sys

import numpy
import onnx
import torch
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator

import networks


def export_resnet18(path):
    net = networks.resnet18_random()
    torch.onnx.export(
        net,
        (torch.zeros(1, *networks.INPUT_SHAPE["resnet18"]),),
        str(path),
        input_names=["input"],
        output_names=["logits"],
        dynamic_axes={"input": {0: "batch"}, "logits": {0: "batch"}},
        opset_version=17,
        do_constant_folding=True,
        dynamo=False,
    )


def prepare(network, model_path):
    model = onnx.load(str(model_path))
    onnx.checker.check_model(model)
    initializers = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    numpy.savez(networks.CACHE / f"{network}.npz", **initializers)
    x = numpy.random.Generator(numpy.random.PCG64(1)).random((2, *networks.INPUT_SHAPE[network]), dtype="float32")
    (expected,) = ReferenceEvaluator(model).run(None, {"input": x})
    with torch.inference_mode():
        got = networks.build(network)(torch.from_numpy(x)).numpy()
    difference = float(numpy.abs(got - expected).max())
    print(f"{network}: PyTorch differs from the ONNX reference by at most {difference:.1e} (logits up to "
          f"{float(numpy.abs(expected).max()):.1f})")
    if not difference <= 1e-4:
        raise SystemExit(f"{network}: expected a difference of at most 1e-4, got {difference}")


def main():
    networks.CACHE.mkdir(exist_ok=True)
    resnet18 = networks.CACHE / "resnet18.onnx"
    export_resnet18(resnet18)
    prepare("resnet18", resnet18)
    for folder in sys.argv[1:2]:
        for network in ("mnist-cnn", "mnist-cnn-adv", "cifar10-resnet14", "mnist-vit", "mnist-mlp"):
            prepare(network, pathlib.Path(folder) / f"{network}.onnx")


if __name__ == "__main__":
    main()
