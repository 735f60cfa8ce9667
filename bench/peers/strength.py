"""How strong a peer's attack is: one line of figures for one attack on one network, to hold ours against.

On the first `--n` test images of which the network gets the class right. Prints one JSON line `strength`: how many of them the attack
fooled (within `--eps`, where it is given), the median distance with those that it did not fool counted as infinite, the mean
over those that it fooled, and the forward passes per sample. Options of the attack: `--set name=value`, as the peer calls them.
With `--cases FILE` it takes many in turn, one JSON object a line with the same names; one that fails prints a line with `error`.

To add one, write a function `(net, x, y, norm, eps, options) -> adversarial` below its library and enter it in ATTACKS.
"""

import argparse
import contextlib
import importlib.metadata
import json
import math
import pathlib
import random
import tempfile

import numpy
import torch

import lines
import networks
from samples import samples

#: The package whose version counts, by library.
PACKAGES = {"foolbox": "foolbox", "art": "adversarial-robustness-toolbox", "torchattacks": "torchattacks"}


class Counting(torch.nn.Module):
    """The network, and how many samples went through it."""

    def __init__(self, net):
        super().__init__()
        self.net = net
        self.rows = 0

    def forward(self, x):
        self.rows += len(x)
        # Under NumPy 2 some of ART's attacks ask in float64.
        return self.net(x.float())


def distances(norm, x, x0):
    """Distance of each sample in float64."""
    d = (x.double() - x0.double()).flatten(1).abs()
    if norm == "linf":
        return d.max(1).values
    if norm == "l2":
        return d.square().sum(1).sqrt()
    return d.sum(1) if norm == "l1" else (d > 0).sum(1).double()


# foolbox


def foolbox_run(attack, net, x, y, batch=64):
    import foolbox

    model = foolbox.PyTorchModel(net, bounds=(0, 1), device="cpu")
    adversarial = x.clone()
    for first in range(0, len(x), batch):
        rows = slice(first, first + batch)
        found = attack.run(model, x[rows], foolbox.criteria.Misclassification(y[rows]))
        # Some return all zeros where they find nothing, which another class may well be the answer to.
        adversarial[rows] = torch.where(found.flatten(1).any(1)[:, None, None, None], found, x[rows])
    return adversarial


def foolbox_start(net, x, y):
    """Samples that foolbox's usual start (noise) fools, as a mask; the others make its attacks stop with an error."""
    import foolbox

    model = foolbox.PyTorchModel(net, bounds=(0, 1), device="cpu")
    start = foolbox.attacks.LinearSearchBlendedUniformNoiseAttack(directions=50, steps=1)
    found = start.run(model, x, foolbox.criteria.Misclassification(y))
    return net(found).argmax(1) != y


def foolbox_hop_skip_jump(net, x, y, norm, eps, options):
    import foolbox

    # One by one: 3.3.4 divides each gradient by the norm of the whole batch's, so that steps are too short in larger ones.
    return foolbox_run(foolbox.attacks.HopSkipJumpAttack(constraint=norm, **options), net, x, y, batch=1)


def foolbox_boundary(net, x, y, norm, eps, options):
    import foolbox

    return foolbox_run(foolbox.attacks.BoundaryAttack(**options), net, x, y)


def foolbox_pointwise(net, x, y, norm, eps, options):
    import foolbox

    return foolbox_run(foolbox.attacks.PointwiseAttack(l2_binary_search=False, **options), net, x, y)


def foolbox_minimum(name):
    """An attack of foolbox's that exists once for each norm: `name` has the norm's name in front."""

    def run(net, x, y, norm, eps, options):
        import foolbox

        # The trust region of Brendel and Bethge's attack grows with the batch: there one sample at a time is the attack itself.
        batch = options.pop("batch", 64)
        prefix = {"linf": ("LInf", "Linf", "Linfinity"), "l2": ("L2",), "l1": ("L1",), "l0": ("L0",)}[norm]
        names = [f"{p}{name}" for p in prefix] + [name]
        attack = next(getattr(foolbox.attacks, n) for n in names if hasattr(foolbox.attacks, n))(**options)
        return foolbox_run(attack, net, x, y, batch)

    return run


