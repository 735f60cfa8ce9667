"""What PyTorch says in float64: outputs, the loss' gradient with respect to the input, and to three weights."""

import copy

import numpy as np
import torch
from torch import nn

from architectures.case import Case


def samples(case: Case, batch: int) -> dict[str, torch.Tensor]:
    """Inputs and labels; the first rows are the same for every batch size."""
    rng = torch.Generator().manual_seed(11)
    made = {"x": torch.randn(3, *case.shape, generator=rng)}
    if case.index is not None:
        made["index"] = torch.randint(case.indices, (3, *case.index), generator=rng)
    made["labels"] = torch.tensor([1, 4, 0])
    return {name: value[:batch].contiguous() for name, value in made.items()}


def reference(case: Case, model: nn.Module, batch: int, dtype: torch.dtype = torch.float32) -> dict[str, np.ndarray]:
    """Arrays of the `.npz`: x, index, labels, logits, gradient, and for k of 0..2 `weight{k}`, `weightGradient{k}`;
    also the names of the weights. Weights and inputs are rounded to `dtype` first.
    """
    given = samples(case, batch)
    exact = copy.deepcopy(model).to(dtype).double().train(case.training)
    x = given["x"].to(dtype).double().requires_grad_(True)
    inputs = (x, given["index"]) if "index" in given else (x,)
    logits = (exact.logits if case.activation else exact)(*inputs)
    if case.loss == "cross-entropy":
        loss = nn.functional.cross_entropy(logits, given["labels"], reduction="sum")
    else:
        loss = (logits**2).sum()
    named = list(exact.named_parameters())
    weights = [named[i] for i in sorted({0, len(named) // 2, len(named) - 1})]
    gradients = torch.autograd.grad(loss, [x, *(w for _, w in weights)])
    arrays = {"x": x, **{k: v for k, v in given.items() if k != "x"}, "logits": logits, "gradient": gradients[0]}
    for k, ((_, w), g) in enumerate(zip(weights, gradients[1:], strict=True)):
        arrays[f"weight{k}"], arrays[f"weightGradient{k}"] = w, g
    return {k: v.detach().numpy() for k, v in arrays.items()} | {"weights": [name for name, _ in weights]}
