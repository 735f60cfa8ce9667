"""The benchmark's networks in PyTorch, in the form that PyTorch runs fastest.

Every network here is the same function as its ONNX file: weights come from the file's initializers (by name, through
the `.npz` that `prepare.py` writes), BatchNorm is folded into the convolutions, and there is no dropout. Shapes:
`[n, channels, height, width]` float32 in, logits `[n, 10]` float32 out.
"""

import math
import pathlib

import numpy
import torch
import torch.nn.functional as F
from torch import nn

CACHE = pathlib.Path(__file__).resolve().parent.parent / ".cache"

#: One sample's shape, by network.
INPUT_SHAPE = {
    "resnet18": (3, 32, 32),
    "mnist-cnn": (1, 28, 28),
    "mnist-cnn-adv": (1, 28, 28),
    "cifar10-resnet14": (3, 32, 32),
    "mnist-vit": (1, 28, 28),
    "mnist-mlp": (1, 28, 28),
}


class Block(nn.Module):
    """Basic residual block of He et al. 2016, its BatchNorms already folded: two 3x3 convolutions and a shortcut."""

    def __init__(self, inside, outside, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inside, outside, 3, stride, 1)
        self.conv2 = nn.Conv2d(outside, outside, 3, 1, 1)
        self.shortcut = nn.Conv2d(inside, outside, 1, stride) if stride != 1 or inside != outside else None

    def forward(self, x):
        y = self.conv2(F.relu(self.conv1(x), inplace=True))
        y += x if self.shortcut is None else self.shortcut(x)
        return F.relu(y, inplace=True)


class ResNet(nn.Module):
    """Residual network for 32x32 images: a 3x3 stem without max-pool, stages of basic blocks, mean over the map."""

    def __init__(self, widths, blocks, mean=None, deviation=None):
        super().__init__()
        self.normalised = mean is not None
        if self.normalised:
            self.register_buffer("mean", mean)
            self.register_buffer("deviation", deviation)
        self.stem = nn.Conv2d(3, widths[0], 3, 1, 1)
        stages, inside = [], widths[0]
        for stage, width in enumerate(widths):
            for block in range(blocks):
                stages.append(Block(inside, width, 2 if stage > 0 and block == 0 else 1))
                inside = width
        self.blocks = nn.Sequential(*stages)
        self.head = nn.Linear(inside, 10)

    def forward(self, x):
        if self.normalised:
            x = (x - self.mean) / self.deviation
        y = self.blocks(F.relu(self.stem(x), inplace=True))
        return self.head(F.adaptive_avg_pool2d(y, 1).flatten(1))


