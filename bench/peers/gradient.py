"""Times PyTorch: forward pass, gradient of the loss with respect to the input, or a training step.

- forward: `inference_mode`.
- input: gradient of the summed cross-entropy with respect to the input; no weight asks for a gradient.
- train: mean cross-entropy, gradients of all weights, one Adam step (learning rate 1e-3) by the quickest of PyTorch's
  three implementations, which is measured first. BatchNorm is folded, as on the other side.

What the other side is compared with is written before anything is timed: `logits.npy`, `gradient.npy` or `losses.npy`
(the first three training losses).
"""

import argparse
import copy
import pathlib

import numpy
import torch
import torch.nn.functional as F

import lines
import networks


def adam(parameters, implementation):
    flags = {"fused": {"fused": True}, "foreach": {"foreach": True}, "loop": {"foreach": False}}[implementation]
    return torch.optim.Adam(parameters, lr=1e-3, **flags)


def quickest_adam(net):
    """The name of the implementation whose step is quickest on copies of the weights (best of five)."""
    best = (float("inf"), "loop")
    for implementation in ("fused", "foreach", "loop"):
        weights = [weight.detach().clone().requires_grad_() for weight in net.parameters()]
        for weight in weights:
            weight.grad = torch.full_like(weight, 1e-3)
        try:
            optimiser = adam(weights, implementation)
            optimiser.step()
        except (RuntimeError, TypeError):  # this version has no such implementation on the CPU
            continue
        for _ in range(5):
            start = lines.clock()[0]
            optimiser.step()
            best = min(best, (lines.clock()[0] - start, implementation))
    return best[1]


def forward_step(net, x, labels):
    with torch.inference_mode():
        return net(x)


def input_step(net, x, labels):
    x = x.detach().requires_grad_(True)
    loss = F.cross_entropy(net(x), labels, reduction="sum")
    return torch.autograd.grad(loss, x)[0]


def training_step(optimiser):
    def step(net, x, labels):
        optimiser.zero_grad(set_to_none=True)
        loss = F.cross_entropy(net(x), labels)
        loss.backward()
        optimiser.step()
        return loss

    return step


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--network", choices=networks.INPUT_SHAPE, required=True)
    parser.add_argument("--mode", choices=("forward", "input", "train"), required=True)
    parser.add_argument("--input", required=True, help=".npy, float32 [n, channels, height, width]")
    parser.add_argument("--labels", required=True, help=".npy, int64 [n]")
    parser.add_argument("--out", required=True, help="folder for the outputs to compare")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--layout", choices=("nchw", "channels-last"), default="nchw")
    parser.add_argument("--compile", action="store_true", help="torch.compile the network")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--warmup", type=int, default=2)
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    out = pathlib.Path(options.out)
    layout = torch.channels_last if options.layout == "channels-last" else torch.contiguous_format
    net = networks.build(options.network).to(memory_format=layout)
    x = torch.from_numpy(numpy.load(options.input)).contiguous(memory_format=layout)
    labels = torch.from_numpy(numpy.load(options.labels))

    implementation = None
    if options.mode == "train":
        implementation = quickest_adam(copy.deepcopy(net))
        step = training_step(adam(net.parameters(), implementation))
    else:
        net.requires_grad_(False)
        step = forward_step if options.mode == "forward" else input_step
    lines.environment(layout=options.layout, compiled=options.compile, adam=implementation)

    run = torch.compile(net) if options.compile else net
    if options.mode == "train":
        numpy.save(out / "losses.npy", numpy.array([step(run, x, labels).item() for _ in range(3)], "float32"))
    else:
        logits = forward_step(run, x, labels)
        numpy.save(out / "logits.npy", logits.contiguous().numpy())
        if options.mode == "input":
            numpy.save(out / "gradient.npy", step(run, x, labels).contiguous().numpy())
    lines.line("outputs")

    for _ in range(options.warmup):
        step(run, x, labels)
    for index in range(options.repeat):
        wall, cpu = lines.clock()
        step(run, x, labels)
        wall_after, cpu_after = lines.clock()
        lines.line("repeat", index=index, wall=wall_after - wall, cpu=cpu_after - cpu)
    lines.done()


if __name__ == "__main__":
    main()
