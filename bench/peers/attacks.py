"""Times one attack of torchattacks, foolbox or ART: from clean images in memory to the model's answers on the examples.

What is timed is what it takes to know the figure: the answers on the clean images, the attack on those that the network gets right, and
the answers on the examples. Network and data are loaded before, and `--warmup` images are attacked once unseen. Weights ask for no
gradient, which spares every library half the work. `--settings` names the hyper-parameters as bench/suites/attack-cases.ts does.

To add an attack, write a function `(net, settings) -> attack` below its library, `attack(x, y)` giving the examples, and enter it in
ATTACKS. It gets `--batch` images at a time; ART's get all and make their batches themselves.
"""

import argparse
import importlib.metadata
import json
import math
import pathlib

import numpy
import torch

import lines
import networks
from samples import samples

#: The package whose version counts, by library.
PACKAGES = {"torchattacks": "torchattacks", "foolbox": "foolbox", "art": "adversarial-robustness-toolbox"}


class Counting(torch.nn.Module):
    """The network, and how many samples went through it."""

    def __init__(self, net, layout):
        super().__init__()
        self.net, self.layout, self.rows = net, layout, 0

    def forward(self, x):
        self.rows += len(x)
        # Some of ART's attacks ask in float64 under NumPy 2, and none keeps the layout.
        return self.net(x.to(torch.float32, memory_format=self.layout))


# torchattacks


def torchattacks_fgsm(net, s):
    import torchattacks

    return torchattacks.FGSM(net, eps=s["eps"])


def torchattacks_pgd(net, s):
    import torchattacks

    kind = torchattacks.PGDL2 if s["norm"] == "l2" else torchattacks.PGD
    return kind(net, eps=s["eps"], alpha=s["stepSize"], steps=s["steps"], random_start=False)


def torchattacks_cw(net, s):
    import torchattacks

    return torchattacks.CW(net, c=s["c"], steps=s["steps"], lr=s["stepSize"])


def torchattacks_deepfool(net, s):
    import torchattacks

    return torchattacks.DeepFool(net, steps=s["steps"], overshoot=s["overshoot"])


def torchattacks_square(net, s):
    import torchattacks

    return torchattacks.Square(net, eps=s["eps"], n_queries=s["queries"], resc_schedule=s["stretched"], seed=0)


def torchattacks_autoattack(net, s):
    """The port of AutoAttack, with the settings of the original: as shipped, APGD and FAB stop after 10 of 100 steps, and Square stretches
    its schedule."""
    import torchattacks

    attack = torchattacks.AutoAttack(net, norm="Linf", eps=s["eps"], version="standard", n_classes=10, seed=0)
    for stage in attack._autoattack.attacks:
        if hasattr(stage, "steps"):
            stage.steps = s["steps"]
        if hasattr(stage, "rescale_schedule"):
            stage.rescale_schedule = False
    return attack


# foolbox


def foolbox_run(net, attack, **given):
    import foolbox

    model = foolbox.PyTorchModel(net, bounds=(0, 1), device="cpu")
    # Without `__call__`, which asks the model once more than the attack needs.
    return lambda x, y: attack.run(model, x, foolbox.criteria.Misclassification(y), **given)


def foolbox_fgsm(net, s):
    import foolbox

    return foolbox_run(net, foolbox.attacks.LinfFastGradientAttack(random_start=False), epsilon=s["eps"])


def foolbox_pgd(net, s):
    import foolbox

    kind = foolbox.attacks.L2PGD if s["norm"] == "l2" else foolbox.attacks.LinfPGD
    return foolbox_run(net, kind(abs_stepsize=s["stepSize"], steps=s["steps"], random_start=False), epsilon=s["eps"])


def foolbox_cw(net, s):
    import foolbox

    attack = foolbox.attacks.L2CarliniWagnerAttack(
        binary_search_steps=1, steps=s["steps"], stepsize=s["stepSize"], initial_const=s["c"]
    )
    run = foolbox_run(net, attack)

    def with_failures(x, y):
        found = run(x, y)
        # A sample that was not fooled comes back as all zeros, which another class may well be the answer to.
        return torch.where(found.flatten(1).any(1)[:, None, None, None], found, x)

    return with_failures


