"""Epsilons by two other accountants, for the tests of this folder.

    pip install dp-accounting==0.6.0 opacus==1.6.0 scipy==1.17.1 mpmath==1.4.1
    python generate.py > accounting.json

dp_accounting 0.6.0 (Google, Apache-2.0): RDP at its conversion's tight form, PLD by connect-the-dots at intervals of 1e-4.
Opacus 1.6.0 (Meta, Apache-2.0): RDP, and PRV at its defaults (eps_error 0.01, delta_error delta / 1000).
mpmath 1.4.1 (BSD): Rényi divergences of one step.
"""

import json
import sys
import warnings

import mpmath
import numpy
import scipy
from dp_accounting import dp_event
from dp_accounting.pld import pld_privacy_accountant
from dp_accounting.rdp import rdp_privacy_accountant
from opacus.accountants import PRVAccountant, RDPAccountant

warnings.filterwarnings("ignore")

ORDERS = [x / 10 for x in range(11, 110)] + list(range(11, 64)) + [128, 256, 512, 1024]

# Name, runs (rate, noise, steps), delta.
CASES = [
    ("Opacus, test of its accountants", [(0.04, 1.5, 2250)], 1e-5),
    ("Opacus, MNIST, 45 epochs, noise 0.7", [(240 / 60000, 0.7, 11250)], 1e-5),
    ("Opacus, MNIST, 60 epochs, noise 1.1", [(240 / 60000, 1.1, 15000)], 1e-5),
    ("Opacus, MNIST, 15 epochs, noise 1.3", [(240 / 60000, 1.3, 3750)], 1e-5),
    ("TF-Privacy, MNIST, 45 epochs, noise 0.7", [(256 / 60000, 0.7, 10546)], 1e-5),
    ("TF-Privacy, MNIST, 60 epochs, noise 1.1", [(256 / 60000, 1.1, 14062)], 1e-5),
    ("TF-Privacy, MNIST, 15 epochs, noise 1.3", [(256 / 60000, 1.3, 3515)], 1e-5),
    ("one step on all samples", [(1, 1, 1)], 1e-5),
    ("many steps on all samples", [(1, 20, 100)], 1e-6),
    ("half of the samples", [(0.5, 2, 10)], 1e-6),
    ("little noise", [(0.01, 0.5, 100)], 1e-5),
    ("much noise", [(0.1, 10, 1000)], 1e-6),
    ("tiny rate", [(1e-4, 0.8, 100000)], 1e-8),
    ("three different runs", [(0.004, 1.1, 3000), (0.01, 1.5, 2000), (0.02, 2.0, 500)], 1e-5),
    ("two runs, one on all samples", [(0.01, 1.0, 1000), (1, 8, 4)], 1e-5),
]


def by_google(runs, delta):
    event = dp_event.ComposedDpEvent(
        [
            dp_event.SelfComposedDpEvent(
                dp_event.PoissonSampledDpEvent(q, dp_event.GaussianDpEvent(sigma)), steps
            )
            for q, sigma, steps in runs
        ]
    )
    rdp = rdp_privacy_accountant.RdpAccountant(ORDERS).compose(event)
    pld = pld_privacy_accountant.PLDAccountant().compose(event)
    return {"rdp": rdp.get_epsilon(delta), "pld": pld.get_epsilon(delta)}


def by_opacus(runs, delta):
    rdp, prv = RDPAccountant(), PRVAccountant()
    rdp.history = prv.history = [(sigma, q, steps) for q, sigma, steps in runs]
    result = {"rdp": rdp.get_epsilon(delta=delta)}
    try:
        result["prv"] = prv.get_epsilon(delta=delta)
    except (RuntimeError, ValueError, MemoryError):
        pass
    return {name: float(value) for name, value in result.items() if numpy.isfinite(value)}


def divergences():
    """By quadrature with 30 digits: the series of dp_accounting is good to some digits only at fractional orders."""
    mpmath.mp.dps = 30
    for q, sigma in [(0.004, 1.1), (0.01, 0.5), (0.3, 2.0), (1e-4, 0.8), (0.01, 10.0)]:
        for order in [1.1, 1.5, 2, 2.7, 5.5, 10.9, 16, 64, 256]:
            yield {"rate": q, "noise": sigma, "order": order, "rdp": float(divergence(q, sigma, order))}


def divergence(q, sigma, order):
    q, s, a = mpmath.mpf(q), mpmath.mpf(sigma), mpmath.mpf(order)

    def moment(x):
        normal = mpmath.exp(-x * x / (2 * s * s)) / (s * mpmath.sqrt(2 * mpmath.pi))
        return normal * (1 - q + q * mpmath.exp((2 * x - 1) / (2 * s * s))) ** a

    around = [k * s for k in range(-14, 15, 2)]
    bend = s * s * mpmath.log(1 / q - 1) + mpmath.mpf(1) / 2
    return mpmath.log(mpmath.quad(moment, sorted({*around, *(a + x for x in around), bend}))) / (a - 1)


json.dump(
    {
        "source": "generate.py: dp-accounting 0.6.0, opacus 1.6.0, mpmath 1.4.1",
        "versions": {"numpy": numpy.__version__, "scipy": scipy.__version__},
        "epsilons": [
            {
                "name": name,
                "runs": [{"rate": q, "noise": sigma, "steps": steps} for q, sigma, steps in runs],
                "delta": delta,
                "dpAccounting": {k: float(v) for k, v in by_google(runs, delta).items()},
                "opacus": by_opacus(runs, delta),
            }
            for name, runs, delta in CASES
        ],
        "divergences": list(divergences()),
    },
    sys.stdout,
    indent=1,
    allow_nan=False,
)
print()