class MnistCnn(nn.Module):
    """Two convolutions with max-pooling, two dense layers."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, 1, 1)
        self.conv2 = nn.Conv2d(16, 32, 3, 1, 1)
        self.dense1 = nn.Linear(32 * 7 * 7, 128)
        self.dense2 = nn.Linear(128, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x), inplace=True), 2)
        x = F.max_pool2d(F.relu(self.conv2(x), inplace=True), 2)
        return self.dense2(F.relu(self.dense1(x.flatten(1)), inplace=True))


def mnist_mlp():
    """Two hidden layers of 512 and 256 units."""
    return nn.Sequential(
        nn.Flatten(), nn.Linear(784, 512), nn.ReLU(True), nn.Linear(512, 256), nn.ReLU(True), nn.Linear(256, 10)
    )


class VitBlock(nn.Module):
    """Pre-norm transformer block: 4 heads of 16, GELU by erf, 128 hidden units."""

    def __init__(self):
        super().__init__()
        self.n1, self.n2 = nn.LayerNorm(64), nn.LayerNorm(64)
        self.qkv, self.o = nn.Linear(64, 192), nn.Linear(64, 64)
        self.f1, self.f2 = nn.Linear(64, 128), nn.Linear(128, 64)

    def forward(self, x):
        n = x.shape[0]
        q, k, v = self.qkv(self.n1(x)).reshape(n, 17, 3, 4, 16).permute(2, 0, 3, 1, 4)
        if hasattr(F, "scaled_dot_product_attention"):
            attended = F.scaled_dot_product_attention(q, k, v)
        else:
            attended = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(16), -1) @ v
        x = x + self.o(attended.transpose(1, 2).reshape(n, 17, 64))
        return x + self.f2(F.gelu(self.f1(self.n2(x))))


class MnistVit(nn.Module):
    """Vision transformer: 16 patches of 7x7 and a class token, width 64, three blocks."""

    def __init__(self):
        super().__init__()
        self.cls, self.pos = nn.Parameter(torch.zeros(1, 1, 64)), nn.Parameter(torch.zeros(1, 17, 64))
        self.p = nn.Conv2d(1, 64, 7, 7)
        self.b = nn.Sequential(*(VitBlock() for _ in range(3)))
        self.n = nn.LayerNorm(64)
        self.head = nn.Linear(64, 10)

    def forward(self, x):
        x = self.p(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(x.shape[0], -1, -1), x], 1) + self.pos
        return self.head(self.n(self.b(x))[:, 0])


def resnet18_random(seed=0):
    """ResNet-18 with random weights, BatchNorm statistics drawn and folded: the same bytes from every PyTorch version.

    A convolution `w` followed by BatchNorm `(gamma, beta, mean, var)` is the convolution `w * s` with the bias
    `beta - mean * s`, where `s = gamma / sqrt(var + 1e-5)`.
    """
    rng = numpy.random.Generator(numpy.random.PCG64(seed))
    net = ResNet((64, 128, 256, 512), 2)
    for name, module in net.named_modules():
        if isinstance(module, nn.Conv2d):
            out, fan_in = module.weight.shape[0], module.weight[0].numel()
            weight = rng.normal(0, math.sqrt(2 / fan_in), module.weight.shape)
            gamma = rng.uniform(0.5, 1.0, out) * (0.5 if name.endswith("conv2") else 1.0)
            beta, mean, var = rng.normal(0, 0.1, out), rng.normal(0, 0.1, out), rng.uniform(0.5, 1.5, out)
            scale = gamma / numpy.sqrt(var + 1e-5)
            module.weight.data = torch.from_numpy((weight * scale[:, None, None, None]).astype("float32"))
            module.bias.data = torch.from_numpy((beta - mean * scale).astype("float32"))
        elif isinstance(module, nn.Linear):
            module.weight.data = torch.from_numpy(rng.normal(0, 0.05, module.weight.shape).astype("float32"))
            module.bias.data = torch.zeros(module.bias.shape)
    return net.eval()


def _resnet14(weights):
    net = ResNet((16, 32, 64), 2, torch.from_numpy(weights["0.m"]), torch.from_numpy(weights["0.s"]))
    stem, *rest = [name for name in weights.files if name.startswith("onnx::Conv_")][::2]
    state = {"head.weight": "12.weight", "head.bias": "12.bias"}
    convolutions = [("stem", stem)]
    for index, block in enumerate(net.blocks):
        parts = ["conv1", "conv2"] + (["shortcut"] if block.shortcut is not None else [])
        convolutions += [(f"blocks.{index}.{part}", rest.pop(0)) for part in parts]
    for module, weight in convolutions:
        bias = f"onnx::Conv_{int(weight.rsplit('_', 1)[1]) + 1}"
        state[f"{module}.weight"], state[f"{module}.bias"] = weight, bias
    _load(net, {name: weights[source] for name, source in state.items()})
    return net


def _mnist_cnn(weights):
    net = MnistCnn()
    layers = {"conv1": 0, "conv2": 3, "dense1": 7, "dense2": 9}
    parts = ("weight", "bias")
    _load(net, {f"{layer}.{part}": weights[f"{number}.{part}"] for layer, number in layers.items() for part in parts})
    return net


def _mnist_mlp(weights):
    net = mnist_mlp()
    _load(net, {name: weights[name] for name in weights.files})
    return net


def _mnist_vit(weights):
    net = MnistVit()
    # The exporter keeps the bias' names but stores each dense weight transposed, named onnx::MatMul_N in graph order.
    dense = iter(name for name in weights.files if name.startswith("onnx::MatMul_"))
    state = {}
    for name in net.state_dict():
        state[name] = weights[next(dense)].T if name not in weights.files else weights[name]
    _load(net, state)
    return net


def _load(net, arrays):
    buffers = {name: value for name, value in net.named_buffers()}
    state = {name: torch.from_numpy(numpy.array(value, order="C")) for name, value in arrays.items()}
    net.load_state_dict({**buffers, **state}, strict=True)


def build(network, file=None):
    """The network in eval mode, with its ONNX file's weights or those in another `file`. `network`: a key of INPUT_SHAPE."""
    weights = numpy.load(file or CACHE / f"{network}.npz")
    if network == "resnet18":
        net = ResNet((64, 128, 256, 512), 2)
        _load(net, {name: weights[name] for name in weights.files})
    else:
        builders = {
            "mnist-cnn": _mnist_cnn,
            "mnist-cnn-adv": _mnist_cnn,
            "cifar10-resnet14": _resnet14,
            "mnist-vit": _mnist_vit,
            "mnist-mlp": _mnist_mlp,
        }
        net = builders[network](weights)
    return net.eval()
