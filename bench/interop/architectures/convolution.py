"""Convolutional networks."""

import torch
from torch import nn
from torch.nn import functional as F

from .case import Case, head

IMAGE = (3, 16, 16)


def plain_cnn() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Dropout(0.5), nn.Flatten(), nn.Linear(32 * 16, 24), nn.ReLU(), nn.Linear(24, 5),
    )  # fmt: skip


class Residual(nn.Module):
    def __init__(self, i: int, o: int, stride: int = 1):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o), nn.ReLU(inplace=True),
            nn.Conv2d(o, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o),
        )  # fmt: skip
        same = i == o and stride == 1
        self.skip = nn.Identity() if same else nn.Sequential(nn.Conv2d(i, o, 1, stride, bias=False), nn.BatchNorm2d(o))

    def forward(self, x):
        return F.relu(self.body(x) + self.skip(x))


def resnet() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 16, 7, 2, 3, bias=False), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(3, 2, 1),
        Residual(16, 16), Residual(16, 32, 2), head(32),
    )  # fmt: skip


class SqueezeExcite(nn.Module):
    def __init__(self, c: int):
        super().__init__()
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(c, c // 4, 1), nn.ReLU(), nn.Conv2d(c // 4, c, 1), nn.Hardsigmoid()
        )

    def forward(self, x):
        return x * self.gate(x)


def mobilenet() -> nn.Module:
    def block(i: int, wide: int, o: int, stride: int) -> list[nn.Module]:
        return [
            nn.Conv2d(i, wide, 1, bias=False), nn.BatchNorm2d(wide), nn.Hardswish(),
            nn.Conv2d(wide, wide, 5, stride, 2, groups=wide, bias=False), nn.BatchNorm2d(wide), nn.ReLU6(),
            SqueezeExcite(wide), nn.Conv2d(wide, o, 1, bias=False), nn.BatchNorm2d(o),
        ]  # fmt: skip

    return nn.Sequential(
        nn.Conv2d(3, 16, 3, 2, 1), nn.Hardswish(), *block(16, 48, 16, 1), *block(16, 64, 24, 2), nn.Hardswish(), head(24)
    )


class ConvNextBlock(nn.Module):
    def __init__(self, c: int):
        super().__init__()
        self.depthwise = nn.Conv2d(c, c, 7, padding=3, groups=c)
        self.norm = nn.LayerNorm(c, eps=1e-6)
        self.wide, self.narrow = nn.Linear(c, 4 * c), nn.Linear(4 * c, c)
        self.scale = nn.Parameter(torch.full((c,), 0.5))

    def forward(self, x):
        y = self.depthwise(x).permute(0, 2, 3, 1)
        y = self.scale * self.narrow(F.gelu(self.wide(self.norm(y))))
        return x + y.permute(0, 3, 1, 2)


class LayerNorm2d(nn.Module):
    """Over channels, channels first, written out."""

    def __init__(self, c: int):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(c)), nn.Parameter(torch.zeros(c))

    def forward(self, x):
        u = x.mean(1, keepdim=True)
        s = (x - u).pow(2).mean(1, keepdim=True)
        x = (x - u) / torch.sqrt(s + 1e-6)
        return self.weight[:, None, None] * x + self.bias[:, None, None]


class ConvNext(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 16, 4, 4), LayerNorm2d(16), ConvNextBlock(16), LayerNorm2d(16), nn.Conv2d(16, 32, 2, 2),
            ConvNextBlock(32),
        )  # fmt: skip
        self.norm, self.last = nn.LayerNorm(32), nn.Linear(32, 5)

    def forward(self, x):
        return self.last(self.norm(self.body(x).mean([-2, -1])))


class DenseLayer(nn.Module):
    def __init__(self, i: int, growth: int):
        super().__init__()
        self.norm, self.conv = nn.BatchNorm2d(i), nn.Conv2d(i, growth, 3, padding=1, bias=False)

    def forward(self, x):
        return torch.cat([x, self.conv(F.relu(self.norm(x)))], 1)


def densenet() -> nn.Module:
    layers = [DenseLayer(16 + 8 * k, 8) for k in range(3)]
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), *layers, nn.BatchNorm2d(40), nn.ReLU(), nn.Conv2d(40, 20, 1), nn.AvgPool2d(2),
        DenseLayer(20, 8), nn.BatchNorm2d(28), nn.ReLU(), head(28),
    )  # fmt: skip


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 16, 3, padding=1), nn.Conv2d(16, 16, 3, padding=1)
        self.up = nn.ConvTranspose2d(16, 16, 3, stride=2, padding=1, output_padding=1)
        self.mix = nn.Conv2d(32, 8, 3, padding=1)
        self.smooth = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        self.last = nn.Conv2d(16, 4, 1)
        self.grow = nn.Upsample(scale_factor=2, mode="nearest")
        self.head = head(8)
        self.refine = nn.Conv2d(4, 8, 3, stride=2)

    def forward(self, x):
        a = F.relu(self.a(x))
        b = F.relu(self.b(F.max_pool2d(a, 2)))
        c = F.relu(self.c(F.max_pool2d(b, 2)))
        d = F.relu(self.mix(torch.cat([self.up(c), b], 1)))
        e = self.last(torch.cat([self.smooth(d), a], 1))
        return self.head(self.refine(self.grow(e)))


