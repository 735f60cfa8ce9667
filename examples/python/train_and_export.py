"""python train_and_export.py MNIST-FOLDER: trains for a few seconds, writes digits.onnx, digits.pt, digits-test.npz.

With --dynamo it exports through torch.export instead (needs `pip install onnxscript`).
"""

import sys

import numpy as np
import torch
from torch import nn

from digits import build, read_idx


def train(model: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> None:
    optimiser = torch.optim.Adam(model.parameters(), 2e-3)
    for batch in torch.randperm(len(images)).split(100):
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(images[batch]), labels[batch]).backward()
        optimiser.step()


def export(model: nn.Module) -> None:
    model.eval()  # BatchNorm and Dropout as they are when deployed
    torch.onnx.export(
        model,
        (torch.zeros(2, 1, 28, 28),),
        "digits.onnx",
        input_names=["pixels"],
        output_names=["logits"],
        dynamic_axes={"pixels": {0: "batch"}, "logits": {0: "batch"}},
        dynamo=False,
    )


def export_dynamo(model: nn.Module) -> None:
    model.eval()
    torch.onnx.export(
        model,
        (torch.zeros(2, 1, 28, 28),),
        "digits.onnx",
        input_names=["pixels"],
        output_names=["logits"],
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        external_data=False,  # one file; left out, weights may go to a second file beside it
        dynamo=True,
    )


if __name__ == "__main__":
    folder = sys.argv[1]
    torch.manual_seed(0)
    model = build()
    images = torch.tensor(read_idx(f"{folder}/train-images-idx3-ubyte.gz")[:12000]).unsqueeze(1) / 255
    labels = torch.tensor(read_idx(f"{folder}/train-labels-idx1-ubyte.gz")[:12000]).long()
    train(model, images, labels)
    (export_dynamo if "--dynamo" in sys.argv else export)(model)
    torch.save(model.state_dict(), "digits.pt")
    test = read_idx(f"{folder}/t10k-images-idx3-ubyte.gz")
    np.savez("digits-test.npz", x=test, y=read_idx(f"{folder}/t10k-labels-idx1-ubyte.gz"))
