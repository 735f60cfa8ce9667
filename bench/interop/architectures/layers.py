"""Norms, activations, heads and the other layers that occur between the convolutions."""

import torch
from torch import nn
from torch.nn import functional as F

from .case import Case, head


class Norms(nn.Module):
    def __init__(self):
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(i, 16, 3, padding=1) for i in (3, 16, 16))
        self.norms = nn.ModuleList([nn.GroupNorm(4, 16), nn.InstanceNorm2d(16, affine=True), nn.InstanceNorm2d(16)])
        self.head = head(16)

    def forward(self, x):
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = torch.tanh(norm(conv(x)))
        return self.head(x)


def rms_norm() -> nn.Module:
    return nn.Sequential(nn.Linear(8, 12), nn.RMSNorm(12, eps=1e-5), nn.SiLU(), nn.Linear(12, 12), nn.RMSNorm(12), nn.Linear(12, 5))


def common_activations() -> list[nn.Module]:
    return [
        nn.PReLU(16), nn.ELU(0.7), nn.SELU(), nn.Softplus(), nn.SiLU(), nn.Softsign(), nn.Hardtanh(), nn.LogSigmoid(),
        nn.Hardswish(), nn.PReLU(), nn.GELU(), nn.ReLU6(), nn.LeakyReLU(), nn.Tanh(),
    ]  # fmt: skip


def rare_activations() -> list[nn.Module]:
    return [
        nn.CELU(0.8), nn.Mish(), nn.Softplus(2.0, 5.0), nn.Softmin(1), nn.Tanhshrink(), nn.Softshrink(0.1), nn.Hardshrink(0.1),
        nn.Softmax2d(), nn.GELU(approximate="tanh"), nn.Hardsigmoid(),
    ]  # fmt: skip


class Activations(nn.Module):
    def __init__(self, kinds: list[nn.Module]):
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(3, 16, 3) for _ in kinds)
        self.kinds, self.glu, self.head = nn.ModuleList(kinds), nn.GLU(1), head(8 + 1)

    def forward(self, x):
        y = sum(kind(conv(x)) for kind, conv in zip(self.kinds, self.convs, strict=True))
        return self.head(torch.cat([self.glu(y), y.logsumexp(1, keepdim=True)], 1))


class IndexAndFeatures(nn.Module):
    """An embedded category beside real features."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(11, 6)
        self.mlp = nn.Sequential(nn.Linear(4 + 12, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 5))

    def forward(self, x, index):
        return self.mlp(torch.cat([x, self.table(index).flatten(1)], 1))


class Selections(nn.Module):
    """cumsum, topk, gather, sort-like picks, clamps, comparisons, norms."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(6, 12), nn.Linear(19, 5)
        self.register_buffer("pick", torch.tensor([0, 3, 3, 7]))

    def forward(self, x):
        y = self.first(x)
        total = torch.cumsum(torch.tanh(y), 1)
        top, at = torch.topk(total, 4, 1)
        near = torch.gather(y, 1, at)
        chosen = y[:, self.pick]
        kept = torch.where(y > 0.1, y, y.abs().sqrt()).clamp(-0.5, 1.5)
        scaled = F.normalize(kept, dim=1)[:, ::2]
        extra = torch.stack([y.amax(1), y.norm(dim=1), y.std(1), y.prod(1), y.min(1).values], 1)[:, 1:]
        return self.last(torch.cat([top, near, chosen, scaled, extra[:, :1]], 1)) + extra.mean(1, keepdim=True)


class Ended(nn.Module):
    """A classifier whose file ends in an activation; `logits` is what the loss sees."""

    def __init__(self, activation: str):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 16, 3, 2), nn.ReLU(), head(16))
        self.activation = activation

    def logits(self, x):
        return self.body(x)

    def forward(self, x):
        z = self.body(x)
        return z.softmax(1) if self.activation == "Softmax" else z.sigmoid()


class Regression(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 1))

    def forward(self, x):
        return self.body((x - x.mean(0, keepdim=True) * 0) / 2).squeeze(-1)


class LiteralBatch(nn.Module):
    """Code that was written for one sample: the batch size is a number in the graph when exported without dynamic axes."""

    def __init__(self):
        super().__init__()
        self.conv, self.mix = nn.Conv2d(3, 16, 3, 2), nn.Linear(49, 49)
        self.norm, self.last = nn.LayerNorm(49), nn.Linear(16 * 49, 5)

    def forward(self, x):
        y = self.conv(x)
        n, c = y.size(0), y.size(1)
        y = y.view(n, c, -1)
        y = self.norm(y + self.mix(y).relu()).permute(1, 0, 2).reshape(c, n * 49).reshape(c, n, 49)
        return self.last(y.permute(1, 0, 2).reshape(n, -1))


class Spectrum(nn.Module):
    """Normalisation with constants in front, as preprocessing is exported; slices and flips."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.4, 0.5, 0.6]).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor([0.2, 0.3, 0.25]).view(1, 3, 1, 1))
        self.conv, self.head = nn.Conv2d(6, 16, 3), head(16)

    def forward(self, x):
        x = (x - self.mean) / self.std
        x = torch.cat([x, x.flip(-1)], 1)
        rows, columns = x.unfold(2, 4, 2).mean(-1), x[:, :, 1:-1:2]
        return self.head(F.relu(self.conv(rows))) + self.head(F.relu(self.conv(columns)))


CASES = {
    "norms": Case(Norms, (3, 12, 12)),
    "rms-norm": Case(rms_norm, (8,)),
    "activations": Case(lambda: Activations(common_activations()), (3, 12, 12)),
    "rare-activations": Case(lambda: Activations(rare_activations()), (3, 12, 12)),
    "index-and-features": Case(IndexAndFeatures, (4,), index=(2,), indices=11),
    "selections": Case(Selections, (6,)),
    "softmax-end": Case(lambda: Ended("Softmax"), (3, 12, 12), activation="Softmax"),
    "sigmoid-end": Case(lambda: Ended("Sigmoid"), (3, 12, 12), loss="squares", activation="Sigmoid"),
    "regression": Case(Regression, (8,), loss="squares"),
    "literal-batch": Case(LiteralBatch, (3, 16, 16)),
    "preprocessing": Case(Spectrum, (3, 12, 12)),
}
