"""A small classifier of MNIST's digits with its preprocessing inside, shared by the other files of this folder."""

import gzip

import numpy as np
import torch
from torch import nn


class Preprocessed(nn.Module):
    """A model with its normalisation inside: takes pixels from 0 to 1, `[batch, channels, height, width]`."""

    def __init__(self, model: nn.Module, mean: list[float], std: list[float]):
        super().__init__()
        self.model = model
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, -1, 1, 1))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.model((pixels - self.mean) / self.std)


def build() -> nn.Module:
    network = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(32 * 7 * 7, 10),
    )
    return Preprocessed(network, mean=[0.1307], std=[0.3081])


def read_idx(path: str) -> np.ndarray:
    """An array in MNIST's own format, gzipped."""
    raw = gzip.open(path).read()
    dims = [int.from_bytes(raw[4 + 4 * i : 8 + 4 * i], "big") for i in range(raw[3])]
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(dims)