def foolbox_ball(name):
    """An attack of foolbox's in a ball, which exists once for each norm."""

    def run(net, x, y, norm, eps, options):
        import foolbox

        prefix = {"linf": "Linf", "l2": "L2", "l1": "L1"}[norm]
        attack = getattr(foolbox.attacks, prefix + name)(**options)
        model = foolbox.PyTorchModel(net, bounds=(0, 1), device="cpu")
        return attack.run(model, x, foolbox.criteria.Misclassification(y), epsilon=eps)

    return run


def foolbox_spatial(net, x, y, norm, eps, options):
    import foolbox

    return foolbox_run(foolbox.attacks.SpatialAttack(**options), net, x, y)


# Adversarial Robustness Toolbox


def art_classifier(net, x, probabilities=False):
    from art.estimators.classification import PyTorchClassifier

    model = torch.nn.Sequential(net, torch.nn.Softmax(1)) if probabilities else net
    return PyTorchClassifier(
        model, torch.nn.CrossEntropyLoss(), x.shape[1:], 10, clip_values=(0.0, 1.0), device_type="cpu"
    )


def art_run(attack, x, y=None):
    labels = None if y is None else numpy.eye(10, dtype="float32")[y.numpy()]
    return torch.from_numpy(attack.generate(x.numpy().copy(), labels).astype("float32"))


def art_hop_skip_jump(net, x, y, norm, eps, options):
    from art.attacks.evasion import HopSkipJump

    order = "inf" if norm == "linf" else 2
    return art_run(HopSkipJump(art_classifier(net, x), norm=order, batch_size=512, verbose=False, **options), x)


def art_boundary(net, x, y, norm, eps, options):
    from art.attacks.evasion import BoundaryAttack

    return art_run(BoundaryAttack(art_classifier(net, x), targeted=False, verbose=False, **options), x)


def art_sign_opt(net, x, y, norm, eps, options):
    from art.attacks.evasion import SignOPTAttack

    return art_run(SignOPTAttack(art_classifier(net, x), targeted=False, **options), x)


def art_geoda(net, x, y, norm, eps, options):
    from art.attacks.evasion import GeoDA

    numpy.mat = numpy.asmatrix  # gone in NumPy 2, still used by ART 1.20
    order = "inf" if norm == "linf" else 2
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):  # where it leaves its basis
        return art_run(GeoDA(art_classifier(net, x), norm=order, batch_size=512, verbose=False, **options), x, y)


def art_simba(net, x, y, norm, eps, options):
    from art.attacks.evasion import SimBA

    return art_run(SimBA(art_classifier(net, x, probabilities=True), verbose=False, **options), x, y)


def art_zoo(net, x, y, norm, eps, options):
    from art.attacks.evasion import ZooAttack

    return art_run(ZooAttack(art_classifier(net, x), verbose=False, **options), x, y)


def art_one_pixel(net, x, y, norm, eps, options):
    from art.attacks.evasion import PixelAttack

    attack = PixelAttack(art_classifier(net, x, probabilities=True), verbose=False, **options)
    return art_run(attack, x, y)


def art_cw_l0(net, x, y, norm, eps, options):
    from art.attacks.evasion import CarliniL0Method

    return art_run(CarliniL0Method(art_classifier(net, x), batch_size=64, verbose=False, **options), x, y)


def art_cw_linf(net, x, y, norm, eps, options):
    from art.attacks.evasion import CarliniLInfMethod

    return art_run(CarliniLInfMethod(art_classifier(net, x), batch_size=64, verbose=False, **options), x, y)


def art_acg(net, x, y, norm, eps, options):
    from art.attacks.evasion import AutoConjugateGradient

    order = "inf" if norm == "linf" else 2
    attack = AutoConjugateGradient(
        art_classifier(net, x), norm=order, eps=eps, batch_size=100, verbose=False, **options
    )
    return art_run(attack, x, y)


