"""Robust accuracy under PGD with torchattacks, foolbox or PyTorch alone: one whole program, from its start to the printed number.

PGD in the Linf ball without a random start, on the first `--n` MNIST test images in file order. A sample that is
misclassified already counts as not robust. Weights ask for no gradient, which spares both libraries half the work.
"""

import argparse
import gzip
import os
import pathlib

import numpy
import torch

import lines
import networks


def mnist(folder, n):
    images = gzip.decompress((folder / "t10k-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((folder / "t10k-labels-idx1-ubyte.gz").read_bytes())
    x = numpy.frombuffer(images, "uint8", n * 784, 16).reshape(n, 1, 28, 28).astype("float32") / 255
    return torch.from_numpy(x), torch.from_numpy(numpy.frombuffer(labels, "uint8", n, 8).astype("int64"))


def torchattacks_pgd(net, options):
    import torchattacks

    attack = torchattacks.PGD(net, eps=options.eps, alpha=options.step_size, steps=options.steps, random_start=False)
    return torchattacks.__version__, attack


def foolbox_pgd(net, options):
    import foolbox

    model = foolbox.PyTorchModel(net, bounds=(0, 1), device="cpu")
    attack = foolbox.attacks.LinfPGD(abs_stepsize=options.step_size, steps=options.steps, random_start=False)
    return foolbox.__version__, lambda x, y: attack(model, x, y, epsilons=options.eps)[1]


def plain_pgd(net, options):
    """The shortest loop in PyTorch: what a library adds to the start is left out."""

    def attack(x, y):
        z = x.clone()
        for _ in range(options.steps):
            z.requires_grad_(True)
            loss = torch.nn.functional.cross_entropy(net(z), y, reduction="sum")
            (gradient,) = torch.autograd.grad(loss, z)
            with torch.no_grad():
                z = z + options.step_size * gradient.sign()
                z = torch.clamp(torch.minimum(torch.maximum(z, x - options.eps), x + options.eps), 0, 1)
        return z

    return torch.__version__, attack


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--library", choices=("torchattacks", "foolbox", "torch"), required=True)
    parser.add_argument("--network", choices=("mnist-cnn", "mnist-vit", "mnist-mlp"), required=True)
    parser.add_argument("--data", required=True, help="folder with MNIST's t10k files")
    parser.add_argument("--eps", type=float, required=True)
    parser.add_argument("--step-size", type=float, required=True)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=250)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--layout", choices=("nchw", "channels-last"), default="nchw")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    layout = torch.channels_last if options.layout == "channels-last" else torch.contiguous_format
    net = networks.build(options.network).to(memory_format=layout).requires_grad_(False)
    build = {"torchattacks": torchattacks_pgd, "foolbox": foolbox_pgd, "torch": plain_pgd}[options.library]
    version, attack = build(net, options)
    lines.environment(versions={options.library: version}, layout=options.layout, loadAverage=os.getloadavg())

    x, y = mnist(pathlib.Path(options.data), options.n)
    wall, cpu = lines.clock()
    clean = robust = 0
    for images, labels in zip(x.split(options.batch), y.split(options.batch)):
        images = images.contiguous(memory_format=layout)
        adversarial = attack(images, labels)
        with torch.inference_mode():
            right = net(images).argmax(1) == labels
            clean += int(right.sum())
            robust += int((right & (net(adversarial).argmax(1) == labels)).sum())
    wall_after, cpu_after = lines.clock()
    lines.line("repeat", index=0, wall=wall_after - wall, cpu=cpu_after - cpu)
    lines.line("accuracy", clean=clean / options.n, robust=robust / options.n)
    lines.done()


if __name__ == "__main__":
    main()