class Resizes(nn.Module):
    """Interpolation as code calls it: to a size, to the size of another value, with aligned corners, bicubic."""

    def __init__(self):
        super().__init__()
        self.conv, self.last = nn.Conv2d(3, 8, 3, padding=1), nn.Linear(8, 5)

    def forward(self, x):
        y = self.conv(x)
        small = F.interpolate(y, size=(7, 9), mode="bilinear", align_corners=True)
        back = F.interpolate(small, size=y.shape[-2:], mode="bilinear", align_corners=False)
        cubic = F.interpolate(small, scale_factor=1.5, mode="bicubic", align_corners=False)
        near = F.interpolate(cubic, size=y.shape[-2:], mode="nearest")
        return self.last((torch.tanh(back + near) * y).mean((2, 3)))


class Inception(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Conv2d(16, 8, 1)
        self.three = nn.Sequential(nn.Conv2d(16, 8, (1, 3), padding=(0, 1)), nn.Conv2d(8, 8, (3, 1), padding=(1, 0)))
        self.pool = nn.Sequential(nn.AvgPool2d(3, 1, 1), nn.Conv2d(16, 8, 1))
        self.most = nn.Sequential(nn.MaxPool2d(3, 1, 1), nn.Conv2d(16, 8, 1))
        self.stem = nn.Conv2d(3, 16, 3, stride=2)
        self.uneven = nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False)
        self.head = head(32)

    def forward(self, x):
        x = self.uneven(F.relu(self.stem(x)))
        return self.head(F.relu(torch.cat([self.one(x), self.three(x), self.pool(x), self.most(x)], 1)))


def overlapping_pools() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 16, 3), nn.MaxPool2d(3, 2, ceil_mode=True), nn.ReLU(), nn.Conv2d(16, 16, 3, padding=1),
        nn.MaxPool2d(3, 2, 1, dilation=1), nn.Conv2d(16, 16, 2), nn.AvgPool2d(2, 2, ceil_mode=True), nn.Flatten(),
        nn.Linear(64, 5),
    )  # fmt: skip


def dilated() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=2, dilation=2), nn.LeakyReLU(0.1),
        nn.Conv2d(16, 16, 3, stride=2, padding=3, dilation=3, groups=4), nn.LeakyReLU(0.1),
        nn.Conv2d(16, 16, (3, 5), padding=(1, 2), bias=False), nn.Tanh(), head(16),
    )  # fmt: skip


def series() -> nn.Module:
    return nn.Sequential(
        nn.Conv1d(2, 16, 7, 2, 3), nn.BatchNorm1d(16), nn.ReLU(), nn.MaxPool1d(2), nn.Conv1d(16, 16, 3, padding=2, dilation=2),
        nn.ReLU(), nn.ConvTranspose1d(16, 8, 4, 2, 1), nn.ELU(), nn.AvgPool1d(3, 2), nn.Flatten(), nn.Linear(8 * 11, 5),
    )  # fmt: skip


def volume() -> nn.Module:
    return nn.Sequential(
        nn.Conv3d(1, 8, 3, padding=1), nn.BatchNorm3d(8), nn.ReLU(), nn.MaxPool3d(2), nn.Conv3d(8, 8, 3, stride=(1, 2, 2)),
        nn.ReLU(), nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(8, 5),
    )  # fmt: skip


