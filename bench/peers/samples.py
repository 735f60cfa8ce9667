"""The shared test images, as PyTorch wants them."""

import gzip

import numpy
import torch


def samples(folder, network, n):
    """The first `n` test images `[n, channels, height, width]` in 0-1 and their labels `[n]`; `folder` holds mnist and cifar10."""
    if network.startswith("cifar10"):
        data = numpy.load(folder / "cifar10" / "test.npz")
        x, y = data["x"][:n], data["y"][:n].reshape(-1)
        if x.shape[-1] == 3:
            x = x.transpose(0, 3, 1, 2)
        x = numpy.ascontiguousarray(x).astype("float32")
        return torch.from_numpy(x / 255 if data["x"].dtype == numpy.uint8 else x), torch.from_numpy(y.astype("int64"))
    images = gzip.decompress((folder / "mnist" / "t10k-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((folder / "mnist" / "t10k-labels-idx1-ubyte.gz").read_bytes())
    x = numpy.frombuffer(images, "uint8", n * 784, 16).reshape(n, 1, 28, 28).astype("float32") / 255
    return torch.from_numpy(x), torch.from_numpy(numpy.frombuffer(labels, "uint8", n, 8).astype("int64"))
