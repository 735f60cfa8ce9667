"""Records what attacks of ART, Foolbox and torchattacks ask, query by query, for guards that watch clients.

`--folder` holds `x.f32` (samples `[n, 1, 28, 28]`, row-major) and `y.i32` (labels). Each attack runs on each sample alone and ends after `--most` queries. Samples that it asked about go to
`NAME-I.f32` there, in their order; one JSON line `queries` for each attack says how many each run asked.
"""

import argparse
import importlib.metadata
import pathlib

import numpy
import torch

import attacks
import lines
import networks

# ART 1.20 asks for a name that NumPy 2 has under another.
numpy.mat = numpy.asmatrix

#: The largest batch of a request.
BATCH = 32


class Enough(Exception):
    """The attack has asked as often as it may."""


class Recording(torch.nn.Module):
    """The network, and every sample that it was asked about."""

    def __init__(self, net, most):
        super().__init__()
        self.net, self.most, self.asked = net, most, []

    def forward(self, x):
        if sum(map(len, self.asked)) >= self.most:
            raise Enough
        self.asked.append(x.detach().to(torch.float32).clone())
        return self.net(x.to(torch.float32))


def art(name, *, batch=BATCH, probabilities=False, **given):
    def build(net, s):
        asked = torch.nn.Sequential(net, torch.nn.Softmax(1)) if probabilities else net
        return attacks.art_run(asked, {**s, "batch": batch}, name, **given)

    return build


def foolbox_boundary(net, s):
    return attacks.foolbox_boundary(net, {**s, "steps": 600})


def foolbox_hop_skip_jump(net, s):
    return attacks.foolbox_hop_skip_jump(net, {**s, "steps": 40, "initEval": 100})


def torchattacks_square(norm, eps):
    def build(net, s):
        import torchattacks

        return torchattacks.Square(net, norm=norm, eps=eps, n_queries=600, seed=0)

    return build


#: By the names that bench/ours/stateful/cases.ts has for them.
CASES = {
    "art-hop-skip-jump-l2": art("HopSkipJump", needs_labels=False, norm=2, max_iter=40, init_eval=100),
    "art-hop-skip-jump-linf": art("HopSkipJump", needs_labels=False, norm=numpy.inf, max_iter=40, init_eval=100),
    "art-boundary": art("BoundaryAttack", needs_labels=False, targeted=False, max_iter=600),
    "art-geoda": art("GeoDA", needs_labels=False, norm=2, max_iter=600),
    "art-sign-opt": art("SignOPTAttack", needs_labels=False, targeted=False, max_iter=100),
    "art-simba": art("SimBA", batch=1, probabilities=True, attack="px", epsilon=0.2, max_iter=600),
    "art-square": art("SquareAttack", norm=numpy.inf, eps=0.2, max_iter=300),
    "art-zoo": art("ZooAttack", batch=1, max_iter=150, nb_parallel=16, use_resize=False, use_importance=False),
    "foolbox-boundary": foolbox_boundary,
    "foolbox-hop-skip-jump": foolbox_hop_skip_jump,
    "torchattacks-square-linf": torchattacks_square("Linf", 0.2),
    "torchattacks-square-l2": torchattacks_square("L2", 2.5),
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", required=True, type=pathlib.Path)
    parser.add_argument("--most", type=int, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", help="names of cases, by commas")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    net = networks.build("mnist-cnn").requires_grad_(False).eval()
    y = torch.from_numpy(numpy.fromfile(args.folder / "y.i32", "<i4").astype("int64"))
    x = torch.from_numpy(numpy.fromfile(args.folder / "x.f32", "<f4").reshape(-1, 1, 28, 28).copy())
    for name, build in CASES.items():
        if args.only and name not in args.only.split(","):
            continue
        counts = []
        for i in range(len(x)):
            torch.manual_seed(i)
            numpy.random.seed(i)
            recording = Recording(net, args.most)
            settings = {"norm": "l2", "shape": (1, 28, 28)}
            try:
                build(recording, settings)(x[i : i + 1], y[i : i + 1])
            except Enough:
                pass
            asked = torch.cat(recording.asked)[: args.most]
            asked.numpy().astype("<f4").tofile(args.folder / f"{name}-{i}.f32")
            counts.append(len(asked))
        package = attacks.PACKAGES[name.split("-")[0]]
        lines.line("queries", name=name, counts=counts, version=importlib.metadata.version(package))


main()