class Shuffle(nn.Module):
    """ShuffleNet's channel shuffle, pixel shuffle and unshuffle."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.head = nn.Conv2d(12, 16, 3, padding=1, groups=2), nn.Conv2d(16, 16, 3, padding=1, groups=4), head(4)

    def forward(self, x):
        y = F.relu(self.a(F.pixel_unshuffle(x, 2)))
        n, c, h, w = y.shape
        y = y.view(n, 4, c // 4, h, w).transpose(1, 2).contiguous().view(n, c, h, w)
        left, right = self.b(y).chunk(2, 1)
        return self.head(torch.tanh(F.pixel_shuffle(torch.cat([right, left.sigmoid()], 1), 2)))


class Paddings(nn.Module):
    def __init__(self):
        super().__init__()
        kinds = ("zeros", "reflect", "replicate", "circular")
        self.convs = nn.ModuleList(nn.Conv2d(3 if k == 0 else 8, 8, 3, padding=1, padding_mode=kind) for k, kind in enumerate(kinds))
        self.head = head(8)

    def forward(self, x):
        for conv in self.convs:
            x = torch.tanh(conv(x))
        return self.head(F.pad(x, (1, 2, -1, 0), value=0.5))


class SpatialTransformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.find = nn.Sequential(nn.Conv2d(3, 8, 5, 2), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 6))
        self.net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), head(8))

    def forward(self, x):
        theta = 0.3 * self.find(x).view(-1, 2, 3) + torch.tensor([[1.0, 0.0, 0.1], [0.0, 1.0, -0.2]], dtype=x.dtype)
        grid = F.affine_grid(theta, x.shape, align_corners=False)
        return self.net(F.grid_sample(x, grid, padding_mode="border", align_corners=False))


def alexnet() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 16, 5, padding=2), nn.ReLU(), nn.LocalResponseNorm(5, 0.05, 0.75, 2.0), nn.MaxPool2d(3, 2),
        nn.Conv2d(16, 16, 3), nn.ReLU(), nn.LocalResponseNorm(3), nn.MaxPool2d(3, 2), nn.Flatten(),
        nn.Dropout(), nn.Linear(144, 16), nn.ReLU(), nn.Linear(16, 5),
    )  # fmt: skip


def adaptive_pools() -> nn.Module:
    """To sizes that do not divide the map's."""
    return nn.Sequential(
        nn.Conv2d(3, 16, 3), nn.ReLU(), nn.AdaptiveAvgPool2d((5, 4)), nn.Conv2d(16, 16, 2), nn.AdaptiveAvgPool2d((2, 3)),
        nn.Flatten(), nn.Linear(96, 5),
    )  # fmt: skip


def weight_norm() -> nn.Module:
    norm = nn.utils.parametrizations.weight_norm
    return nn.Sequential(
        norm(nn.Conv2d(3, 16, 3, padding=1)), nn.ReLU(), nn.Conv2d(16, 16, 3, stride=2), nn.ReLU(), nn.Flatten(),
        norm(nn.Linear(16 * 49, 5)),
    )  # fmt: skip


def spectral_norm() -> nn.Module:
    norm = nn.utils.parametrizations.spectral_norm
    return nn.Sequential(norm(nn.Conv2d(3, 16, 3, stride=2)), nn.ReLU(), nn.Flatten(), norm(nn.Linear(16 * 49, 5)))


class WrittenGrid(nn.Module):
    """A spatial transformer whose grid is arithmetic, for exporters that lack affine_grid."""

    def __init__(self):
        super().__init__()
        self.find = nn.Sequential(nn.Conv2d(3, 8, 5, 2), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 6))
        self.net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), head(8))
        line = torch.linspace(-1, 1, 12)
        rows, columns = torch.meshgrid(line, line, indexing="ij")
        self.register_buffer("points", torch.stack([columns, rows, torch.ones_like(rows)], -1).view(1, 144, 3))
        self.register_buffer("still", torch.tensor([[1.0, 0.0, 0.1], [0.0, 1.0, -0.2]]))

    def forward(self, x):
        theta = 0.3 * self.find(x).view(-1, 2, 3) + self.still
        grid = (self.points @ theta.transpose(1, 2)).view(-1, 12, 12, 2)
        return self.net(F.grid_sample(x, grid, padding_mode="zeros", align_corners=True))


CASES = {
    "plain-cnn": Case(plain_cnn, IMAGE),
    "resnet": Case(resnet, (3, 32, 32)),
    "resnet-training": Case(resnet, (3, 32, 32), training=True),
    "mobilenet": Case(mobilenet, (3, 32, 32)),
    "convnext": Case(ConvNext, IMAGE),
    "densenet": Case(densenet, IMAGE),
    "unet": Case(UNet, IMAGE),
    "resizes": Case(Resizes, IMAGE),
    "inception": Case(Inception, (3, 17, 17)),
    "overlapping-pools": Case(overlapping_pools, (3, 18, 18)),
    "dilated": Case(dilated, IMAGE),
    "series": Case(series, (2, 48)),
    "volume": Case(volume, (1, 8, 8, 8)),
    "shuffle": Case(Shuffle, IMAGE),
    "paddings": Case(Paddings, (3, 9, 11)),
    "spatial-transformer": Case(SpatialTransformer, IMAGE),
    "alexnet": Case(alexnet, (3, 19, 19)),
    "written-grid": Case(WrittenGrid, IMAGE),
    "adaptive-pools": Case(adaptive_pools, IMAGE),
    "weight-norm": Case(weight_norm, IMAGE),
    "spectral-norm": Case(spectral_norm, IMAGE),
}
