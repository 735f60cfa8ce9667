"""What a case is, and pieces that several networks share."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True)
class Case:
    """One network: `build` makes it (the seed is set before), `shape` is one sample of its attacked input `x`."""

    build: Callable[[], nn.Module]
    shape: tuple[int, ...]
    # Gradient of the summed cross-entropy with respect to the logits, or of the sum of squared outputs.
    loss: str = "cross-entropy"
    # Shape of one sample of a second, integer input `index` with values below `indices`.
    index: tuple[int, ...] | None = None
    indices: int = 0
    # The final activation that the file has and the loss leaves out.
    activation: str | None = None
    # Exported (and differentiated) in training mode: batch statistics, no dropout.
    training: bool = False
    # Deviation of the noise that is added to every initial weight.
    noise: float = 0.05
    # Only these of the exports that every network has.
    exports: tuple[str, ...] | None = None


def head(channels: int, classes: int = 5) -> nn.Sequential:
    """Global average and a linear layer."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))
