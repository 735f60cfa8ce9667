"""Attacks small networks over rows with ART, for the guard `constraints` to find: examples go to files, raw float32 in the order of the rows.

`--folder` holds `model.onnx` (two dense layers with a rectifier between them), `x.f32` (rows), `y.i32` (labels) and `about.json` (`dims` of a row, `bounds`, `eps`, `labelsOnly`: how many
rows HopSkipJump gets). Each attack writes `ART NAME.f32` there and prints one JSON line `peer`.
"""

import argparse
import importlib.metadata
import json
import math
import pathlib

import numpy
import onnx
import torch
from onnx import numpy_helper

import lines

# ART 1.20 asks for a name that NumPy 2 has under another.
numpy.mat = numpy.asmatrix


def network(path):
    weights = {each.name: torch.from_numpy(numpy_helper.to_array(each).copy()) for each in onnx.load(path).graph.initializer}
    layers = [torch.nn.Flatten()]
    for name in ("dense1", "head"):
        w = weights[f"{name}.weight"]
        layer = torch.nn.Linear(w.shape[1], w.shape[0])
        layer.load_state_dict({"weight": w, "bias": weights[f"{name}.bias"]})
        layers += [layer, torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1]).requires_grad_(False)


class Float32(torch.nn.Module):
    """Some of ART's attacks ask in float64 under NumPy 2."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        return self.net(x.to(torch.float32))


def main():
    from art.attacks.evasion import HopSkipJump, ProjectedGradientDescent
    from art.estimators.classification import PyTorchClassifier

    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", required=True, type=pathlib.Path)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    about = json.loads((args.folder / "about.json").read_text())
    x = numpy.fromfile(args.folder / "x.f32", "<f4").reshape(-1, *about["dims"])
    y = numpy.fromfile(args.folder / "y.i32", "<i4")
    few = about["labelsOnly"]
    net = network(args.folder / "model.onnx")
    classifier = PyTorchClassifier(
        Float32(net), torch.nn.CrossEntropyLoss(), tuple(about["dims"]), 2, clip_values=tuple(about["bounds"]), device_type="cpu"
    )
    eps = about["eps"]
    cases = {
        "ART PGD": (ProjectedGradientDescent(classifier, norm=math.inf, eps=eps, eps_step=eps / 10, max_iter=40, verbose=False), len(x)),
        "ART HopSkipJump": (HopSkipJump(classifier, norm=2, max_iter=20, max_eval=200, init_eval=50, verbose=False), few),
    }
    version = importlib.metadata.version("adversarial-robustness-toolbox")
    for name, (attack, n) in cases.items():
        numpy.random.seed(0)
        torch.manual_seed(0)
        labels = numpy.eye(2, dtype="float32")[y[:n]] if name == "ART PGD" else None
        examples = attack.generate(x[:n].copy(), labels).astype("<f4")
        examples.tofile(args.folder / f"{name}.f32")
        with torch.no_grad():
            fooled = int((net(torch.from_numpy(examples)).argmax(1).numpy() != y[:n]).sum())
        lines.line("peer", name=name, n=n, fooled=fooled, version=version)


main()
