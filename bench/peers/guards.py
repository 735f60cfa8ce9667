"""Attacks a network with torchattacks, for guards to find: examples go to files, raw float32 in the order of the samples.

`--folder` holds `x.f32` (samples, row-major) and `y.i32` (labels); `--cases` is a JSON list of `{"name", "attack", "options"}`, the attack a
class of torchattacks. Each writes `NAME.f32` there and prints one JSON line `peer` with how many examples fool the network in PyTorch.
"""

import argparse
import importlib.metadata
import json
import pathlib

import numpy
import torch
import torchattacks

import lines
import networks


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--network", required=True)
    parser.add_argument("--folder", required=True, type=pathlib.Path)
    parser.add_argument("--cases", required=True)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    net = networks.build(args.network).requires_grad_(False)
    y = torch.from_numpy(numpy.fromfile(args.folder / "y.i32", "<i4").astype("int64"))
    shape = networks.INPUT_SHAPE[args.network]
    x = torch.from_numpy(numpy.fromfile(args.folder / "x.f32", "<f4").reshape(-1, *shape))
    version = importlib.metadata.version("torchattacks")
    for case in json.loads(args.cases):
        torch.manual_seed(0)
        attack = getattr(torchattacks, case["attack"])(net, **case["options"])
        parts = [attack(x[i : i + 50], y[i : i + 50]).detach() for i in range(0, len(x), 50)]
        examples = torch.cat(parts)
        examples.numpy().astype("<f4").tofile(args.folder / f"{case['name']}.f32")
        with torch.no_grad():
            fooled = int((net(examples).argmax(1) != y).sum())
        lines.line("peer", name=case["name"], n=len(x), fooled=fooled, version=version)


main()