def art_feature(net, x, y, norm, eps, options):
    """Feature adversaries in the last hidden layer of the MNIST networks, each towards the nearest sample of another class."""
    from art.attacks.evasion import FeatureAdversariesPyTorch

    inner = net.net
    layers = [inner.conv1, torch.nn.ReLU(), torch.nn.MaxPool2d(2), inner.conv2, torch.nn.ReLU(), torch.nn.MaxPool2d(2)]
    head = [torch.nn.Flatten(), inner.dense1, torch.nn.ReLU(), inner.dense2]
    features = torch.nn.Sequential(*layers, *head[:-1])(x).detach()
    far = torch.cdist(features, features)
    far[y[:, None] == y[None, :]] = torch.inf
    guides = x[far.argmin(1)]
    attack = FeatureAdversariesPyTorch(
        art_classifier(torch.nn.Sequential(*layers, *head), x), delta=eps, layer=8, batch_size=100, verbose=False, **options
    )
    return torch.from_numpy(attack.generate(x.numpy(), guides.numpy()))


def art_universal(net, x, y, norm, eps, options):
    from art.attacks.evasion import UniversalPerturbation

    order = numpy.inf if norm == "linf" else 2
    random.seed(0)
    parameters = options.pop("attacker_params", {})
    attack = UniversalPerturbation(
        art_classifier(net, x), eps=eps, norm=order, attacker_params=parameters, verbose=False, **options
    )
    return art_run(attack, x, y)


def art_spatial(net, x, y, norm, eps, options):
    from art.attacks.evasion import SpatialTransformation

    return art_run(SpatialTransformation(art_classifier(net, x), verbose=False, **options), x)


def art_wasserstein(net, x, y, norm, eps, options):
    from art.attacks.evasion import Wasserstein

    return art_run(Wasserstein(art_classifier(net, x), batch_size=100, verbose=False, **options), x, y)


def art_composite(net, x, y, norm, eps, options):
    from art.attacks.evasion import CompositeAdversarialAttackPyTorch

    ranges = {name: tuple(map(float, v)) if isinstance(v, list) else v for name, v in options.items()}
    return art_run(CompositeAdversarialAttackPyTorch(art_classifier(net, x), batch_size=len(x), verbose=False, **ranges), x, y)


def art_patch(net, x, y, norm, eps, options):
    """One patch for all, then once at a random place on each sample."""
    from art.attacks.evasion import AdversarialPatchPyTorch

    shape = tuple(x.shape[1:])
    scale = options.pop("scale")
    attack = AdversarialPatchPyTorch(
        art_classifier(net, x), patch_shape=shape, scale_min=scale, scale_max=scale, targeted=False, verbose=False, **options,
    )
    attack.generate(x.numpy(), numpy.eye(10, dtype="float32")[y.numpy()])
    return torch.from_numpy(attack.apply_patch(x.numpy(), scale=scale)).float()


def art_ball(name):
    """An attack of ART's in a ball."""

    def run(net, x, y, norm, eps, options):
        from art.attacks import evasion

        order = {"linf": numpy.inf, "l2": 2, "l1": 1}[norm]
        quiet = {} if name == "FastGradientMethod" else {"verbose": False}
        attack = getattr(evasion, name)(
            art_classifier(net, x), norm=order, eps=eps, batch_size=100, **quiet, **options
        )
        return art_run(attack, x, y)

    return run


def art_minimum(name):
    """An attack of ART's that knows one norm only and seeks the nearest example."""

    def run(net, x, y, norm, eps, options):
        from art.attacks import evasion

        attack = getattr(evasion, name)(art_classifier(net, x), batch_size=64, verbose=False, **options)
        return art_run(attack, x, y)

    return run


def second_class(net, x):
    """The class that comes second in the network's answer, one-hot."""
    return numpy.eye(10, dtype="float32")[net(x).topk(2, 1).indices[:, 1].numpy()]


def art_jsma(net, x, y, norm, eps, options):
    from art.attacks.evasion import SaliencyMapMethod

    attack = SaliencyMapMethod(art_classifier(net, x), batch_size=1, verbose=False, **options)
    return torch.from_numpy(attack.generate(x.numpy().copy(), second_class(net, x)).astype("float32"))


