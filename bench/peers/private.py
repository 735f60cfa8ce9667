"""Times epochs of private training with Opacus, in one of its ways to get gradients, or of plain training in PyTorch (`plain`).

The network is that of opacus/examples/mnist.py with its SGD, Poisson sampling, noise and clipping. An epoch is timed from the end of its first step to the
end of its last; the first epoch is not counted. Prints the accuracy on the test samples after the last.
"""

import argparse
import warnings

import numpy
import opacus
import torch
from opacus import PrivacyEngine
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import lines

MEAN, STD = 0.1307, 0.3081


def network():
    """The network of opacus/examples/mnist.py."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 8, 2, padding=3), nn.ReLU(), nn.MaxPool2d(2, 1),
        nn.Conv2d(16, 32, 4, 2), nn.ReLU(), nn.MaxPool2d(2, 1),
        nn.Flatten(), nn.Linear(512, 32), nn.ReLU(), nn.Linear(32, 10),
    )


def samples(prefix):
    """Samples in memory, centred as in the example."""
    x, y = (torch.from_numpy(numpy.load(f"{prefix}-{part}.npy")) for part in ("x", "y"))
    return TensorDataset((x - MEAN) / STD, y)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--way", choices=("plain", "hooks", "functorch", "ew", "ghost"), required=True)
    parser.add_argument("--train", required=True, help="PREFIX of -x.npy and -y.npy")
    parser.add_argument("--test", required=True, help="PREFIX of -x.npy and -y.npy")
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--noise", type=float, required=True)
    parser.add_argument("--clip", type=float, required=True)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()

    warnings.filterwarnings("ignore")
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    model, criterion = network(), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=options.rate)
    loader = DataLoader(samples(options.train), options.batch, shuffle=True, drop_last=options.way == "plain")
    if options.way != "plain":
        made = PrivacyEngine().make_private(
            module=model, optimizer=optimizer, data_loader=loader, criterion=criterion,
            noise_multiplier=options.noise, max_grad_norm=options.clip, poisson_sampling=True,
            grad_sample_mode=options.way,
        )
        model, optimizer, *more, loader = made
        criterion = more[0] if more else criterion
    lines.environment(versions={"opacus": opacus.__version__}, way=options.way)
    for epoch in range(options.epochs + 1):
        for step, (x, y) in enumerate(loader):
            if step == 1:
                wall, cpu = lines.clock()
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
        wall_after, cpu_after = lines.clock()
        if epoch > 0:
            lines.line("repeat", index=epoch - 1, wall=wall_after - wall, cpu=cpu_after - cpu)
    x, y = samples(options.test).tensors
    with torch.inference_mode():
        right = (model(x).argmax(1) == y).sum().item()
    lines.line("accuracy", clean=right / len(y), robust=0)
    lines.done()


if __name__ == "__main__":
    main()
