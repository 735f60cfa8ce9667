"""What PyTorch says in float64: outputs, the loss' gradient with respect to the input, and to three weights."""

import copy

import numpy as np
import torch
from torch import nn

from architectures.case import Case


# An input at which PyTorch's own float32 is further than this from its float64 lies at a kink of a ReLU: another is taken.
KINK = 1e-5


def samples(case: Case, batch: int, seed: int = 11) -> dict[str, torch.Tensor]:
    """Inputs and labels."""
    rng = torch.Generator().manual_seed(seed)
    made = {"x": torch.randn(3, *case.shape, generator=rng)}
    if case.index is not None:
        made["index"] = torch.randint(case.indices, (3, *case.index), generator=rng)
    made["labels"] = torch.tensor([1, 4, 0])
    return {name: value[:batch].contiguous() for name, value in made.items()}


def differentiated(case: Case, model: nn.Module, given: dict[str, torch.Tensor], precision: torch.dtype):
    """Inputs, logits, and the gradients of the loss with respect to the input and to three weights, in `precision`."""
    exact = copy.deepcopy(model).to(precision).train(case.training)
    x = given["x"].to(precision).requires_grad_(True)
    inputs = (x, given["index"]) if "index" in given else (x,)
    logits = (exact.logits if case.activation else exact)(*inputs)
    if case.loss == "cross-entropy":
        loss = nn.functional.cross_entropy(logits, given["labels"], reduction="sum")
    else:
        loss = (logits**2).sum()
    named = list(exact.named_parameters())
    weights = [named[i] for i in sorted({0, len(named) // 2, len(named) - 1})]
    return x, logits, weights, torch.autograd.grad(loss, [x, *(w for _, w in weights)])


def reference(case: Case, model: nn.Module, batch: int, dtype: torch.dtype = torch.float32) -> dict[str, np.ndarray]:
    """Arrays of the `.npz`: x, index, labels, logits, gradient, and for k of 0..2 `weight{k}`, `weightGradient{k}`;
    also the names of the weights. Weights and inputs are rounded to `dtype` first.
    """
    narrow = copy.deepcopy(model).to(dtype)
    for seed in range(11, 31):
        given = samples(case, batch, seed)
        given["x"] = given["x"].to(dtype)
        x, logits, weights, gradients = differentiated(case, narrow, given, torch.float64)
        rough = differentiated(case, narrow, given, torch.float32)[3][0]
        if (rough - gradients[0]).abs().max() <= KINK * gradients[0].abs().max():
            break
    else:
        raise RuntimeError("float32 and float64 disagree at every input that was tried")
    arrays = {"x": x, **{k: v for k, v in given.items() if k != "x"}, "logits": logits, "gradient": gradients[0]}
    for k, ((_, w), g) in enumerate(zip(weights, gradients[1:], strict=True)):
        arrays[f"weight{k}"], arrays[f"weightGradient{k}"] = w, g
    return {k: v.detach().numpy() for k, v in arrays.items()} | {"weights": [name for name, _ in weights]}