def art_lowprofool(net, x, y, norm, eps, options):
    """On rows of numbers, every column as important as any other."""
    from art.attacks.evasion import LowProFool
    from art.estimators.classification import PyTorchClassifier

    size = x[0].numel()
    rows = torch.nn.Sequential(torch.nn.Unflatten(1, x.shape[1:]), net, torch.nn.Softmax(1))
    loss = lambda p, target: torch.nn.functional.nll_loss(p.clamp_min(1e-30).log(), target.argmax(1) if target.dim() > 1 else target)
    classifier = PyTorchClassifier(rows, loss, (size,), 10, clip_values=(0.0, 1.0), device_type="cpu")
    attack = LowProFool(classifier, threshold=None, norm=2, importance=numpy.full(size, 1 / size), **options)
    found = attack.generate(x.flatten(1).numpy().copy(), second_class(net, x))
    return torch.from_numpy(found.astype("float32")).reshape(x.shape)


def art_apgd_l1(net, x, y, norm, eps, options):
    from art.attacks.evasion import AutoProjectedGradientDescent

    attack = AutoProjectedGradientDescent(
        art_classifier(net, x), norm=1, eps=eps, eps_step=eps, batch_size=100, nb_random_init=1, verbose=False, **options
    )
    return art_run(attack, x, y)


# torchattacks


def torchattacks_plain(name):
    """An attack of torchattacks' that knows one norm only."""

    def run(net, x, y, norm, eps, options):
        import torchattacks

        return getattr(torchattacks, name)(net, **options)(x, y)

    return run


def torchattacks_ball(name):
    """An attack of torchattacks' in the Linf ball."""

    def run(net, x, y, norm, eps, options):
        import torchattacks

        return getattr(torchattacks, name)(net, eps=eps, **options)(x, y)

    return run


def torchattacks_fab(net, x, y, norm, eps, options):
    import torchattacks

    order = {"linf": "Linf", "l2": "L2", "l1": "L1"}[norm]
    # Without a radius one that holds everything: what is compared is the distance.
    attack = torchattacks.FAB(net, norm=order, eps=1e6 if eps is None else eps, **options)
    return fab_in_l1(attack, net, x, y) if norm == "l1" else attack(x, y)


def fab_in_l1(attack, net, x, y):
    """The peer's runs in l1, where its own loop over them ends with an error because it measures no distance: the same loop, with that."""
    adversarial, left = x.clone(), torch.ones(len(x), dtype=torch.bool)
    for target in range(2, attack.n_target_classes + 2) if attack.multi_targeted else [None]:
        rows = left.nonzero().flatten()
        if len(rows) == 0:
            break
        attack.target_class = target
        run = attack.attack_single_run if target is None else attack.attack_single_run_targeted
        with torch.no_grad():
            found = run(x[rows], y[rows])
            fooled = (net(found).argmax(1) != y[rows]) & (distances("l1", found, x[rows]) <= attack.eps)
        adversarial[rows[fooled]] = found[fooled]
        left[rows[fooled]] = False
    return adversarial


def torchattacks_apgd(name, **fixed):
    """APGD, its targeted form or Square, which take the norm by name."""

    def run(net, x, y, norm, eps, options):
        import torchattacks

        order = {"linf": "Linf", "l2": "L2"}[norm]
        seed = torch.initial_seed()
        return getattr(torchattacks, name)(net, norm=order, eps=eps, seed=seed, **fixed, **options)(x, y)

    return run


def torchattacks_autoattack(net, x, y, norm, eps, options):
    """The port of AutoAttack with the original's settings: as shipped, APGD and FAB stop after 10 of 100 steps, and Square stretches its
    schedule."""
    import torchattacks

    order = {"linf": "Linf", "l2": "L2"}[norm]
    attack = torchattacks.AutoAttack(net, norm=order, eps=eps, version="standard", n_classes=10, seed=torch.initial_seed())
    for stage in attack._autoattack.attacks:
        if hasattr(stage, "steps"):
            stage.steps = 100
        if hasattr(stage, "rescale_schedule"):
            stage.rescale_schedule = False
    return attack(x, y)


