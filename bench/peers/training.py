"""Times epochs of training in PyTorch: on the samples as they are, or on PGD-10 examples (Madry et al. 2018).

Adam at 1e-3 by the quickest of PyTorch's implementations, mean cross-entropy, batches in the order of `order.npy`. The inner attack starts at
random, takes ten steps of a quarter of eps by signs and asks for no gradient of a weight. An epoch is timed from the end of its first step to the
end of its last; the first epoch is not counted. Prints the accuracy on the test samples after the last, as they are and under PGD-10.
"""

import argparse
import copy

import numpy
import torch
import torch.nn.functional as F

import lines
import networks
from gradient import adam, quickest_adam

STEPS = 10


def attacked(net, x, labels, eps):
    """PGD examples in Linf around `x`, values in 0-1."""
    at = (x + torch.empty_like(x).uniform_(-eps, eps)).clamp_(0, 1)
    low, high = (x - eps).clamp_(min=0), (x + eps).clamp_(max=1)
    for _ in range(STEPS):
        at.requires_grad_(True)
        slope = torch.autograd.grad(F.cross_entropy(net(at), labels, reduction="sum"), at)[0]
        at = torch.max(torch.min(at.detach() + (2.5 * eps / STEPS) * slope.sign(), high), low)
    return at


def right(net, x, labels):
    with torch.inference_mode():
        return (net(x).argmax(1) == labels).sum().item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--network", choices=networks.INPUT_SHAPE, required=True)
    parser.add_argument("--weights", required=True, help=".npz of the initializers to start from")
    parser.add_argument("--train", required=True, help="PREFIX of -x.npy, -y.npy and -order.npy [epochs, n]")
    parser.add_argument("--test", required=True, help="PREFIX of -x.npy and -y.npy")
    parser.add_argument("--against", choices=("nothing", "pgd"), required=True)
    parser.add_argument("--eps", type=float, required=True)
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--layout", choices=("nchw", "channels-last"), default="nchw")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    layout = torch.channels_last if options.layout == "channels-last" else torch.contiguous_format
    net = networks.build(options.network, options.weights).to(memory_format=layout)
    load = lambda prefix, part: torch.from_numpy(numpy.load(f"{prefix}-{part}.npy"))
    x, y, order = load(options.train, "x"), load(options.train, "y"), load(options.train, "order")
    test_x, test_y = load(options.test, "x").contiguous(memory_format=layout), load(options.test, "y")
    implementation = quickest_adam(copy.deepcopy(net))
    optimiser = adam(net.parameters(), implementation)
    lines.environment(layout=options.layout, adam=implementation)

    steps = len(x) // options.batch
    for epoch in range(options.epochs + 1):
        for step in range(steps):
            if step == 1:
                wall, cpu = lines.clock()
            chosen = order[epoch, step * options.batch : (step + 1) * options.batch]
            samples, labels = x[chosen].contiguous(memory_format=layout), y[chosen]
            if options.against == "pgd":
                samples = attacked(net, samples, labels, options.eps)
            optimiser.zero_grad(set_to_none=True)
            F.cross_entropy(net(samples), labels).backward()
            optimiser.step()
        wall_after, cpu_after = lines.clock()
        if epoch > 0:
            lines.line("repeat", index=epoch - 1, wall=wall_after - wall, cpu=cpu_after - cpu)
    n = len(test_y)
    robust = right(net, attacked(net, test_x, test_y, options.eps), test_y)
    lines.line("accuracy", clean=right(net, test_x, test_y) / n, robust=robust / n)
    lines.done()


if __name__ == "__main__":
    main()
