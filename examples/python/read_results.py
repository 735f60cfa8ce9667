"""python read_results.py glacis-out/assessment.json [adv.npz]: results in NumPy, as one would read them in a notebook."""

import json
import sys
from pathlib import Path

import numpy as np

path = Path(sys.argv[1])
result = json.loads(path.read_text())
assert result["schema"] == "glacis.assessment/1" and result["status"] == "complete"

print(result["model"]["name"], result["model"]["digest"][:19])
for worst in result["worstCases"]:
    low, high = worst["confidence"]
    print(f"{worst['norm']} {worst['eps']:.4g}: clean {worst['cleanAccuracy']:.1%}, "
          f"robust {worst['robustAccuracy']:.1%} ({low:.1%} to {high:.1%}), n = {worst['n']}")
for finding in result["findings"]:
    print(finding["severity"], finding["id"], finding["evidence"])

# What happened to each sample, one file an attack and eps; the path is relative to the JSON's folder.
for attack in result["results"]:
    samples = np.load(path.parent / attack["perSample"])
    robust = samples["clean_correct"] & ~samples["success"]
    assert np.isclose(robust[samples["decided"]].mean(), attack["robustAccuracy"])
    fallen = samples["index"][samples["success"]]
    print(attack["attack"], f"changed {len(fallen)} answers, the first of sample(s)", fallen[:5])

# Examples that `glacis attack --out adv.npz` saved: check them on the PyTorch model, too.
if len(sys.argv) > 2:
    import torch

    from digits import build

    adv = np.load(sys.argv[2])
    model = build()
    model.load_state_dict(torch.load("digits.pt", weights_only=True))
    model.eval()
    with torch.no_grad():
        answers = model(torch.from_numpy(adv["x"])).argmax(1).numpy()
    print(f"PyTorch gives the recorded answer for {(answers == adv['prediction']).mean():.1%} of the examples")
    print("largest change", np.abs(adv["x"] - adv["original"]).max())
    # Saved as 8-bit pixels an example is rounded, and may no longer work.
    rounded = (adv["x"] * 255).round().astype(np.uint8).astype(np.float32) / 255
    with torch.no_grad():
        kept = model(torch.from_numpy(rounded)).argmax(1).numpy() != adv["y"]
    print(f"examples that work: {adv['success'].mean():.1%}, of these after rounding to 8 bits: {kept[adv['success']].mean():.1%}")