def torchattacks_spsa(net, x, y, norm, eps, options):
    import torchattacks

    return torchattacks.SPSA(net, eps=eps, **options)(x, y)


def torchattacks_one_pixel(net, x, y, norm, eps, options):
    import torchattacks

    return torchattacks.OnePixel(net, **options)(x, y)


ATTACKS = {
    ("foolbox", "deepfool"): foolbox_minimum("DeepFoolAttack"),
    ("foolbox", "cw-l2"): foolbox_minimum("CarliniWagnerAttack"),
    ("foolbox", "ead"): foolbox_minimum("EADAttack"),
    ("foolbox", "ddn"): foolbox_minimum("DDNAttack"),
    ("foolbox", "fmn"): foolbox_minimum("FMNAttack"),
    ("foolbox", "brendel-bethge"): foolbox_minimum("BrendelBethgeAttack"),
    ("foolbox", "fgsm"): foolbox_ball("FastGradientAttack"),
    ("foolbox", "bim"): foolbox_ball("BasicIterativeAttack"),
    ("foolbox", "pgd"): foolbox_ball("ProjectedGradientDescentAttack"),
    ("foolbox", "spatial"): foolbox_spatial,
    ("art", "fgsm"): art_ball("FastGradientMethod"),
    ("art", "pgd"): art_ball("ProjectedGradientDescent"),
    ("art", "mi-fgsm"): art_ball("MomentumIterativeMethod"),
    ("art", "square"): art_ball("SquareAttack"),
    ("art", "deepfool"): art_minimum("DeepFool"),
    ("art", "cw-l2"): art_minimum("CarliniL2Method"),
    ("art", "ead"): art_minimum("ElasticNet"),
    ("art", "cw-l0"): art_cw_l0,
    ("art", "cw-linf"): art_cw_linf,
    ("torchattacks", "cw-l2"): torchattacks_plain("CW"),
    ("torchattacks", "deepfool"): torchattacks_plain("DeepFool"),
    ("torchattacks", "sparsefool"): torchattacks_plain("SparseFool"),
    ("torchattacks", "jsma"): torchattacks_plain("JSMA"),
    ("torchattacks", "ead"): torchattacks_plain("EADL1"),
    ("torchattacks", "fab"): torchattacks_fab,
    ("torchattacks", "fab-t"): torchattacks_fab,
    ("foolbox", "hop-skip-jump"): foolbox_hop_skip_jump,
    ("foolbox", "boundary"): foolbox_boundary,
    ("foolbox", "pointwise"): foolbox_pointwise,
    ("art", "hop-skip-jump"): art_hop_skip_jump,
    ("art", "boundary"): art_boundary,
    ("art", "sign-opt"): art_sign_opt,
    ("art", "geoda"): art_geoda,
    ("art", "simba"): art_simba,
    ("art", "zoo"): art_zoo,
    ("art", "one-pixel"): art_one_pixel,
    ("art", "acg"): art_acg,
    ("art", "jsma"): art_jsma,
    ("art", "lowprofool"): art_lowprofool,
    ("foolbox", "mi-fgsm"): foolbox_ball("MomentumIterativeFastGradientMethod"),
    ("art", "feature"): art_feature,
    ("art", "universal"): art_universal,
    ("art", "spatial"): art_spatial,
    ("art", "wasserstein"): art_wasserstein,
    ("art", "patch"): art_patch,
    ("art", "composite"): art_composite,
    ("torchattacks", "fgsm"): torchattacks_ball("FGSM"),
    ("torchattacks", "bim"): torchattacks_ball("BIM"),
    ("torchattacks", "pgd"): torchattacks_ball("PGD"),
    ("torchattacks", "pgd-l2"): torchattacks_ball("PGDL2"),
    ("torchattacks", "autoattack"): torchattacks_autoattack,
    ("torchattacks", "mi-fgsm"): torchattacks_ball("MIFGSM"),
    ("torchattacks", "ni-fgsm"): torchattacks_ball("NIFGSM"),
    ("torchattacks", "vmi-fgsm"): torchattacks_ball("VMIFGSM"),
    ("torchattacks", "di-fgsm"): torchattacks_ball("DIFGSM"),
    ("torchattacks", "eot-pgd"): torchattacks_ball("EOTPGD"),
    ("torchattacks", "spsa"): torchattacks_spsa,
    ("torchattacks", "apgd-ce"): torchattacks_apgd("APGD", loss="ce"),
    ("torchattacks", "apgd-dlr"): torchattacks_apgd("APGD", loss="dlr"),
    ("torchattacks", "apgd-t"): torchattacks_apgd("APGDT"),
    ("torchattacks", "square"): torchattacks_apgd("Square"),
    ("art", "apgd-ce"): art_apgd_l1,
    ("torchattacks", "one-pixel"): torchattacks_one_pixel,
}


