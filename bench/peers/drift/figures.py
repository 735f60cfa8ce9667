"""The peers' statistics on the tables of a folder (bench/ours/drift-statistics.ts reads the same): a JSON line for each."""

import json
import logging
import os
import statistics as middle
import sys
import time
import warnings

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)

import alibi_detect
import evidently
import numpy
import pandas
import scipy
import torch
from alibi_detect.cd import ChiSquareDrift, CVMDrift, KSDrift, LSDDDrift, MMDDrift, MMDDriftOnline
from evidently.legacy.calculations.stattests import psi_stat_test, wasserstein_stat_test
from evidently.legacy.core import ColumnType

FOLDER, WIDTH, PERMUTATIONS, WINDOW = sys.argv[1], 8, 100, 128
torch.set_num_threads(1)


def say(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


def table(name):
    return numpy.fromfile(f"{FOLDER}/{name}.f32", dtype=numpy.float32).reshape(-1, WIDTH)


def measured(run, least=0.2):
    """What `run` gives, and the median of its CPU milliseconds over repeats of at least `least` seconds in all."""
    times = []
    # One run of what takes long is enough.
    while sum(times) < least or (len(times) < 5 and sum(times) < 2.5 * least):
        before = time.process_time()
        found = run()
        times.append(time.process_time() - before)
    return found, 1000 * middle.median(times)


def told(case, test, by, run, read):
    found, ms = measured(run)
    say("statistic", id=f"{case}, {test}", case=case, test=test, by=by, ms=ms, **read(found))


def both(found):
    data = found["data"]
    return {"statistic": float(numpy.ravel(data["distance"])[0]), "p": float(numpy.ravel(data["p_val"])[0])}


say(
    "environment",
    versions={
        "alibi-detect": alibi_detect.__version__,
        "evidently": evidently.__version__,
        "scipy": scipy.__version__,
        "torch": torch.__version__,
        "python": sys.version.split()[0],
    },
)
reference = table("reference")
categories = reference[:, 7:]
sigma = numpy.array([float(open(f"{FOLDER}/sigma.txt").read())], dtype=numpy.float32)
for case in sys.argv[2:]:
    window = table(case)
    # In float64: from float32 values scipy reckons Cramér-von Mises in float32, as a difference of two numbers near 333, so that the fourth decimal is lost.
    ks, cvm = KSDrift(reference), CVMDrift(reference[:, :1].astype(numpy.float64))
    column64 = window[:, :1].astype(numpy.float64)
    told(case, "Kolmogorov-Smirnov", "alibi-detect", lambda: ks.predict(window, drift_type="feature"), both)
    told(case, "Cramér-von Mises", "alibi-detect", lambda: cvm.predict(column64, drift_type="feature"), both)
    chi = ChiSquareDrift(categories)
    told(case, "χ²", "alibi-detect", lambda: chi.predict(window[:, 7:], drift_type="feature"), both)
    torch.manual_seed(1)
    mmd = MMDDrift(reference, backend="pytorch", sigma=sigma, n_permutations=PERMUTATIONS)
    told(case, "mean discrepancy", "alibi-detect", lambda: mmd.predict(window), both)
    lsdd = LSDDDrift(reference, backend="pytorch", sigma=sigma, n_permutations=PERMUTATIONS, n_kernel_centers=40)
    torch.manual_seed(2)
    told(case, "density difference", "alibi-detect", lambda: lsdd.predict(window), both)
    # What it drew and chose, so that the same figure can be computed elsewhere.
    inner = lsdd._detector
    kept = {"centres": inner.kernel_centers, "rows": inner._normalize(torch.from_numpy(window)), "means": inner.k_xc.mean(0)}
    json.dump(
        {"sigma": float(sigma[0]), "lambda": [1 / 4**i for i in range(10)], **{k: v.tolist() for k, v in kept.items()}},
        open(f"{FOLDER}/lsdd-{case}.json", "w"),
    )
    column = (pandas.Series(reference[:, 0]), pandas.Series(window[:, 0]))
    names = (pandas.Series(reference[:, 7]), pandas.Series(window[:, 7]))
    value = lambda found: {"statistic": float(found.drift_score)}
    told(case, "Wasserstein", "evidently", lambda: wasserstein_stat_test(*column, ColumnType.Numerical, 0.1), value)
    told(case, "stability index", "evidently", lambda: psi_stat_test(*names, ColumnType.Categorical, 0.1), value)
torch.manual_seed(3)
online = MMDDriftOnline(reference[:500], ert=200, window_size=WINDOW, backend="pytorch", n_bootstraps=1000, sigma=sigma, verbose=False)
rows = iter(numpy.concatenate([table("calm")] * 100))
_, ms = measured(lambda: [online.predict(next(rows)) for _ in range(64)], 0.5)
say("statistic", id="online", case="online", test="mean discrepancy online", by="alibi-detect", ms=ms / 64)
