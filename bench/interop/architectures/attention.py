"""Transformers and mixers."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from .case import Case


class Vit(nn.Module):
    """Patches, a class token, positions, nn.MultiheadAttention."""

    def __init__(self, d: int = 16):
        super().__init__()
        self.patch = nn.Conv2d(3, d, 4, 4)
        self.token = nn.Parameter(0.5 * torch.randn(1, 1, d))
        self.position = nn.Parameter(0.5 * torch.randn(1, 17, d))
        self.norms = nn.ModuleList(nn.LayerNorm(d) for _ in range(3))
        self.attention = nn.MultiheadAttention(d, 4, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(d, 32), nn.GELU(), nn.Linear(32, d))
        self.last = nn.Linear(d, 5)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.position
        y = self.norms[0](x)
        x = x + self.attention(y, y, y)[0]
        x = x + self.mlp(self.norms[1](x))
        return self.last(self.norms[2](x)[:, 0])


class Encoder(nn.Module):
    def __init__(self, d: int = 16):
        super().__init__()
        layer = nn.TransformerEncoderLayer(d, 2, 32, batch_first=True, activation="gelu")
        self.encoder = nn.TransformerEncoder(layer, 2)
        self.embed, self.last = nn.Linear(6, d), nn.Linear(d, 5)

    def forward(self, x):
        return self.last(self.encoder(self.embed(x)).mean(1))


class WrittenRmsNorm(nn.Module):
    """As language models write it, in float32 at least."""

    def __init__(self, d: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(d))

    def forward(self, x):
        return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6))


class Causal(nn.Module):
    """scaled_dot_product_attention with a causal mask, rotary positions, RMSNorm, SwiGLU: a decoder's block."""

    def __init__(self, d: int = 16, heads: int = 2):
        super().__init__()
        self.heads = heads
        self.embed, self.qkv, self.out = nn.Linear(6, d), nn.Linear(d, 3 * d, bias=False), nn.Linear(d, d, bias=False)
        self.gate, self.up, self.down = (nn.Linear(*s, bias=False) for s in ((d, 24), (d, 24), (24, d)))
        self.norms = nn.ModuleList(WrittenRmsNorm(d) for _ in range(2))
        self.last = nn.Linear(d, 5)
        angles = torch.arange(12)[:, None] / 100 ** (torch.arange(d // heads // 2) / (d // heads // 2))
        self.register_buffer("cos", angles.cos().repeat(1, 2))
        self.register_buffer("sin", angles.sin().repeat(1, 2))

    def rotate(self, x):
        a, b = x.chunk(2, -1)
        return x * self.cos + torch.cat([-b, a], -1) * self.sin

    def forward(self, x):
        x = self.embed(x)
        n, t, d = x.shape
        q, k, v = self.qkv(self.norms[0](x)).view(n, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        y = F.scaled_dot_product_attention(self.rotate(q), self.rotate(k), v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).reshape(n, t, d))
        y = self.norms[1](x)
        return self.last((x + self.down(F.silu(self.gate(y)) * self.up(y)))[:, -1])


class Swin(nn.Module):
    """One block of windows, one of shifted windows with a mask, relative position bias, patch merging."""

    def __init__(self, d: int = 16, window: int = 2):
        super().__init__()
        self.window, self.heads = window, 2
        self.patch = nn.Conv2d(3, d, 4, 4)
        self.qkv = nn.ModuleList(nn.Linear(d, 3 * d) for _ in range(2))
        self.out = nn.ModuleList(nn.Linear(d, d) for _ in range(2))
        self.norm = nn.ModuleList(nn.LayerNorm(d) for _ in range(2))
        self.bias = nn.Parameter(0.3 * torch.randn((2 * window - 1) ** 2, self.heads))
        at = torch.stack(torch.meshgrid(torch.arange(window), torch.arange(window), indexing="ij")).flatten(1)
        apart = (at[:, :, None] - at[:, None, :] + window - 1).permute(1, 2, 0)
        self.register_buffer("relative_position_index", apart[..., 0] * (2 * window - 1) + apart[..., 1])
        region = torch.zeros(4, 4)
        for i, rows in enumerate((slice(0, -2), slice(-2, -1), slice(-1, None))):
            for j, columns in enumerate((slice(0, -2), slice(-2, -1), slice(-1, None))):
                region[rows, columns] = 3 * i + j
        parts = region.view(2, 2, 2, 2).permute(0, 2, 1, 3).reshape(4, 4)
        self.register_buffer("mask", (parts[:, None, :] != parts[:, :, None]).float() * -100.0)
        self.merge, self.last = nn.Linear(4 * d, 2 * d, bias=False), nn.Linear(2 * d, 5)

    def attend(self, x, k: int):
        n, h, w, d = x.shape
        s = self.window
        y = self.norm[k](x)
        if k == 1:
            y = torch.roll(y, (-1, -1), (1, 2))
        y = y.view(n, h // s, s, w // s, s, d).permute(0, 1, 3, 2, 4, 5).reshape(-1, s * s, d)
        q, key, v = self.qkv[k](y).view(-1, s * s, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        scores = q @ key.transpose(-2, -1) / math.sqrt(d // self.heads)
        scores = scores + self.bias[self.relative_position_index.view(-1)].view(s * s, s * s, -1).permute(2, 0, 1).unsqueeze(0)
        if k == 1:
            scores = scores.view(n, -1, self.heads, s * s, s * s) + self.mask[None, :, None]
            scores = scores.view(-1, self.heads, s * s, s * s)
        y = self.out[k]((scores.softmax(-1) @ v).transpose(1, 2).reshape(-1, s * s, d))
        y = y.view(n, h // s, w // s, s, s, d).permute(0, 1, 3, 2, 4, 5).reshape(n, h, w, d)
        if k == 1:
            y = torch.roll(y, (1, 1), (1, 2))
        return x + y

    def forward(self, x):
        x = self.patch(x).permute(0, 2, 3, 1)
        x = self.attend(self.attend(x, 0), 1)
        x = torch.cat([x[:, 0::2, 0::2], x[:, 1::2, 0::2], x[:, 0::2, 1::2], x[:, 1::2, 1::2]], -1)
        return self.last(self.merge(x).mean((1, 2)))


class Mixer(nn.Module):
    def __init__(self, d: int = 12, tokens: int = 16):
        super().__init__()
        self.patch = nn.Conv2d(3, d, 4, 4)
        self.a, self.b, self.c = nn.LayerNorm(d), nn.LayerNorm(d), nn.LayerNorm(d)
        self.across = nn.Sequential(nn.Linear(tokens, 24), nn.GELU(approximate="tanh"), nn.Linear(24, tokens))
        self.within = nn.Sequential(nn.Linear(d, 24), nn.GELU(), nn.Linear(24, d))
        self.last = nn.Linear(d, 5)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = x + self.across(self.a(x).transpose(1, 2)).transpose(1, 2)
        x = x + self.within(self.b(x))
        return self.last(self.c(x).mean(1))


class EinsumAttention(nn.Module):
    def __init__(self, d: int = 12):
        super().__init__()
        self.q, self.k, self.v = (nn.Parameter(0.4 * torch.randn(6, 3, d)) for _ in range(3))
        self.last = nn.Parameter(0.4 * torch.randn(3, d, 5))

    def forward(self, x):
        q, k, v = (torch.einsum("nti,ihd->nhtd", x, w) for w in (self.q, self.k, self.v))
        weights = torch.einsum("nhtd,nhsd->nhts", q, k).div(3.5).softmax(-1)
        return torch.einsum("nhts,nhsd,hdc->nc", weights, v, self.last)


CASES = {
    "vit": Case(Vit, (3, 16, 16)),
    "transformer-encoder": Case(Encoder, (7, 6)),
    "causal-decoder": Case(Causal, (12, 6)),
    "swin": Case(Swin, (3, 16, 16)),
    "mixer": Case(Mixer, (3, 16, 16)),
    "einsum-attention": Case(EinsumAttention, (7, 6)),
}