def foolbox_deepfool(net, s):
    import foolbox

    attack = foolbox.attacks.L2DeepFoolAttack(steps=s["steps"], candidates=10, overshoot=s["overshoot"])
    return foolbox_run(net, attack)


def foolbox_start(net, x, y, directions=100):
    """Foolbox's usual start, uniform noise blended in; images that no noise fools start from another image that the network tells apart."""
    import foolbox

    start = foolbox.attacks.LinearSearchBlendedUniformNoiseAttack(directions=directions, steps=50)
    found = foolbox_run(net, start)(x, y)
    with torch.no_grad():
        stuck = net(found).argmax(1) == y
    for i in stuck.nonzero().flatten().tolist():
        found[i] = x[int((y != y[i]).nonzero()[0])]
    return found


def foolbox_hop_skip_jump(net, s):
    import foolbox

    attack = foolbox.attacks.HopSkipJumpAttack(steps=s["steps"], initial_gradient_eval_steps=s["initEval"])
    return lambda x, y: foolbox_run(net, attack, starting_points=foolbox_start(net, x, y))(x, y)


def foolbox_boundary(net, s):
    import foolbox

    attack = foolbox.attacks.BoundaryAttack(steps=s["steps"])
    return lambda x, y: foolbox_run(net, attack, starting_points=foolbox_start(net, x, y))(x, y)


# Adversarial Robustness Toolbox


def art_run(net, s, name, *, needs_labels=True, **given):
    from art.attacks import evasion
    from art.estimators.classification import PyTorchClassifier

    loss = torch.nn.CrossEntropyLoss()
    classifier = PyTorchClassifier(net, loss, s["shape"], 10, clip_values=(0.0, 1.0), device_type="cpu")
    kind = getattr(evasion, name)
    quiet = {"verbose": False} if "verbose" in kind.attack_params else {}
    attack = kind(classifier, batch_size=s["batch"], **quiet, **given)

    def run(x, y):
        labels = numpy.eye(10, dtype="float32")[y.numpy()] if needs_labels else None
        return torch.from_numpy(attack.generate(x.numpy().copy(), labels).astype("float32"))

    return run


def art_order(s):
    return 2 if s["norm"] == "l2" else numpy.inf


def art_fgsm(net, s):
    return art_run(net, s, "FastGradientMethod", norm=numpy.inf, eps=s["eps"])


def art_pgd(net, s):
    return art_run(
        net,
        s,
        "ProjectedGradientDescent",
        norm=art_order(s),
        eps=s["eps"],
        eps_step=s["stepSize"],
        max_iter=s["steps"],
        num_random_init=0,
    )


def art_cw(net, s):
    return art_run(
        net,
        s,
        "CarliniL2Method",
        binary_search_steps=1,
        max_iter=s["steps"],
        learning_rate=s["stepSize"],
        initial_const=s["c"],
    )


def art_deepfool(net, s):
    return art_run(net, s, "DeepFool", max_iter=s["steps"], epsilon=s["overshoot"], nb_grads=10)


