"""Private training with Opacus on MNIST: milliseconds for a step of its own example's network, for each of its ways to get gradients.

Usage: private.py [folder with the MNIST files] [steps]. `plain` is the same step without privacy, in PyTorch.
"""

import gzip
import sys
import warnings
from pathlib import Path

import numpy
import opacus
import torch
from opacus import PrivacyEngine
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import lines

BATCH, RATE, NOISE, CLIP = 240, 0.15, 1.1, 1.0


def network():
    """The network of opacus/examples/mnist.py."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 8, 2, padding=3), nn.ReLU(), nn.MaxPool2d(2, 1),
        nn.Conv2d(16, 32, 4, 2), nn.ReLU(), nn.MaxPool2d(2, 1),
        nn.Flatten(), nn.Linear(512, 32), nn.ReLU(), nn.Linear(32, 10),
    )


def samples(folder):
    """All training samples in memory, centred as in the example."""
    read = lambda name, skip: numpy.frombuffer(gzip.open(Path(folder) / name).read(), numpy.uint8, offset=skip)
    x = torch.from_numpy(read("train-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28).astype("float32") / 255)
    y = torch.from_numpy(read("train-labels-idx1-ubyte.gz", 8).astype("int64"))
    return TensorDataset((x - 0.1307) / 0.3081, y)


def batches(loader, count):
    """So many batches, beginning again where the loader ends."""
    made = 0
    while made < count:
        for batch in loader:
            yield batch
            made += 1
            if made == count:
                return


def measure(name, data, steps):
    """Prints wall and CPU milliseconds for a step of the way `name`."""
    torch.manual_seed(1)
    model, criterion = network(), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    loader = DataLoader(data, BATCH, shuffle=True)
    if name != "plain":
        made = PrivacyEngine().make_private(
            module=model, optimizer=optimizer, data_loader=loader, criterion=criterion,
            noise_multiplier=NOISE, max_grad_norm=CLIP, poisson_sampling=True, grad_sample_mode=name,
        )
        model, optimizer, *more, loader = made
        criterion = more[0] if more else criterion
    warm = max(3, steps // 10)
    for i, (x, y) in enumerate(batches(loader, warm + steps)):
        if i == warm:
            wall, cpu = lines.clock()
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    wall, cpu = (now - then for now, then in zip(lines.clock(), (wall, cpu)))
    lines.line("step", way=name, wallMs=1000 * wall / steps, cpuMs=1000 * cpu / steps)


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    lines.environment(versions={"opacus": opacus.__version__})
    data, count = samples(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 100
    for way in ("plain", "hooks", "functorch", "ew", "ghost"):
        try:
            measure(way, data, count)
        except Exception as error:
            lines.line("failed", way=way, reason=f"{type(error).__name__}: {error}"[:300])
    lines.done()
