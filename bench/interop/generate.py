"""Writes the exported files, PyTorch's answers about them and `manifest.json`.

    bench/interop/venv/bin/python bench/interop/generate.py OUT [NETWORK ...]

What an exporter refuses is recorded with its message, not an error.
"""

import contextlib
import datetime
import io
import json
import logging
import pathlib
import re
import sys
import warnings

import numpy as np
import onnx
import onnxruntime
import onnxscript
import torch
import torchvision

import exports
from architectures import CASES
from reference import reference

SHORT = {torch.float32: "float32", torch.float16: "float16", torch.bfloat16: "bfloat16"}


def built(case):
    """The network with fixed random weights; its running statistics are those of no data in particular."""
    torch.manual_seed(7)
    model = case.build()
    for module in model.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            torch.nn.init.normal_(module.running_mean, 0.1, 0.3)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, 0.0, 0.2)
    with torch.no_grad():
        # So that no two weights are equal, which exporters merge, and no normalisation leaves one as it is.
        for weight in model.parameters():
            weight.add_(case.noise * torch.randn_like(weight))
    return model.train(case.training)


def readable(text: str) -> str:
    """An exporter's message without colours, addresses and the graph's own names."""
    text = re.sub(r"\x1b?\[\d+m", "", text)
    text = re.sub(r"\s*(Please feel free|\[Caused by|Next steps).*?(?= \| |$)", "", text)
    return re.sub(r"<([\w.]+) object at 0x[0-9a-f]+>", r"\1", text).strip()


def message(error: BaseException) -> str:
    """First line of an error and of the last error behind it."""
    chain = [error]
    while (behind := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(behind)
    told = [chain[0], chain[-1]] if len(chain) > 1 else chain
    lines = [next((line.strip() for line in str(e).splitlines() if line.strip()), "") for e in told]
    return readable(" | ".join(f"{type(e).__name__}: {line}" for e, line in zip(told, lines, strict=True)))[:300]


def exported(out: pathlib.Path, name: str, how: str, case, export) -> dict[str, str]:
    path = out / f"{name}.{how}.onnx"
    path.unlink(missing_ok=True)
    noise = io.StringIO()
    try:
        with contextlib.redirect_stdout(noise), contextlib.redirect_stderr(noise):
            export(case, built(case), path)
        return {"file": path.name}
    except Exception as error:
        path.unlink(missing_ok=True)
        return {"refused": message(error)}


def write_reference(out: pathlib.Path, name: str, case, batch: int, dtype: torch.dtype) -> dict[str, object]:
    path = out / f"{name}.{SHORT[dtype]}.{batch}.npz"
    arrays = reference(case, built(case), batch, dtype)
    weights = arrays.pop("weights")
    np.savez(path, **arrays)
    return {"reference": path.name, "weights": weights}


def network(out: pathlib.Path, name: str) -> dict[str, object]:
    case = CASES[name]
    known: dict[tuple[int, torch.dtype], dict[str, object]] = {}

    def row(how: str, export, dtype: torch.dtype, batch: int) -> dict[str, object]:
        for size in {batch, 3}:  # a file for one sample is also lifted to three
            if (size, dtype) not in known:
                known[size, dtype] = write_reference(out, name, case, size, dtype)
        done = exported(out, name, how, case, export)
        print(f"{name} {how}: {done.get('refused', 'written')}", flush=True)
        return {"export": how, **done, **known[batch, dtype], "lifted": known[3, dtype]["reference"]}

    rows = [
        row(how, export, torch.float32, 1 if how.endswith("batch-1") else 3)
        for how, export in exports.EVERY.items()
        if not (case.training and how.endswith("batch-1")) and (case.exports is None or how in case.exports)
    ]
    rows += [row(how, export, dtype, 3) for how, (names, dtype, export) in exports.SOME.items() if name in names]
    return {"name": name, "loss": case.loss, "index": case.index is not None, "exports": rows}


def main(out: pathlib.Path, names: list[str]) -> None:
    warnings.simplefilter("ignore")
    logging.disable(logging.ERROR)
    torch.set_num_threads(1)
    out.mkdir(parents=True, exist_ok=True)
    manifest = out / "manifest.json"
    before = json.loads(manifest.read_text())["networks"] if manifest.exists() and names else []
    made = {n["name"]: n for n in before}
    for name in names or CASES:
        made[name] = network(out, name)
        versions = {m.__name__: m.__version__ for m in (torch, torchvision, onnx, onnxscript, onnxruntime, np)}
        date = datetime.datetime.now(datetime.UTC).date().isoformat()
        ordered = [made[n] for n in CASES if n in made]
        manifest.write_text(json.dumps({"versions": versions, "date": date, "networks": ordered}, indent=1))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), sys.argv[2:])