def art_square(net, s):
    # It asks three times an iteration.
    return art_run(net, s, "SquareAttack", norm=numpy.inf, eps=s["eps"], max_iter=s["queries"] // 3)


def art_hop_skip_jump(net, s):
    given = {"norm": art_order(s), "max_iter": s["steps"], "init_eval": s["initEval"]}
    return art_run(net, s, "HopSkipJump", needs_labels=False, **given)


def art_boundary(net, s):
    return art_run(net, s, "BoundaryAttack", needs_labels=False, targeted=False, max_iter=s["iterations"])


ATTACKS = {
    ("torchattacks", "fgsm"): torchattacks_fgsm,
    ("torchattacks", "pgd"): torchattacks_pgd,
    ("torchattacks", "cw-l2"): torchattacks_cw,
    ("torchattacks", "deepfool"): torchattacks_deepfool,
    ("torchattacks", "square"): torchattacks_square,
    ("torchattacks", "autoattack"): torchattacks_autoattack,
    ("foolbox", "fgsm"): foolbox_fgsm,
    ("foolbox", "pgd"): foolbox_pgd,
    ("foolbox", "cw-l2"): foolbox_cw,
    ("foolbox", "deepfool"): foolbox_deepfool,
    ("foolbox", "hop-skip-jump"): foolbox_hop_skip_jump,
    ("foolbox", "boundary"): foolbox_boundary,
    ("art", "fgsm"): art_fgsm,
    ("art", "pgd"): art_pgd,
    ("art", "cw-l2"): art_cw,
    ("art", "deepfool"): art_deepfool,
    ("art", "square"): art_square,
    ("art", "hop-skip-jump"): art_hop_skip_jump,
    ("art", "boundary"): art_boundary,
}


def evaluate(net, attack, x, y, settings, whole):
    """Clean and robust accuracy, the median distance (None where fewer than half fall) and the answers asked for per attacked image."""
    torch.manual_seed(0)
    numpy.random.seed(0)
    batch = settings["batch"]
    with torch.inference_mode():
        right = torch.cat([net(part).argmax(1) for part in x.split(batch)]) == y
    kept, labels = x[right], y[right]
    before = net.rows
    if whole:
        found = attack(kept, labels)
    else:
        found = torch.cat([attack(a, b) for a, b in zip(kept.split(batch), labels.split(batch))])
    asked = net.rows - before
    with torch.inference_mode():
        fooled = torch.cat([net(part).argmax(1) for part in found.split(batch)]) != labels
    change = (found.double() - kept.double()).flatten(1)
    far = change.square().sum(1).sqrt() if settings["norm"] == "l2" else change.abs().amax(1)
    if "eps" in settings:
        fooled = fooled & (far <= settings["eps"] * (1 + 1e-5) + 1e-6)
    reached = torch.where(fooled, far, math.inf).sort().values
    middle = float(reached[(len(reached) - 1) // 2] + reached[len(reached) // 2]) / 2
    return {
        "clean": len(kept) / len(x),
        "robust": int((~fooled).sum()) / len(x),
        "median": middle if math.isfinite(middle) else None,
        "asked": asked / max(1, len(kept)),
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--library", choices=sorted(PACKAGES), required=True)
    parser.add_argument("--attack", required=True)
    parser.add_argument("--network", choices=("mnist-cnn", "cifar10-resnet14"), required=True)
    parser.add_argument("--data", required=True, help="folder that holds mnist and cifar10")
    parser.add_argument("--settings", type=json.loads, required=True, help="hyper-parameters as JSON")
    parser.add_argument("--n", type=int, required=True)
    parser.add_argument("--batch", type=int, default=250, help="images that the attack gets at once; ART's batch_size")
    parser.add_argument("--layout", choices=("nchw", "channels-last"), default="nchw")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--warmup", type=int, default=0, help="images that are attacked once before")
    parser.add_argument("--repeat", type=int, default=1)
    options = parser.parse_args()

    build = ATTACKS.get((options.library, options.attack))
    if build is None:
        parser.error(f"{options.library} {options.attack}: expected one of {sorted(ATTACKS)}")
    torch.set_num_threads(options.threads)
    layout = torch.channels_last if options.layout == "channels-last" else torch.contiguous_format
    net = networks.build(options.network).to(memory_format=layout).requires_grad_(False)
    net = Counting(net, layout).eval()
    settings = {**options.settings, "batch": options.batch, "shape": networks.INPUT_SHAPE[options.network]}
    attack = build(net, settings)
    x, y = samples(pathlib.Path(options.data), options.network, options.n)
    lines.environment(
        versions={options.library: importlib.metadata.version(PACKAGES[options.library])},
        layout=options.layout,
        batch=options.batch,
    )
    whole = options.library == "art"
    if options.warmup > 0:
        evaluate(net, attack, x[: options.warmup], y[: options.warmup], settings, whole)
    for index in range(options.repeat):
        wall, cpu = lines.clock()
        answer = evaluate(net, attack, x, y, settings, whole)
        wall_after, cpu_after = lines.clock()
        lines.line("repeat", index=index, wall=wall_after - wall, cpu=cpu_after - cpu)
    lines.line("accuracy", **answer)
    lines.done()


if __name__ == "__main__":
    main()