def option(text):
    """`name=value`, the value as JSON or else as text."""
    name, value = text.split("=", 1)
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


def measure(case, data):
    """The figures of one case: a dict with library, attack, network, norm, n, and where wanted eps, options, seed, startable."""
    library, norm, eps, seed = case["library"], case["norm"], case.get("eps"), case.get("seed", 0)
    run = ATTACKS[library, case["attack"]]
    torch.manual_seed(seed)
    numpy.random.seed(seed)
    net = Counting(networks.build(case["network"]).requires_grad_(False))
    x, y = samples(data, case["network"], case["n"])
    attacked = net(x).argmax(1) == y
    if case.get("startable"):
        attacked &= foolbox_start(net, x, y)
    x, y = x[attacked], y[attacked]
    net.rows = 0
    wall, cpu = lines.clock()
    adversarial = run(net, x, y, norm, eps, dict(case.get("options", {})))
    wall_after, cpu_after = lines.clock()
    rows = net.rows
    far = distances(norm, adversarial, x)
    fooled = net(adversarial).argmax(1) != y
    if eps is not None:
        fooled &= far <= eps * (1 + 1e-5) + 1e-6
    reached = torch.where(fooled, far, torch.inf).sort().values
    middle = (reached[(len(y) - 1) // 2] + reached[len(y) // 2]) / 2
    return {
        "version": importlib.metadata.version(PACKAGES[library]),
        "attacked": len(y),
        "success": float(fooled.float().mean()),
        "median": float(middle) if math.isfinite(middle) else None,
        "mean": float(far[fooled].mean()) if fooled.any() else None,
        "queries": rows / max(1, len(y)),
        "index": attacked.nonzero().flatten().tolist(),
        "distances": [float(d) if hit else None for d, hit in zip(far, fooled)],
        "wall": wall_after - wall,
        "cpu": cpu_after - cpu,
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=pathlib.Path, help="file with one case a line; instead of the options that make one")
    parser.add_argument("--library", choices=sorted(PACKAGES))
    parser.add_argument("--attack")
    parser.add_argument("--network", choices=("mnist-cnn", "mnist-cnn-adv", "cifar10-resnet14"))
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder that holds mnist and cifar10")
    parser.add_argument("--n", type=int, default=100)
    parser.add_argument("--norm", choices=("linf", "l2", "l1", "l0"))
    parser.add_argument("--eps", type=float, help="radius within which an example counts; without, any distance counts")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--set", type=option, action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--startable", action="store_true", help="only samples that foolbox's start fools")
    given = parser.parse_args()

    torch.set_num_threads(given.threads)
    if given.cases:
        cases = [json.loads(text) for text in given.cases.read_text().splitlines()]
    else:
        names = ("library", "attack", "network", "n", "norm", "eps", "seed", "startable")
        cases = [{**{name: getattr(given, name) for name in names}, "options": dict(given.set)}]
    for case in cases:
        try:
            figures = measure(case, given.data)
        except Exception as problem:  # a peer's own failure must not end the others
            if not given.cases:
                raise
            figures = {"error": f"{type(problem).__name__}: {problem}"[:500]}
        lines.line("strength", **case, **figures)


if __name__ == "__main__":
    main()
